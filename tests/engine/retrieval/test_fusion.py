"""Scores of different kinds of pair, against an independent computation."""

import numpy as np
import pytest

from engine.retrieval.fusion import QueryVectors, calibrated, reciprocal_rank_fusion

SCORE_SCALE = {
    "image-image": {"mean": 0.5, "std": 0.2},
    "image-report": {"mean": 0.1, "std": 0.05},
    "report-report": {"mean": 0.3, "std": 0.1},
}


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
    expected = ((rows.astype(float) @ query.astype(float)) - SCORE_SCALE[pair]["mean"]) / SCORE_SCALE[pair]["std"]
    score = calibrated(QueryVectors(**{asked: query}), kind, SCORE_SCALE)  # type: ignore[arg-type]
    np.testing.assert_allclose(score(rows), expected, rtol=1e-4, atol=1e-4)


def test_a_composed_score_is_the_mean_of_both_z_scores() -> None:
    image, text, rows = unit(1), unit(2), unit(3, 9)
    score = calibrated(QueryVectors(image, text), "report", SCORE_SCALE)
    by_image = (rows @ image - 0.1) / 0.05
    by_text = (rows @ text - 0.3) / 0.1
    np.testing.assert_allclose(score(rows), (by_image + by_text) / 2, rtol=1e-4, atol=1e-4)


def test_with_equal_deviations_a_composed_query_ranks_like_the_normalised_mean() -> None:
    same = {pair: {"mean": 0.2, "std": 0.1} for pair in SCORE_SCALE}
    query, rows = QueryVectors(unit(1), unit(2)), unit(3, 50)
    assert np.argsort(calibrated(query, "image", same)(rows)).tolist() == np.argsort(rows @ query.composed).tolist()
    assert np.linalg.norm(query.composed) == pytest.approx(1)


def test_reciprocal_rank_fusion_sums_over_rankings() -> None:
    scores = reciprocal_rank_fusion([["a", "b", "c"], ["c", "a"]])
    assert scores == pytest.approx({"a": 1 / 61 + 1 / 62, "b": 1 / 62, "c": 1 / 63 + 1 / 61})
