"""Scores of different kinds of pair, against an independent computation."""

import numpy as np
import pytest

from engine.retrieval.fusion import QueryVectors, calibrated, reciprocal_rank_fusion
from engine.store.score_scale import ScoreScale

SPREADS = {
    "image-image": {"mean": 0.5, "std": 0.2},
    "image-report": {"mean": 0.1, "std": 0.05},
    "report-report": {"mean": 0.3, "std": 0.1},
}
PLAIN = ScoreScale.of_bundle(SPREADS)


def unit(seed: int, rows: int | None = None) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(rows or 1, 16)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn if rows else drawn[0]


@pytest.mark.parametrize(
    ("asked", "kind", "pair"),
    [
        ("image", "image", "image-image"),
        ("image", "report", "image-report"),
        ("text", "image", "image-report"),
        ("text", "report", "report-report"),
    ],
)
def test_a_score_is_the_z_score_of_its_kind_of_pair(asked: str, kind: str, pair: str) -> None:
    query, rows = unit(1), unit(2, 9)
    expected = ((rows.astype(float) @ query.astype(float)) - SPREADS[pair]["mean"]) / SPREADS[pair]["std"]
    score = calibrated(QueryVectors(**{asked: query}), kind, PLAIN)  # type: ignore[arg-type]
    np.testing.assert_allclose(score(rows), expected, rtol=1e-4, atol=1e-4)


def test_vectors_and_query_are_centered_on_the_mean_of_their_kind() -> None:
    query, rows, means = unit(1), unit(2, 9), {"image": 0.4 * unit(4), "report": 0.7 * unit(5)}
    score = calibrated(QueryVectors(image=query), "report", ScoreScale(means, PLAIN.spreads))  # type: ignore[arg-type]
    expected = ((rows - means["report"]) @ (query - means["image"]) - 0.1) / 0.05
    np.testing.assert_allclose(score(rows), expected, rtol=1e-4, atol=1e-4)


def test_a_composed_score_is_the_mean_of_both_z_scores() -> None:
    image, text, rows = unit(1), unit(2), unit(3, 9)
    score = calibrated(QueryVectors(image, text), "report", PLAIN)
    by_image = (rows @ image - 0.1) / 0.05
    by_text = (rows @ text - 0.3) / 0.1
    np.testing.assert_allclose(score(rows), (by_image + by_text) / 2, rtol=1e-4, atol=1e-4)


def test_with_equal_deviations_a_composed_query_ranks_like_the_normalised_mean() -> None:
    same = ScoreScale.of_bundle({pair: {"mean": 0.2, "std": 0.1} for pair in SPREADS})
    query, rows = QueryVectors(unit(1), unit(2)), unit(3, 50)
    assert np.argsort(calibrated(query, "image", same)(rows)).tolist() == np.argsort(rows @ query.composed).tolist()
    assert np.linalg.norm(query.composed) == pytest.approx(1)


def test_reciprocal_rank_fusion_sums_over_rankings() -> None:
    scores = reciprocal_rank_fusion([["a", "b", "c"], ["c", "a"]])
    assert scores == pytest.approx({"a": 1 / 61 + 1 / 62, "b": 1 / 62, "c": 1 / 63 + 1 / 61})
