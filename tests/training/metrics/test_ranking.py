"""Recall and reciprocal rank against a plain count, with ties by hand."""

import itertools

import numpy as np
import pytest

from training.metrics.ranking import best_rank, recall_at


def plain_rank(scores: list[float], hits: list[bool]) -> float:
    """The mean, over all orders of the tied candidates, of the rank of the first hit."""
    best = max(score for score, hit in zip(scores, hits) if hit)
    above = sum(score > best for score in scores)
    tied = [hit for score, hit in zip(scores, hits) if score == best]
    places = [order.index(True) + 1 for order in itertools.permutations(tied)]
    return above + sum(places) / len(places)


def test_ranks_agree_with_trying_every_order_of_the_ties() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 4, (40, 7)).astype(float)
    hits = rng.random((40, 7)) < 0.35
    hits[:, 0] |= ~hits.any(1)
    expected = [plain_rank(list(row), list(hit)) for row, hit in zip(scores, hits)]
    np.testing.assert_allclose(best_rank(scores, hits), expected)


def test_recall_by_hand() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.2, 0.8, 0.4], [0.1, 0.3, 0.2]])
    hits = np.eye(3, dtype=bool)  # ranks 1, 1, 2
    assert recall_at(scores, hits, 1) == pytest.approx(2 / 3)
    assert recall_at(scores, hits, 2) == 1.0


def test_equal_scores_have_the_mean_rank() -> None:
    hits = np.eye(21, dtype=bool)
    np.testing.assert_allclose(best_rank(np.ones((21, 21)), hits), 11.0)
    assert recall_at(np.ones((21, 21)), hits, 10) == 0.0


def test_the_best_of_several_hits_counts() -> None:
    scores = np.array([[0.1, 0.9, 0.5, 0.7]])
    assert best_rank(scores, np.array([[True, False, True, True]]))[0] == 2.0


def test_queries_without_a_hit_are_left_out() -> None:
    scores, hits = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[True, False], [False, False]])
    assert recall_at(scores, hits, 1) == 1.0
    assert np.isnan(recall_at(scores, np.zeros((2, 2), bool), 1))


def test_removed_candidates_are_never_a_hit() -> None:
    scores = np.array([[-np.inf, 0.3, 0.6]])
    assert best_rank(scores, np.array([[False, True, False]]))[0] == 2.0
