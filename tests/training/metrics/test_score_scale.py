"""Score scale per kind of pair, and the cosine from which one sentence counts as evidence for another."""

import numpy as np
import pytest

from engine.errors import UserError
from engine.text.sentences import sentences
from training.metrics import score_scale
from training.metrics.retrieval import other_share, scaled_scores


def test_the_score_scale_agrees_with_plain_loops_over_unrelated_pairs() -> None:
    rng = np.random.default_rng(0)
    cosines = rng.normal(size=(36, 36))
    cosines = (cosines + cosines.T) / 2
    is_text = np.array([False] * 20 + [True] * 16)
    group = np.array([0, 0, *range(18), 0, 1, 2, *range(20, 33)])
    found = score_scale.from_cosines(cosines, is_text, group[:, None] == group[None, :])
    for name, texts in (("image-image", 0), ("image-report", 1), ("report-report", 2)):
        values = [
            cosines[i, j]
            for i in range(36)
            for j in range(i + 1, 36)
            if group[i] != group[j] and int(is_text[i]) + int(is_text[j]) == texts
        ]
        position = 0.99 * (len(values) - 1)  # linear between the two values around it
        below, above = sorted(values)[int(position)], sorted(values)[min(int(position) + 1, len(values) - 1)]
        tail = below + (position - int(position)) * (above - below) - np.mean(values)
        assert found[name] == {"mean": pytest.approx(np.mean(values)), "std": pytest.approx(tail / 2.3263, rel=1e-4)}


def test_a_kind_with_too_few_unrelated_pairs_gets_the_score_scale_of_all_kinds_together(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Twenty patients whose reports are one of two stock texts."""
    rng = np.random.default_rng(0)
    cosines = rng.normal(size=(22, 22)) * 0.1
    is_text = np.array([False] * 20 + [True] * 2)
    groups = np.concatenate([np.eye(20, dtype=bool), np.arange(20) % 2 == np.arange(2)[:, None]])
    found = score_scale.from_cosines(cosines, is_text, groups @ groups.T)
    unrelated = cosines[np.triu(~(groups @ groups.T), 1)]
    assert found["report-report"]["mean"] == pytest.approx(unrelated.mean())
    assert found["report-report"]["std"] == pytest.approx(0.1, rel=0.3)
    assert found["image-image"]["mean"] == pytest.approx(cosines[:20, :20][np.triu_indices(20, 1)].mean())
    assert "1 unrelated report-report pairs are too few" in caplog.text


def test_the_deviation_that_search_divides_by_is_never_zero() -> None:
    is_text = np.repeat([False, True], 20)
    found = score_scale.from_cosines(np.full((40, 40), 0.5), is_text, np.eye(40, dtype=bool))
    assert all(entry == {"mean": 0.5, "std": 0.01} for entry in found.values())


def test_items_of_a_single_group_have_no_score_scale() -> None:
    with pytest.raises(UserError, match="at least two split_groups"):
        score_scale.from_cosines(np.eye(4), np.array([False, False, True, True]), np.ones((4, 4), bool))


def test_two_kinds_with_equal_means_and_unequal_tails_are_ranked_equally_often() -> None:
    """With the standard deviation, the kind with the heavier tail would be favoured."""
    rng = np.random.default_rng(0)
    count = 300
    is_text = np.repeat([False, True], count)
    cosines = rng.normal(0.0, 0.1, (2 * count, 2 * count))
    images = cosines[:count, :count]
    images[:] = rng.standard_t(4, (count, count)) * 0.1
    scale = score_scale.from_cosines(cosines, is_text, np.eye(2 * count, dtype=bool))
    scores = scaled_scores(cosines, is_text, is_text, scale)
    share = other_share(scores[:count], is_text[:count], is_text, k=6)
    plain = {kind: {"mean": 0.0, "std": 0.1} for kind in scale} | {
        "image-image": {"mean": 0.0, "std": float(images.std())}
    }
    before = other_share(scaled_scores(cosines, is_text, is_text, plain)[:count], is_text[:count], is_text, k=6)
    assert before.mean() < 0.43
    assert abs(share.mean() - 0.5) < 0.05


def grouped(noise: float) -> tuple[np.ndarray, list[int], list[str], list[str]]:
    """30 groups of 3 texts with one sentence each, near the direction of their group, each with its own wording."""
    rng = np.random.default_rng(1)
    centers = np.repeat(rng.normal(size=(30, 16)), 3, axis=0)
    rows = centers + noise * rng.normal(size=centers.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows, list(range(90)), [f"g{i // 3}" for i in range(90)], [f"sentence {i}" for i in range(90)]


def test_pairs_above_the_threshold_have_the_stated_precision() -> None:
    rows, texts, groups, wordings = grouped(0.5)
    found = score_scale.evidence_threshold(rows, texts, groups, wordings, precision=0.8)
    above = [
        groups[i] == groups[j]
        for i in range(90)
        for j in range(i + 1, 90)
        if float(rows[i] @ rows[j]) >= found.threshold - 1e-12
    ]
    assert len(above) == found.pairs
    assert np.mean(above) == pytest.approx(found.precision)
    assert found.precision >= 0.8
    assert found.chance == pytest.approx(90 / (90 * 89 / 2))
    stricter = score_scale.evidence_threshold(rows, texts, groups, wordings, precision=0.95)
    assert stricter.threshold > found.threshold


def test_the_most_precise_threshold_is_used_if_none_reaches_the_precision() -> None:
    rows, texts, groups, wordings = grouped(0.9)
    found = score_scale.evidence_threshold(rows, texts, groups, wordings, precision=0.9)
    assert 0.5 <= found.precision < 0.9
    assert found.pairs >= 20


def test_a_threshold_little_better_than_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="50% are needed"):
        score_scale.evidence_threshold(*grouped(30.0))


def test_sentences_of_one_text_are_not_compared() -> None:
    rows, _, groups, wordings = grouped(0.1)
    one_text_per_group = list(np.repeat(np.arange(30), 3))
    with pytest.raises(ValueError, match="only 0%"):
        score_scale.evidence_threshold(rows, one_text_per_group, groups, wordings)


def test_stock_sentences_of_many_patients_do_not_count_against_a_threshold() -> None:
    """Sixty more patients have the same sentence, so that its pairs are almost always of different groups."""
    rows, texts, groups, wordings = grouped(0.3)
    without = score_scale.evidence_threshold(rows, texts, groups, wordings)
    stock = np.repeat(-rows[:1], 60, axis=0)
    names = [f"stock {number}" for number in range(60)]
    found = score_scale.evidence_threshold(
        np.concatenate([rows, stock]), [*texts, *range(90, 150)], [*groups, *names], [*wordings, *["the same"] * 60]
    )
    assert (found.threshold, found.precision) == (without.threshold, without.precision)


def test_a_wording_counts_once_per_group_whatever_its_case_and_punctuation() -> None:
    embedded: list[str] = []

    def embed(sentences: list[str]) -> np.ndarray:
        embedded.extend(sentences)
        centers = np.random.default_rng(1).normal(size=(64, 16)).repeat(2, axis=0)[: len(sentences)]
        return centers / np.linalg.norm(centers, axis=1, keepdims=True)

    texts = ["The lungs are clear. The heart is large!", "the lungs are clear", *(f"Finding {i}." for i in range(44))]
    groups = ["a", "a", *(f"g{i // 2}" for i in range(44))]
    score_scale.report_evidence(texts, groups, embed)
    assert embedded == ["The lungs are clear.", "The heart is large!", *texts[2:]]
    with pytest.raises(ValueError, match="too few"):
        score_scale.report_evidence(texts[:2], ["a", "a"], embed)


def test_reports_are_split_into_sentences_as_in_the_application() -> None:
    embedded: list[str] = []

    def embed(sentences: list[str]) -> np.ndarray:
        embedded.extend(sentences)
        return np.eye(len(sentences))

    with pytest.raises(ValueError, match="too few"):
        score_scale.report_evidence(["Seen by Dr. Smith; size 2.5 cm. Normal."], ["a"], embed)
    assert embedded == sentences("Seen by Dr. Smith; size 2.5 cm. Normal.")
