"""Scores of captions against values computed by hand or from the formulas of the papers."""

import math
from collections import Counter

import numpy as np
import pytest

from training.captions.scores import (
    NAMES,
    averaged,
    copying,
    in_percent,
    measure,
    most_frequent,
    nearest,
    resamples,
    scores,
    spaced,
    with_intervals,
)

REPORTS = ["The heart is enlarged with a small effusion.", "No focal consolidation is seen in either lung."]


def value(written: list[str], references: list[str], name: str) -> float:
    return float(scores(measure(written, references))[name][0])


def plain_cider_d(written: list[str], references: list[str]) -> list[float]:
    """CIDEr-D from equations 1 to 4 of arXiv 1411.5726 and its section on CIDEr-D, one reference per caption."""

    def grams(text: str, n: int) -> Counter[tuple[str, ...]]:
        words = spaced(text).split()
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    results = []
    for candidate, reference in zip(written, references):
        total = 0.0
        for n in range(1, 5):
            seen = Counter(gram for text in references for gram in grams(text, n))
            documents = {gram: sum(gram in grams(text, n) for text in references) for gram in seen}

            def weighted(
                counts: Counter[tuple[str, ...]], documents: dict[tuple[str, ...], int] = documents
            ) -> dict[tuple[str, ...], float]:
                return {g: c * math.log(len(references) / max(1, documents.get(g, 0))) for g, c in counts.items()}

            a, b = weighted(grams(candidate, n)), weighted(grams(reference, n))
            lengths = math.sqrt(sum(v * v for v in a.values())) * math.sqrt(sum(v * v for v in b.values()))
            dot = sum(min(v, b.get(g, 0.0)) * b.get(g, 0.0) for g, v in a.items())
            apart = sum(grams(candidate, 2).values()) - sum(grams(reference, 2).values())
            total += math.exp(-(apart**2) / 72.0) * (dot / lengths if lengths else 0.0) / 4
        results.append(10.0 * total)
    return results


def test_captions_that_equal_the_report_have_the_highest_scores() -> None:
    found = scores(measure(REPORTS, REPORTS))
    for name in ("bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "chrf", "term_f1"):
        assert found[name][0] == pytest.approx(1.0), name
    assert found["cider"][0] == pytest.approx(10.0)
    swapped = scores(measure(REPORTS[::-1], REPORTS))
    assert all(swapped[name][0] < 0.4 for name in NAMES)


def test_bleu_of_one_and_two_words_by_hand() -> None:
    # Four of five words and two of four pairs of words match, and both texts have five words.
    written, report = ["large mass in left lung"], ["large mass of left lung"]
    assert value(written, report, "bleu1") == pytest.approx(4 / 5)
    assert value(written, report, "bleu2") == pytest.approx(math.sqrt(4 / 5 * 2 / 4))
    # Three of three words match, but the report has six: brevity costs exp(1 - 6 / 3).
    assert value(["a small effusion"], ["a small effusion is seen today"], "bleu1") == pytest.approx(math.exp(-1))


def test_bleu_is_counted_over_the_corpus_and_not_averaged() -> None:
    written, reports = ["mass", "no effusion is seen in the lung"], ["node", "no effusion is seen in the lung"]
    assert value(written, reports, "bleu1") == pytest.approx(7 / 8)


def test_rouge_l_by_hand() -> None:
    # The longest common subsequence has three words of four and of six.
    assert value(["mass in the lung"], ["mass seen in left lower lung"], "rouge_l") == pytest.approx(0.6)


def test_cider_d_is_that_of_the_paper() -> None:
    written = ["a large mass in the left lobe", "no effusion is seen", "the the the mass mass", "normal heart size"]
    reports = ["a large mass is seen in the left kidney", "no effusion", "the mass is large", "the heart is enlarged"]
    found = measure(written, reports).means["cider"]
    np.testing.assert_allclose(found, plain_cider_d(written, reports), rtol=1e-9)
    assert found.max() > 1.0


def test_term_scores_by_hand() -> None:
    written = ["No effusion. There is a mass.", "Effusion."]
    reports = ["No effusion. Edema and a mass.", "No effusion."]
    # Right: no effusion, mass. Wrong: effusion. Missed: edema, and that there is no effusion.
    found = scores(measure(written, reports))
    assert found["term_precision"][0] == pytest.approx(2 / 3)
    assert found["term_recall"][0] == pytest.approx(2 / 4)
    assert found["term_f1"][0] == pytest.approx(4 / 7)


def test_shares_are_means_and_unknown_copies_stay_unknown() -> None:
    written = ["a 40 - year - old man with a mass", "a mass"]
    assert value(written, written, "history") == 0.5
    assert math.isnan(value(written, written, "copied"))
    assert scores(measure(written, written, [True, False]))["copied"][0] == 0.5
    assert "copied" not in in_percent(measure(written, written), np.ones((2, 2)))


def test_a_sample_of_one_caption_has_the_scores_of_that_caption() -> None:
    written = ["a small effusion", "mass in the left lung"]
    sampled = scores(measure(written, REPORTS), np.array([[3.0, 0.0], [0.0, 1.0]]))
    for index in range(2):
        alone = scores(measure(written[index : index + 1], REPORTS[index : index + 1]))
        for name in ("bleu1", "bleu2", "rouge_l", "chrf", "term_f1"):
            assert sampled[name][index] == pytest.approx(alone[name][0]), name


def test_intervals_draw_whole_groups() -> None:
    weights = resamples(["a", "a", "b"], draws=50)
    assert np.array_equal(weights[:, 0], weights[:, 1])
    assert set((weights[:, 0] + weights[:, 2]).tolist()) == {2.0}
    found = with_intervals(measure(REPORTS, REPORTS[::-1]), resamples(["a", "b"]))
    assert found["bleu1"]["low"] <= found["bleu1"]["value"] <= found["bleu1"]["high"]


def test_two_seeds_count_as_their_mean() -> None:
    first, second = measure(["mass"], ["mass"]), measure(["node"], ["mass"])
    both = scores(averaged([first, second]))
    assert both["bleu1"][0] == pytest.approx(0.5)
    assert both["rouge_l"][0] == pytest.approx(0.5)


def test_baselines_return_the_nearest_and_the_most_frequent_report() -> None:
    assert nearest(np.eye(2), np.eye(2)[::-1], ["a", "b"]) == ["b", "a"]
    assert most_frequent(["x", "y", "y", "x", "y"]) == "y"


def test_copies_of_eight_words_are_found() -> None:
    training = ["one two three four five six seven eight nine ten"]
    written = ["zero two three four five six seven eight nine", "one two three four five six seven", "other"]
    assert copying(written, training) == [True, False, False]
