"""Intervals are of resampled groups, and verdicts follow from intervals."""

import numpy as np
import pytest

from training.metrics import bootstrap


def test_weights_are_draws_of_whole_groups() -> None:
    weights = bootstrap.group_weights(20, draws=500, seed=1)
    assert weights.shape == (500, 20)
    np.testing.assert_array_equal(weights.sum(1), 20)
    assert weights.mean(0) == pytest.approx(np.ones(20), abs=0.15)
    np.testing.assert_array_equal(weights, bootstrap.group_weights(20, draws=500, seed=1))


def test_weighted_means_agree_with_repeating_the_rows() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=12)
    values[4] = np.nan
    weights = rng.integers(0, 3, (30, 12)).astype(float)
    expected = [np.nanmean(np.repeat(values, row.astype(int))) for row in weights]
    np.testing.assert_allclose(bootstrap.weighted_means(values, weights), expected)


def test_a_resample_without_any_value_is_nan() -> None:
    assert np.isnan(bootstrap.weighted_means(np.array([np.nan, 1.0]), np.array([[2.0, 0.0]])))[0]


def test_the_interval_of_a_mean_has_its_theoretical_width() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=400)
    low, high = bootstrap.interval(bootstrap.weighted_means(values, bootstrap.group_weights(400, 2000)))
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_rows_of_one_group_are_one_observation() -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(20), 30)
    values = rng.normal(size=20)[groups]
    wide = bootstrap.interval(bootstrap.weighted_means(values, bootstrap.group_weights(20)[:, groups]))
    narrow = bootstrap.interval(bootstrap.weighted_means(values, bootstrap.group_weights(600)))
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.10, "better"), (0.0, "not worse"), (-0.005, "not worse"), (-0.05, "worse")]
)
def test_verdicts_follow_the_interval(shift: float, verdict: str) -> None:
    samples = np.random.default_rng(3).normal(0.5, 0.2, 2000)  # the noise is shared, as in a paired comparison
    jitter = np.random.default_rng(4).normal(0.0, 0.005, 2000)
    found = bootstrap.compare(0.5 + shift, 0.5, samples + shift + jitter, samples, tolerance=bootstrap.TOLERANCE)
    assert found.verdict == verdict
    assert found.difference == pytest.approx(shift)


def test_an_uncertain_difference_is_undecided() -> None:
    noise = np.random.default_rng(5).normal(0.0, 0.1, 2000)
    assert bootstrap.compare(0.55, 0.5, 0.55 + noise, np.full(2000, 0.5)).verdict == "undecided"


@pytest.mark.parametrize(
    ("low", "high", "tolerance", "verdict"),
    [(-0.01, 0.01, 0.0, "undecided"), (-0.019, -0.002, 0.02, "worse"), (0.0, 0.0, 0.0, "not worse")],
)
def test_a_tolerance_is_not_for_every_metric_and_hides_no_loss(
    low: float, high: float, tolerance: float, verdict: str
) -> None:
    assert bootstrap.verdict(low, high, tolerance) == verdict


def test_a_smaller_gap_is_better() -> None:
    found = bootstrap.compare(0.1, 0.3, np.full(100, 0.1), np.full(100, 0.3), lower_is_better=True)
    assert (found.difference, found.verdict) == (pytest.approx(0.2), "better")
