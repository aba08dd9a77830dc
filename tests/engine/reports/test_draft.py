"""Drafts list their evidence, show only calibrated confidence, and never repeat training text."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from engine.archive import Archive
from engine.cli.output import draft_lines
from engine.errors import Cancelled
from engine.models.confidence import DraftSettings
from engine.models.familiarity import BLANK, OUTSIDE, FamiliarityModel
from engine.reports.draft import NOTICE, draft, with_notice
from engine.store.case import NewCase

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


def test_a_report_about_another_kind_of_examination_is_not_evidence(archive: Archive, encoder, make_case: Make) -> None:
    archive.add_case(make_case("1.0", "There is a large left effusion on CT."))
    assert draft(encoder, archive, GRAY, modality="CT").sentences[0].supported
    assert not draft(encoder, archive, GRAY, modality="CR").sentences[0].supported


def test_the_archived_report_of_the_study_is_not_evidence(filled: Archive, encoder) -> None:
    made = draft(encoder, filled, GRAY, exclude_study="1.0")
    assert not made.sentences[0].supported
    assert made.study_uid == "1.0"


def test_an_uncalibrated_confidence_is_not_shown(filled: Archive, encoder) -> None:
    own = draft(encoder, None, GRAY)
    nearest_first(encoder)
    offered = draft(encoder, filled, GRAY)
    encoder.draft_settings = DraftSettings(abstain_below=0.99)
    unsure = draft(encoder, filled, GRAY)
    assert offered.offered
    for made in (own, offered, unsure):
        document = made.as_dict()
        assert not document["confidence_is_calibrated"]
        assert [one["confidence"] for one in [*document["sentences"], *document["offered"]] if one["confidence"]] == []
        assert "%" not in "\n".join([*draft_lines(made), made.note])


def test_without_an_archive_no_sentence_is_supported(encoder) -> None:
    assert not any(sentence.supported for sentence in draft(encoder, None, GRAY).sentences)


def test_a_sentence_that_repeats_training_text_is_removed_and_noted(filled: Archive, encoder) -> None:
    encoder.training_text = "There is a large left effusion."
    made = draft(encoder, filled, GRAY)
    assert made.text == "No pneumothorax."
    assert made.suppressed == 1
    assert made.note == "1 sentence repeating training text was left out."


def test_without_a_caption_the_draft_starts_from_the_nearest_report(filled: Archive, encoder) -> None:
    encoder.caption_text = ""
    made = draft(encoder, filled, GRAY)
    nearest = made.sentences[0]
    assert nearest.text
    assert nearest.confidence is None
    assert made.model.startswith("nearest report")
    assert f"Text copied from case {nearest.source} (another patient): best match by wording." in made.note


def nearest_first(encoder, **more: float) -> None:
    encoder.draft_settings = DraftSettings("nearest-report", **more)


def test_a_bundle_may_start_from_the_nearest_report_and_offer_the_caption(filled: Archive, encoder) -> None:
    nearest_first(encoder)
    made = draft(encoder, filled, GRAY)
    assert made.start is not None
    assert [sentence.source for sentence in made.sentences] == [made.start.case_id] * len(made.sentences)
    assert [sentence.text for sentence in made.offered] == ["There is a large left effusion.", "No pneumothorax."]
    assert made.offered[0].text not in made.text
    document = made.as_dict()
    assert document["start"]["case_id"] == made.start.case_id
    assert document["sentences"][0]["source"] == made.start.case_id
    assert document["offered"][0]["text"] == made.offered[0].text


def test_the_report_a_sentence_was_copied_from_is_not_evidence_for_it(filled: Archive, encoder) -> None:
    nearest_first(encoder)
    for sentence in draft(encoder, filled, GRAY).sentences:
        assert sentence.source not in [one.case_id for one in sentence.evidence]


def test_sentences_about_history_age_or_earlier_examinations_are_not_copied(
    archive: Archive, encoder, make_case: Make
) -> None:
    nearest_first(encoder)
    text = "A 44-year-old woman with cough. There is a large left effusion. It has increased since the prior study."
    archive.add_case(make_case("1.0", text))
    made = draft(encoder, archive, GRAY)
    assert made.text == "There is a large left effusion."
    assert made.note.endswith("2 sentences about history, age or other examinations were left out.")


def test_a_report_with_only_history_is_skipped(archive: Archive, encoder, make_case: Make) -> None:
    nearest_first(encoder)
    archive.add_case(make_case("1.0", "A 44-year-old woman with cough.", seeds=(1,)))
    archive.add_case(make_case("1.1", "There is a large left effusion."))
    picture = archive.image(archive.case(1).images[0].image_id)
    made = draft(encoder, archive, picture)
    assert made.start is not None
    assert (made.start.case_id, made.start.skipped_reports) == (2, 1)
    assert made.note.endswith(
        "(another patient): most similar report with image findings; "
        "1 more similar report without image findings was skipped."
    )


def test_sentences_about_another_kind_of_examination_are_not_copied(archive: Archive, encoder, make_case: Make) -> None:
    nearest_first(encoder)
    archive.add_case(make_case("1.0", "Chest CT shows a tension pneumothorax. There is a large left effusion."))
    assert draft(encoder, archive, GRAY, modality="CR").text == "There is a large left effusion."
    assert draft(encoder, archive, GRAY, modality="CT").text.startswith("Chest CT")


def test_neither_the_study_nor_its_patient_starts_or_supports_a_draft(
    archive: Archive, encoder, make_case: Make
) -> None:
    nearest_first(encoder)
    archive.add_case(make_case("1.0", "There is a large left effusion."))
    archive.add_case(make_case("1.1", "There is a large left effusion.", patient="H-1"))
    made = draft(encoder, archive, GRAY, exclude_study="1.0", patient="H-1")
    assert made.start is None
    assert not any(sentence.supported for sentence in made.sentences)
    archive.add_case(make_case("1.2", "There is a large left effusion.", patient="H-2"))
    made = draft(encoder, archive, GRAY, exclude_study="1.0", patient="H-1")
    assert made.start is not None
    assert made.start.case_id == 3


def test_near_reports_that_contradict_a_sentence_are_listed(archive: Archive, encoder, make_case: Make) -> None:
    nearest_first(encoder)
    archive.add_case(make_case("1.0", "Large left effusion.", seeds=(1,)))
    archive.add_case(make_case("1.1", "No effusion."))
    archive.add_case(make_case("1.2", "Large right effusion."))
    picture = archive.image(archive.case(1).images[0].image_id)
    sentence = draft(encoder, archive, picture).sentences[0]
    assert sentence.source == 1
    assert {(one.case_id, one.kind) for one in sentence.contradictions} == {(2, "negation"), (3, "laterality")}


def test_confidence_follows_the_calibration_of_the_bundle(encoder) -> None:
    encoder.draft_settings = DraftSettings(slope=2.0, intercept=0.5)
    raw = math.exp(-(4 * 0.3 + 3 * 0.1) / 7)
    made = draft(encoder, None, GRAY)
    assert made.calibrated
    confidence = 1 / (1 + math.exp(-(2.0 * math.log(raw) + 0.5)))
    assert made.sentences[0].confidence == pytest.approx(confidence)
    assert draft_lines(made)[0] == f"There is a large left effusion. [{confidence:.0%}]"


def test_a_caption_with_low_confidence_is_not_shown(filled: Archive, encoder) -> None:
    encoder.draft_settings = DraftSettings(abstain_below=0.99)
    made = draft(encoder, filled, GRAY)
    assert (made.sentences, made.abstained) == ((), "unsure")
    assert made.note == "The model's confidence is too low for a draft."
    encoder.draft_settings = DraftSettings(abstain_below=0.01)
    assert draft(encoder, filled, GRAY).sentences


def test_a_caption_with_low_confidence_is_not_offered_beside_the_nearest_report(filled: Archive, encoder) -> None:
    nearest_first(encoder, abstain_below=0.99)
    made = draft(encoder, filled, GRAY)
    assert made.sentences
    assert made.offered == ()


def test_an_unfamiliar_image_gets_no_draft(filled: Archive, encoder) -> None:
    directions = np.zeros((1, encoder.dim), np.float32)
    encoder.familiarity = FamiliarityModel(np.zeros(encoder.dim, np.float32), directions, threshold=0.5)
    made = draft(encoder, filled, GRAY)
    assert (made.text, made.abstained, made.note) == ("", "unfamiliar", OUTSIDE)
    assert made.as_dict()["look"] == {"familiar": False, "notice": OUTSIDE, "score": pytest.approx(2.0)}


def test_a_blank_image_gets_no_draft_from_any_bundle(filled: Archive, encoder) -> None:
    made = draft(encoder, filled, np.full((9, 9), 40, np.uint8))
    assert (made.text, made.abstained, made.note) == ("", "blank", BLANK)


def test_without_a_caption_and_without_an_archive_there_is_no_draft(encoder) -> None:
    encoder.caption_text = ""
    made = draft(encoder, None, GRAY)
    assert (made.sentences, made.text) == ((), "")


def test_a_draft_can_be_cancelled(filled: Archive, encoder) -> None:
    with pytest.raises(Cancelled):
        draft(encoder, filled, GRAY, cancelled=lambda: True)


def test_exported_drafts_carry_the_research_notice(filled: Archive, encoder) -> None:
    made = draft(encoder, filled, GRAY)
    assert with_notice(made.text).rstrip().endswith(f"({NOTICE})")
    document = made.as_dict()
    assert document["notice"] == NOTICE
    assert document["sentences"][0]["evidence"] == [1]
    assert document["text"] == made.text
