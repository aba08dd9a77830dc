"""A draft holds only what independent near reports agree on; otherwise one line says why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from engine.archive import Archive
from engine.cli.output import draft_lines
from engine.errors import Cancelled
from engine.facts.fact import Fact, Facts
from engine.models.confidence import DraftSettings
from engine.models.familiarity import BLANK, OUTSIDE, FamiliarityModel
from engine.reports.draft import NOTICE, Draft, draft, with_notice
from engine.store.case import NewCase
from tests.engine.models.test_burned_in import CT, left, picture, written

Make = Callable[..., NewCase]
GRAY = np.full((8, 8), 90, np.uint8)
GRAY[2:4] = 200
EFFUSION = "There is a large left effusion."
CHEST: Facts = {"modality": Fact("CR", "header"), "region": Fact("chest", "header")}
HIP: Facts = {"modality": Fact("CR", "header"), "region": Fact("limb", "header")}


@pytest.fixture(autouse=True)
def anything_is_near(encoder) -> None:
    encoder.draft_settings = DraftSettings(near=-100.0, share=0.0)


def fill(archive: Archive, make_case: Make, texts: Sequence[str], facts: Facts = CHEST) -> None:
    for n, text in enumerate(texts):
        archive.add_case(make_case(f"1.{n}", text, seeds=(n + 1,) if n == 0 else (), patient=f"P{n}", facts=facts))


def made(encoder, archive: Archive, **options: object) -> Draft:
    """A draft of the picture of case 1, which is therefore the nearest."""
    picture = archive.image(archive.case(1).images[0].image_id)
    return draft(encoder, archive, [picture], **options)  # type: ignore[arg-type]


def test_a_sentence_stands_in_a_draft_when_two_more_reports_have_its_finding(
    archive: Archive, encoder, make_case: Make
) -> None:
    fill(archive, make_case, [EFFUSION, "Pleural effusion on the left.", "Moderate left effusion. Clear right lung."])
    found = made(encoder, archive)
    assert found.text == EFFUSION
    assert sorted(one.case_id for one in found.sentences[0].evidence) == [2, 3]
    assert found.start is not None
    assert (found.start.case_id, found.sentences[0].source, found.silence, found.reason) == (1, 1, "", "")
    assert "Text copied from case 1 (another patient): most similar image." in found.note


def test_a_draft_is_made_from_the_picture_without_its_burned_in_text(
    archive: Archive, encoder, make_case: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(archive, make_case, [EFFUSION])
    seen: list[np.ndarray] = []
    embed = encoder.embed_images
    monkeypatch.setattr(encoder, "embed_images", lambda images: (seen.extend(images), embed(images))[1])
    burned, ink = written(picture(CT), "MUELLER^ANNA", (20, 12))
    draft(encoder, archive, [burned, burned // 2])
    assert [left(one, ink) for one in seen] == [0, 0]


@pytest.mark.folder  # the store makes no difference
@pytest.mark.parametrize(
    "others",
    [
        ["Large left effusion."],
        ["Large left effusion.", "Large left effusion."],
        ["Large left effusion.", "Large right effusion."],
        ["Large left effusion.", "No effusion."],
        ["Large left effusion.", "A large area with large left letters."],
        ["Large left effusion.", "Normal chest."],
    ],
    ids=["one report", "one text twice", "other side", "negated", "similar letters", "normal"],
)
def test_fewer_than_two_independent_reports_are_not_enough(
    archive: Archive, encoder, make_case: Make, others: list[str]
) -> None:
    fill(archive, make_case, [EFFUSION, *others])
    found = made(encoder, archive)
    assert (found.text, found.start, found.silence) == ("", None, "disagree")
    assert found.reason == "The nearest reports in this archive do not agree on a finding."


def test_a_sentence_about_the_other_side_of_the_image_is_not_copied(archive: Archive, encoder, make_case: Make) -> None:
    texts = [
        "Effusion of the right knee. Left knee with a fracture.",
        "Small effusion of the right knee. Fracture of the left knee.",
        "Right knee effusion, large. Left knee fracture.",
    ]
    fill(archive, make_case, texts, HIP)
    assert made(encoder, archive, facts=HIP).text == texts[0]
    left: Facts = {**HIP, "laterality": Fact("left", "header")}
    assert made(encoder, archive, facts=left).text == "Left knee with a fracture."


def test_a_recommended_examination_is_not_that_of_the_report(archive: Archive, encoder, make_case: Make) -> None:
    texts = ["Left effusion. Consider CT for further evaluation.", "Small left effusion.", "Large left effusion."]
    fill(archive, make_case, texts)
    found = made(encoder, archive, facts=CHEST)
    assert (found.text, found.start and found.start.case_id) == ("Left effusion.", 1)


def test_a_near_report_of_nothing_but_a_size_is_a_witness(archive: Archive, encoder, make_case: Make) -> None:
    fill(archive, make_case, ["No nodule.", "No pulmonary nodule.", "No nodule is seen."])
    assert made(encoder, archive).text == "No nodule."
    archive.add_case(make_case("2.0", "Nodule of 2 cm.", facts=CHEST))
    assert made(encoder, archive).silence == "disagree"


def test_two_reports_of_one_patient_are_one(archive: Archive, encoder, make_case: Make) -> None:
    archive.add_case(make_case("1.0", EFFUSION, seeds=(1,), patient="A", facts=CHEST))
    for n, (text, patient) in enumerate(
        [("Small left effusion.", "B"), ("Left effusion, tiny.", "B"), ("Effusion of the left side.", "A")]
    ):
        archive.add_case(make_case(f"2.{n}", text, patient=patient, facts=CHEST))
    assert made(encoder, archive).silence == "disagree"


def test_a_sentence_that_only_its_own_report_has_is_left_out_and_counted(
    archive: Archive, encoder, make_case: Make
) -> None:
    fill(archive, make_case, [f"{EFFUSION} Granuloma in the apex.", "Left effusion.", "Huge left effusion."])
    found = made(encoder, archive)
    assert found.text == EFFUSION
    assert found.note.endswith("1 sentence that the nearest reports do not agree on was left out.")


def test_normal_is_drafted_only_if_most_near_reports_are_normal(archive: Archive, encoder, make_case: Make) -> None:
    normal = ["Normal chest.", "Unremarkable chest radiograph.", "No acute abnormality. Lungs are clear."]
    fill(archive, make_case, normal)
    assert made(encoder, archive).text == "Normal chest."
    for n, text in enumerate(["Left effusion.", "Pneumonia.", "Rib fracture.", "Cardiomegaly."]):
        archive.add_case(make_case(f"2.{n}", text, facts=CHEST))
    assert made(encoder, archive).silence == "disagree"


def test_history_sizes_citations_and_figure_marks_are_not_copied(archive: Archive, encoder, make_case: Make) -> None:
    text = (
        "A 44-year-old woman with cough. Left effusion (arrow). Left effusion of 3 cm. "
        "Left effusion as in Smith et al. The effusion has increased since the prior study."
    )
    fill(archive, make_case, [text, "Small left effusion.", "Large left effusion."])
    found = made(encoder, archive)
    assert found.text == "Left effusion."
    assert found.note.endswith(
        "4 sentences about history, size, change, a person, the other side or another examination were left out."
    )


def test_a_name_that_was_archived_is_not_drafted(archive: Archive, encoder, make_case: Make) -> None:
    texts = [
        "Large left effusion, told Mme Lefèvre, 04 72 11 73 13. Cardiomegaly.",
        "Left effusion. Cardiomegaly.",
        "Left pleural effusion. Cardiomegaly.",
    ]
    fill(archive, make_case, texts)
    found = made(encoder, archive)
    assert found.text == "Cardiomegaly."
    assert "1 sentence about history, size, change, a person" in found.note


def test_reports_of_another_modality_or_region_are_neither_start_nor_evidence(
    archive: Archive, encoder, make_case: Make
) -> None:
    fill(archive, make_case, ["Hip with fracture.", "Fracture of the hip.", "Old hip fracture."], HIP)
    assert made(encoder, archive, facts=HIP).text == "Hip with fracture."
    found = made(encoder, archive, facts=CHEST)
    assert (found.text, found.silence) == ("", "other examinations")
    ct: Facts = {**HIP, "modality": Fact("CT", "header")}
    assert made(encoder, archive, facts=ct).silence == "other examinations"


def test_words_of_an_ultrasound_veto_a_draft_of_a_ct(archive: Archive, encoder, make_case: Make) -> None:
    texts = ["Ultrasound with a liver cyst.", "Sonography of a cyst of the liver.", "Liver cyst on ultrasound."]
    fill(archive, make_case, texts, {})
    assert made(encoder, archive).text == "Ultrasound with a liver cyst."
    assert made(encoder, archive, facts={"modality": Fact("CT", "header")}).silence == "other examinations"


def test_near_reports_of_different_examinations_start_nothing_when_the_image_says_neither(
    archive: Archive, encoder, make_case: Make
) -> None:
    fill(archive, make_case, ["Old fracture.", "Fracture.", "Displaced fracture."], HIP)
    assert made(encoder, archive).text == "Old fracture."
    archive.add_case(make_case("2.0", "Rib fracture.", facts=CHEST))
    assert made(encoder, archive).silence == "divided"
    assert made(encoder, archive, facts=HIP).text == "Old fracture."


def test_a_far_report_starts_nothing_and_the_line_says_what_is_known(
    archive: Archive, encoder, make_case: Make
) -> None:
    fill(archive, make_case, ["Hip with fracture.", "Hip, old fracture.", "Fracture of the hip."], HIP)
    encoder.draft_settings = DraftSettings(near=1000.0)
    found = made(encoder, archive, facts=HIP, body_part="HIP")
    assert found.silence == "far"
    assert found.reason == "Radiograph of the hip. Nothing in this archive is close enough to draft from."
    assert draft_lines(found) == [found.reason]
    document = found.as_dict()
    assert (document["text"], document["sentences"], document["start"]) == ("", [], None)
    assert document["reason"] == found.reason
    assert document["facts"]["region"] == {"value": "limb", "source": "header", "probability": 1.0}


def test_an_empty_archive_starts_nothing(archive: Archive, encoder) -> None:
    assert draft(encoder, archive, [GRAY]).silence == "far"


def test_without_an_archive_there_is_no_draft(encoder) -> None:
    found = draft(encoder, None, [GRAY], facts=HIP)
    assert (found.text, found.silence) == ("", "no archive")
    assert found.reason == "Radiograph of a limb. Open an archive to draft from its reports."


def test_neither_the_study_nor_its_patient_starts_or_supports_a_draft(
    archive: Archive, encoder, make_case: Make
) -> None:
    fill(archive, make_case, [EFFUSION, "Left effusion.", "Huge left effusion."])
    assert made(encoder, archive, exclude_study="1.0").text == ""
    assert made(encoder, archive, patient="P1").text == ""
    found = made(encoder, archive, exclude_study="9.9", patient="P9")
    assert (found.text, found.study_uid) == (EFFUSION, "9.9")


def test_near_reports_that_contradict_a_sentence_are_listed(archive: Archive, encoder, make_case: Make) -> None:
    agreeing = ["Large left effusion.", "Left effusion. Normal heart.", "Small left effusion.", "Tiny left effusion."]
    agreeing[3] += " No right effusion."
    fill(archive, make_case, [*agreeing, "No effusion.", "Small right effusion. Normal heart."])
    sentence = made(encoder, archive).sentences[0]
    assert {(one.case_id, one.kind) for one in sentence.contradictions} == {(5, "negation"), (6, "laterality")}
    assert sorted(one.case_id for one in sentence.evidence) == [2, 3, 4]


def test_the_captioner_adds_only_findings_that_near_reports_agree_on(
    archive: Archive, encoder, make_case: Make
) -> None:
    texts = [EFFUSION, "Left effusion. No pneumothorax.", "Huge left effusion without pneumothorax."]
    fill(archive, make_case, texts)
    encoder.caption_text = "There is a large left effusion. No pneumothorax. Fracture of the femur."
    assert made(encoder, archive).offered == ()  # nobody asked
    found = made(encoder, archive, offer=True)
    assert [one.text for one in found.offered] == ["No pneumothorax."]
    assert found.offered[0].confidence is None
    encoder.training_text = "No pneumothorax."
    found = made(encoder, archive, offer=True)
    assert (found.offered, found.suppressed) == ((), 1)
    encoder.training_text = ""
    encoder.caption_text = "No pneumothorax of 3 mm compared with last week. CT shows no pneumothorax."
    assert made(encoder, archive, facts=CHEST, offer=True).offered == ()
    encoder.caption_text = "No pneumothorax."
    encoder.draft_settings = replace(encoder.draft_settings, captioner=False)
    assert made(encoder, archive, offer=True).offered == ()


def test_a_calibrated_bundle_shows_the_confidence_of_its_own_sentences(
    archive: Archive, encoder, make_case: Make
) -> None:
    encoder.draft_settings = DraftSettings(slope=2.0, intercept=0.5, near=-100.0, share=0.0)
    texts = [EFFUSION, "Left effusion. No pneumothorax.", "Huge left effusion without pneumothorax."]
    fill(archive, make_case, texts)
    found = made(encoder, archive, offer=True)
    assert found.calibrated
    assert found.sentences[0].confidence is None
    confidence = found.offered[0].confidence
    assert confidence is not None
    assert f"    No pneumothorax. [{confidence:.0%}]" in draft_lines(found)


def test_an_unfamiliar_image_gets_no_draft(archive: Archive, encoder, make_case: Make) -> None:
    directions = np.zeros((1, encoder.dim), np.float32)
    encoder.familiarity = FamiliarityModel(np.zeros(encoder.dim, np.float32), directions, threshold=0.5)
    fill(archive, make_case, [EFFUSION, "Left effusion.", "Huge left effusion."])
    found = made(encoder, archive)
    assert (found.text, found.silence, found.reason) == ("", "unfamiliar", OUTSIDE)
    assert found.as_dict()["look"] == {"familiar": False, "notice": OUTSIDE, "score": pytest.approx(2.0)}


def test_a_blank_image_gets_no_draft_from_any_bundle(archive: Archive, encoder) -> None:
    found = draft(encoder, archive, [np.full((9, 9), 40, np.uint8)])
    assert (found.text, found.silence, found.reason) == ("", "blank", BLANK)


def test_a_draft_can_be_cancelled(archive: Archive, encoder, make_case: Make) -> None:
    fill(archive, make_case, [EFFUSION])
    with pytest.raises(Cancelled):
        made(encoder, archive, cancelled=lambda: True)


def test_exported_drafts_carry_the_research_notice(archive: Archive, encoder, make_case: Make) -> None:
    fill(archive, make_case, [EFFUSION, "Left effusion.", "Huge left effusion."])
    found = made(encoder, archive)
    assert with_notice(found.text).rstrip().endswith(f"({NOTICE})")
    assert NOTICE in draft_lines(found)[-1]
    document = found.as_dict()
    assert document["notice"] == NOTICE
    assert sorted(document["sentences"][0]["evidence"]) == [2, 3]
    assert document["start"]["case_id"] == 1


ODD = [
    "x",
    "?",
    "(arrow)",
    "Röntgenthorax ohne Befund.",
    "胸部X線。気胸なし。",
    "No no no not without.",
    "mass " * 2000,
    "a\n\n\nb",
]


@pytest.mark.folder  # the store makes no difference
@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_reports_never_break_a_draft(archive: Archive, encoder, make_case: Make, text: str) -> None:
    fill(
        archive, make_case, [f"{text}", f"{text} Left effusion.", f"Left effusion. {text}", f"{text}\nLeft effusion. b"]
    )
    found = made(encoder, archive)
    assert found.text == (text.strip() if "mass" in text else "")
