"""Text is split into sentences, and token probabilities are mapped to them."""

import math

import pytest

from engine.text.sentences import restore_formatting, sentence_confidences, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No effusion. Heart normal.", ["No effusion.", "Heart normal."]),
        ("A 2.5 cm mass (arrow). Next!", ["A 2.5 cm mass (arrow).", "Next!"]),
        ("Seen by Dr. Who, e.g. on CT. Done.", ["Seen by Dr. Who, e.g. on CT.", "Done."]),
        ("Findings:\n\nClear lungs\n\nNo mass.", ["Findings:", "Clear lungs", "No mass."]),
        ("no full stop", ["no full stop"]),
        (" . ", []),
        ("", []),
    ],
)
def test_text_splits_into_its_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_confidence_is_the_geometric_mean_of_a_sentences_tokens() -> None:
    tokens = ["no", "eff", "##usion", ".", "heart", "normal", "."]
    log_probs = [math.log(p) for p in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)]
    first, second = sentence_confidences(["No effusion.", "Heart normal."], tokens, log_probs)
    assert first == pytest.approx((0.9 * 0.8 * 0.7 * 0.6) ** (1 / 4))
    assert second == pytest.approx((0.5 * 0.4 * 0.3) ** (1 / 3))


def test_a_sentence_without_tokens_has_no_confidence() -> None:
    assert sentence_confidences(["No effusion."], [], []) == [0.0]


@pytest.mark.parametrize(
    ("decoded", "written"),
    [
        ("non - productive cough. no fever.", "Non-productive cough. No fever."),
        ("a 72 - year - old man ( arrow ), l4 / l5, 20 % stenosis", "A 72-year-old man (arrow), l4/l5, 20% stenosis"),
        ("", ""),
    ],
)
def test_decoded_text_gets_spacing_and_capitals(decoded: str, written: str) -> None:
    assert restore_formatting(decoded) == written
