"""Ranking metrics against plain loops, and chance against shuffled scores."""

import math

import numpy as np
import pytest

from training.metrics import retrieval as mr
from training.metrics.ranking import best_rank


def plain_ndcg(scores: list[float], relevant: list[bool], k: int) -> float:
    candidates = [(s, r) for s, r in zip(scores, relevant) if s > -math.inf]
    ranked = [r for _, r in sorted(candidates, key=lambda entry: -entry[0])]
    gain = sum(1 / math.log2(rank + 2) for rank, r in enumerate(ranked[:k]) if r)
    ideal = sum(1 / math.log2(rank + 2) for rank in range(min(k, sum(ranked))))
    return gain / ideal if ideal else math.nan


def test_ndcg_agrees_with_a_plain_sort() -> None:
    rng = np.random.default_rng(0)
    scores, relevant = rng.normal(size=(30, 25)), rng.random((30, 25)) < 0.15
    np.fill_diagonal(scores, -np.inf)
    relevant[3] = False
    expected = [plain_ndcg(list(s), list(r), 10) for s, r in zip(scores, relevant)]
    np.testing.assert_allclose(mr.ndcg_at(scores, relevant, 10), expected)
    assert np.isnan(mr.ndcg_at(scores, relevant, 10)[3])


def test_ndcg_by_hand() -> None:
    scores = np.array([[0.9, 0.8, 0.7, 0.6]])
    relevant = np.array([[False, True, False, True]])
    expected = (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3))
    assert mr.ndcg_at(scores, relevant, 10)[0] == pytest.approx(expected)
    assert mr.ndcg_at(scores, relevant, 2)[0] == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))


def test_scaled_scores_are_z_scores_of_their_kind_of_pair() -> None:
    scale = {
        "image-image": {"mean": 0.5, "std": 0.1},
        "image-report": {"mean": 0.1, "std": 0.2},
        "report-report": {"mean": 0.3, "std": 0.5},
    }
    is_text = np.array([False, True])
    found = mr.scaled_scores(np.full((2, 2), 0.6), is_text, is_text, scale)
    np.testing.assert_allclose(found, [[1.0, 2.5], [2.5, 0.6]])


def test_two_separate_cones_return_only_one_modality_and_the_score_scale_balances_them() -> None:
    rng = np.random.default_rng(1)
    is_text = np.array([False] * 30 + [True] * 50)
    same_kind = is_text[:, None] == is_text[None, :]
    cosines = np.where(same_kind, 0.8, 0.1) + 0.05 * rng.normal(size=(80, 80))
    scale = {
        kind: {"mean": mean, "std": 0.05}
        for kind, mean in (("image-image", 0.8), ("image-report", 0.1), ("report-report", 0.8))
    }
    for scores, low, high in ((cosines, 0.0, 0.0), (mr.scaled_scores(cosines, is_text, is_text, scale), 0.45, 0.57)):
        np.fill_diagonal(scores, -np.inf)
        share = mr.balanced_other_share(scores, is_text)
        assert low <= np.nanmean(share) <= high


def test_the_share_is_counted_over_as_many_texts_as_images() -> None:
    is_text = np.array([False] * 4 + [True] * 12)
    scores = np.zeros((16, 16))
    np.fill_diagonal(scores, -np.inf)
    share = mr.balanced_other_share(scores + np.random.default_rng(0).random((16, 16)), is_text, draws=4, k=7)
    np.testing.assert_allclose(share[:4], 4 / 7)  # 3 images and 4 texts are left in a pool of 8
    assert np.isnan(share).sum() == 16 - np.isfinite(share).sum()


@pytest.mark.parametrize("k", [1, 5, 10])
def test_chance_is_what_shuffled_scores_reach(k: int) -> None:
    rng = np.random.default_rng(2)
    hits = np.zeros((40, 30), bool)
    for row in hits:
        row[: rng.integers(1, 6)] = True
    ranks = np.array([best_rank(rng.random((40, 30)), hits) for _ in range(400)])
    assert mr.chance_recall(hits, k) == pytest.approx((ranks <= k).mean(), abs=0.01)
    assert mr.chance_reciprocal_rank(hits) == pytest.approx((1 / ranks).mean(), abs=0.01)
    ndcg = np.mean([mr.ndcg_at(rng.random((40, 30)), hits, k).mean() for _ in range(300)])
    assert mr.chance_ndcg(hits, 30, k) == pytest.approx(ndcg, abs=0.01)


def test_one_hit_among_p_gives_k_over_p() -> None:
    assert mr.chance_recall(np.eye(20, dtype=bool), 5) == pytest.approx(0.25)
    assert mr.chance_recall(np.eye(4, dtype=bool), 10) == pytest.approx(1.0)


def test_items_are_related_by_any_group_in_common() -> None:
    groups = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]], bool)
    expected = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]]
    np.testing.assert_array_equal(mr.shared_groups(groups), np.array(expected, bool))
