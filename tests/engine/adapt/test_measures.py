"""Figures before and after, against those of the training; and the rule by which adapted heads are kept."""

from dataclasses import replace

import numpy as np
import pytest

from engine.adapt import measures, table
from engine.adapt.compare import Change, Comparison, against, compare
from engine.adapt.measures import Embedded
from training.metrics import gap as of_training
from training.metrics import ranking, retrieval, zero_shot


def embedded(seed: int, near: float, shift: float = 0.0, count: int = 120) -> Embedded:
    """Pairs whose texts are `near` times the image plus noise, and lie `shift` away."""
    rng = np.random.default_rng(seed)
    images = rng.standard_normal((count, 24))
    text_of = np.arange(count) // 2 * 2 // 2  # two images of each text
    texts = near * images[::2] + rng.standard_normal((count // 2, 24)) + shift
    unit = [(rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32) for rows in (images, texts)]
    return Embedded(unit[0], unit[1], text_of, np.arange(count) // 4)


def test_gap_floor_recall_and_chance_are_those_of_the_training() -> None:
    pairs = embedded(1, 1.0, 0.3)
    apart, floor = measures.gap(pairs)
    assert apart[0] == pytest.approx(of_training.gap(pairs.images, pairs.paired), rel=1e-6)
    expected = of_training.gap_floor(pairs.images, pairs.paired, pairs.persons, 4000)
    assert floor[0] == pytest.approx(expected, rel=0.03)
    own = pairs.text_of[:, None] == np.arange(len(pairs.texts))[None]
    scores = pairs.images @ pairs.texts.T
    to_text, to_image = measures.hits(pairs)
    assert to_text.mean() == ranking.recall_at(scores, own, 10)
    assert to_image.mean() == ranking.recall_at(scores.T, own.T, 10)
    by_chance = measures.chance(pairs)
    assert by_chance[0] == pytest.approx(retrieval.chance_recall(own, 10))
    assert by_chance[1] == pytest.approx(retrieval.chance_recall(own.T, 10))


def test_a_resample_of_patients_is_the_gap_of_the_rows_drawn() -> None:
    pairs = embedded(2, 1.0, 0.3)
    times = np.random.default_rng(0).multinomial(30, np.full(30, 1 / 30), 3).astype(float)
    apart, _ = measures.gap(pairs, times)
    for drawn, found in zip(times, apart, strict=True):
        rows = np.repeat(np.arange(120), drawn[pairs.persons].astype(int))
        assert found == pytest.approx(of_training.gap(pairs.images[rows], pairs.paired[rows]), rel=1e-6)


def test_auroc_is_that_of_the_training_with_ties() -> None:
    scores, positive = np.array([0.1, 0.4, 0.4, 0.9, 0.2]), np.array([False, True, False, True, False])
    assert measures.auroc(scores, positive) == pytest.approx(zero_shot.auroc(scores, positive))


def test_findings_are_what_reports_affirm_and_rare_ones_are_not_measured() -> None:
    reports = ["Small pleural effusion."] * 5 + ["No effusion. The heart is normal."] * 5 + ["A nodule."]
    assert measures.findings_of(reports).keys() == {"effusion"}
    assert measures.findings_of(reports)["effusion"].tolist() == [True] * 5 + [False] * 6


def compared(before: Embedded, after: Embedded) -> Comparison:
    return compare(before, after)


def test_heads_that_find_more_are_better_and_the_same_are_not() -> None:
    far, near = embedded(3, 0.0), embedded(3, 2.0)
    assert against(compared(far, near), None) == []
    assert "neither recall@10 nor the gap is clearly better" in against(compared(near, near), None)[0]
    worse = against(compared(near, far), None)
    assert any("recall@10 falls by" in reason for reason in worse)


def test_a_smaller_gap_alone_is_better_and_a_larger_one_is_not() -> None:
    apart, together = embedded(4, 1.0, 1.0), embedded(4, 1.0)
    assert compared(apart, together).over_floor.high < 0
    assert not any("gap" in reason and "grows" in reason for reason in against(compared(apart, together), None))
    assert any("the gap over its floor grows" in reason for reason in against(compared(together, apart), None))


def test_what_is_lost_on_other_sources_is_a_reason_against() -> None:
    own = compared(embedded(3, 0.0), embedded(3, 2.0))
    lost = replace(own, recall=Change(-0.04, -0.06, -0.02))
    assert against(own, lost) == ["recall@10 on other sources falls by 4.0 points"]
    assert against(own, replace(own, recall=Change(-0.005, -0.009, -0.001))) == []
    assert against(own, replace(own, recall=Change(-0.03, -0.07, 0.01))) == []


def test_the_table_shows_before_after_difference_and_chance() -> None:
    own = compared(embedded(3, 0.0), embedded(3, 2.0))
    lines = table.plain(own, own)
    assert lines[0].split() == ["before", "after", "difference", "(95%", "interval)", "chance"]
    assert any(line.startswith("gap over its floor") for line in lines)
    assert table.markdown(own, None).startswith("| 120 held-out images of 30 patients, 60 reports | before |")
