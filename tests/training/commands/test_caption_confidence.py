"""Signals of a draft, and whether they separate right drafts from wrong ones."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.captions import scores
from training.captions.signals import mutual, signals
from training.commands import caption_confidence
from training.tables import caption_reliability

RNG = np.random.default_rng(0)
PATIENTS = [f"p{number // 2}" for number in range(200)]


def unit(count: int, size: int = 6) -> np.ndarray:
    rows = RNG.standard_normal((count, size))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def test_signals_by_hand() -> None:
    images, written, archived, reports = unit(3), unit(3), unit(4), unit(7)
    found = signals(images, written, archived, reports, [3, 4, 5], [[-1.0, -3.0], [], [-0.5]])
    for i in range(3):
        cosines = reports @ images[i]
        near = reports[np.argsort(-cosines)[:5]]
        others = [near[a] @ near[b] for a in range(5) for b in range(5) if a != b]
        assert found["nearest_report"][i] == pytest.approx(cosines.max())
        assert found["nearest_picture"][i] == pytest.approx((archived @ images[i]).max())
        assert found["agreement"][i] == pytest.approx(np.mean(others))
        assert found["own_cosine"][i] == pytest.approx(images[i] @ written[i])
        assert found["echo"][i] == pytest.approx(np.mean(near @ written[i]))
    assert found["log_prob"].tolist() == [-2.0, 0.0, -0.5]
    assert "log_prob" not in signals(images, written, archived, reports, [3, 4, 5])


def test_equal_reports_agree_fully() -> None:
    assert mutual(np.repeat(unit(1), 5, axis=0)) == pytest.approx(1.0)


def test_a_patient_is_on_one_side_only() -> None:
    half = caption_confidence.halves(PATIENTS)
    assert half.sum() == 100
    assert (half[0::2] == half[1::2]).all()


def test_an_informative_signal_is_usable_and_noise_is_not() -> None:
    right = RNG.random(200) < 0.3
    weights = scores.resamples(PATIENTS, 200)
    half = caption_confidence.halves(PATIENTS)
    informative = right + RNG.standard_normal(200)
    found, probability = caption_confidence.judge({"informative": informative}, right, half, weights)
    assert found["usable"] == ["informative", "together"]
    assert found["brier"] < found["brier_of_the_share"]
    assert probability[right].mean() > probability[~right].mean()
    nothing, _ = caption_confidence.judge({"noise": RNG.standard_normal(200)}, right, half, weights)
    assert nothing["usable"] == []


def test_no_draft_is_evaluated_by_a_regression_fitted_on_it() -> None:
    half = caption_confidence.halves(PATIENTS)
    right = RNG.random(200) < 0.3
    features = RNG.standard_normal((200, 1))
    before = caption_confidence.cross_fitted(features, right, half)
    flipped = right.copy()
    flipped[half] = ~right[half]
    after = caption_confidence.cross_fitted(features, flipped, half)
    np.testing.assert_array_equal(before[half], after[half])
    assert (before[~half] != after[~half]).any()


def test_the_area_agrees_with_counting_pairs() -> None:
    right, values = np.array([True, False, True, False]), np.array([0.9, 0.1, 0.4, 0.5])
    found = caption_confidence.auroc(right, values, np.ones((3, 4)))
    assert found == {"value": 0.75, "low": 0.75, "high": 0.75}


def test_the_term_f1_of_a_draft_counts_negation() -> None:
    found = caption_confidence.term_f1(["pleural effusion", "no effusion", "nothing"], ["effusion"] * 3)
    assert found[0] > found[1] == found[2] == 0.0


def test_the_section_says_if_no_confidence_may_be_shown(tmp_path: Path) -> None:
    right = RNG.random(200) < 0.3
    weights, half = scores.resamples(PATIENTS, 50), caption_confidence.halves(PATIENTS)
    figures: dict[str, object] = {"captions": 200, "patients": 100}
    for name, values in (("captioner", RNG.standard_normal(200)), ("nearest_report", right + RNG.standard_normal(200))):
        figures[name], _ = caption_confidence.judge({"agreement": values}, right, half, weights)
    assert "Confidences that may be shown: nearest training report: agreement, together" in caption_confidence.section(
        figures
    )
    del figures["nearest_report"]
    assert "None meets this" in caption_confidence.section(figures)


def test_the_plot_has_parts_of_equal_size_and_honest_intervals(tmp_path: Path) -> None:
    probability, right = RNG.random(60), RNG.random(60) < 0.5
    parts = caption_reliability.bins(probability, right)
    assert [size for *_, size in parts] == [10] * 6
    assert [mean for mean, *_ in parts] == sorted(mean for mean, *_ in parts)
    low, high = caption_reliability.wilson(0.5, 10)
    assert low == pytest.approx(0.2366, abs=1e-3)
    assert high == pytest.approx(0.7634, abs=1e-3)
    caption_reliability.draw(tmp_path / "r.png", {"captioner": (probability, right)})
    with Image.open(tmp_path / "r.png") as plot:
        assert plot.size[0] > 500
