"""Score scale per kind of pair."""

import numpy as np
import pytest

from engine.errors import UserError
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
