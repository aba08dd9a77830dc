"""A draft says how sure it is, what supports it, and never repeats training text."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from engine.archive import Archive, NewCase
from engine.errors import Cancelled
from engine.report import NOTICE, draft, with_notice

Make = Callable[..., NewCase]
GRAY = np.full((8, 8), 90, np.uint8)
GRAY[2:4] = 200


@pytest.fixture
def filled(archive: Archive, make_case: Make) -> Archive:
    for n, text in enumerate(
        [
            "There is a large left effusion today. Ribs intact.",
            "There is a large right effusion.",
            "There is no large left effusion.",
            "No pneumothorax.",
            "Large pneumothorax.",
            "Fracture of the femur.",
        ]
    ):
        archive.add_case(make_case(f"1.{n}", text))
    return archive


def test_evidence_is_similar_wording_without_contradiction(filled: Archive, encoder) -> None:
    first, second = draft(encoder, filled, GRAY).sentences
    assert first.text == "There is a large left effusion."
    assert [(one.case_id, one.text) for one in first.evidence] == [(1, "There is a large left effusion today.")]
    assert first.supported
    assert [one.case_id for one in second.evidence] == [4]


def test_evidence_below_the_threshold_leaves_a_sentence_unsupported(filled: Archive, encoder) -> None:
    encoder.caption_text = "Calcified granuloma of the spleen."
    only = draft(encoder, filled, GRAY).sentences[0]
    assert only.evidence == ()
    assert not only.supported


def test_the_studys_own_archived_report_is_no_evidence(filled: Archive, encoder) -> None:
    made = draft(encoder, filled, GRAY, exclude_study="1.0")
    assert not made.sentences[0].supported
    assert made.study_uid == "1.0"


def test_confidence_comes_from_the_token_probabilities(encoder) -> None:
    made = draft(encoder, None, GRAY)
    logs = [-0.3, -0.1, -0.3, -0.1, -0.3, -0.1, -0.3]  # seven tokens of the first sentence in the test double
    assert made.sentences[0].confidence == pytest.approx(math.exp(sum(logs) / 7))
    assert not any(sentence.supported for sentence in made.sentences)


def test_a_sentence_that_repeats_training_text_is_left_out_and_said_so(filled: Archive, encoder) -> None:
    encoder.training_text = "There is a large left effusion."
    made = draft(encoder, filled, GRAY)
    assert made.text == "No pneumothorax."
    assert made.suppressed == 1
    assert "repeated training text" in made.note


def test_without_words_of_its_own_the_draft_starts_from_the_nearest_report(filled: Archive, encoder) -> None:
    encoder.caption_text = ""
    made = draft(encoder, filled, GRAY)
    nearest = made.sentences[0]
    assert nearest.text
    assert nearest.confidence is None
    assert made.model.startswith("nearest report")
    assert "are from the report of case" in made.note


def test_without_words_and_without_an_archive_there_is_no_draft(encoder) -> None:
    encoder.caption_text = ""
    made = draft(encoder, None, GRAY)
    assert (made.sentences, made.text) == ((), "")


def test_a_draft_can_be_stopped(filled: Archive, encoder) -> None:
    with pytest.raises(Cancelled):
        draft(encoder, filled, GRAY, cancelled=lambda: True)


def test_what_leaves_kindred_says_what_it_is(filled: Archive, encoder) -> None:
    made = draft(encoder, filled, GRAY)
    assert with_notice(made.text).rstrip().endswith(f"({NOTICE})")
    document = made.as_dict()
    assert document["notice"] == NOTICE
    assert document["sentences"][0]["evidence"] == [1]
    assert document["text"] == made.text
