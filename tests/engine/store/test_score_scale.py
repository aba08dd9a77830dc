"""The score scale against a plain computation, and what it does with few cases."""

from itertools import combinations

import numpy as np
import pytest

from engine.store.score_scale import MIN_DEVIATION, NORMAL_TAIL, Sample, ScoreScale, measured

CONSTANTS = {
    "image-image": {"mean": 0.3, "std": 0.2},
    "image-report": {"mean": 0.1, "std": 0.05},
    "report-report": {"mean": 0.2, "std": 0.4},
}


def sample(seed: int, cases: int, each: int = 1) -> Sample:
    """Unit vectors around a mean of their own, `each` a case."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(cases * each, 24)) + 2 * np.random.default_rng([seed, 1]).normal(size=24)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Sample(rows.astype(np.float32), np.repeat(np.arange(cases), each))


def test_it_is_what_a_plain_computation_finds() -> None:
    images, reports = sample(1, 20, each=2), sample(2, 30)
    scale = measured({"image": images, "report": reports}, CONSTANTS, prior_cases=0)
    mean = {"image": images.vectors.mean(0), "report": reports.vectors.mean(0)}
    for kind in mean:
        np.testing.assert_allclose(scale.means[kind], mean[kind], atol=1e-6)  # type: ignore[index]
    items = [("image", case, row - mean["image"]) for case, row in zip(images.cases, images.vectors, strict=True)]
    items += [("report", case, row - mean["report"]) for case, row in zip(reports.cases, reports.vectors, strict=True)]
    for pair, spread in scale.spreads.items():
        cosines = [float(a[2] @ b[2]) for a, b in combinations(items, 2) if f"{a[0]}-{b[0]}" == pair and a[1] != b[1]]
        assert spread.mean == pytest.approx(np.mean(cosines), abs=1e-5)
        tail = (np.quantile(cosines, 0.99) - np.mean(cosines)) / NORMAL_TAIL
        assert spread.std == pytest.approx(tail, rel=1e-4)


def test_an_empty_archive_has_the_constants_of_the_bundle() -> None:
    scale = measured({}, CONSTANTS)
    assert scale.means == {}
    assert scale.spreads == ScoreScale.of_bundle(CONSTANTS).spreads


def test_few_cases_move_it_a_little_and_many_nearly_all_the_way() -> None:
    few, many = (measured({"image": sample(1, cases)}, CONSTANTS) for cases in (20, 2000))
    full = measured({"image": sample(1, 2000)}, CONSTANTS, prior_cases=0)
    assert np.linalg.norm(few.means["image"]) == pytest.approx(20 / 30 * np.linalg.norm(full.means["image"]), rel=0.1)
    assert np.linalg.norm(many.means["image"] - full.means["image"]) < 0.01
    away = [abs(scale.spreads["image-image"].std - full.spreads["image-image"].std) for scale in (few, many)]
    assert away[1] < 0.01 < away[0]


def test_many_images_of_one_case_count_as_one_case() -> None:
    once, often = (measured({"image": sample(1, 5, each)}, CONSTANTS) for each in (1, 40))
    norms = [float(np.linalg.norm(scale.means["image"])) for scale in (once, often)]
    assert norms[1] < 0.4  # five of fifteen parts, although there are 200 vectors
    assert norms[0] == pytest.approx(norms[1], rel=0.2)


def test_pairs_within_a_case_are_not_measured_and_too_few_pairs_leave_the_constants() -> None:
    one_case = Sample(sample(1, 1, each=50).vectors, np.zeros(50, np.int64))
    scale = measured({"image": one_case}, CONSTANTS)
    assert scale.spreads == ScoreScale.of_bundle(CONSTANTS).spreads


def test_equal_vectors_do_not_divide_by_zero() -> None:
    same = Sample(np.tile(sample(1, 1).vectors, (50, 1)), np.arange(50))
    assert measured({"image": same}, CONSTANTS, prior_cases=0).spreads["image-image"].std == MIN_DEVIATION
