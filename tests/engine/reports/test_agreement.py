"""What near reports say about a sentence of a draft: evidence, contradiction, and whether it may stand."""

import pytest

from engine.reports.agreement import agreement
from engine.reports.nearest_report import NearReport
from engine.text.not_in_image import not_in_image
from engine.text.sentences import sentences


def test_similar_letters_are_no_evidence() -> None:
    near = [
        NearReport(n, (text,), "image", 3.0, 0.9, wording=text)
        for n, text in enumerate(
            ["Measurement points at the basal ganglia level.", "Basal ganglia.", "Calcified ganglia."]
        )
    ]
    found = agreement("Calcification of the basal ganglia.", near)
    assert [one.case_id for one in found.evidence] == [2]


@pytest.mark.parametrize(
    ("sentence", "other", "same"),
    [
        ("No effusion.", "No right effusion.", False),
        ("No left effusion.", "No right effusion.", False),
        ("No left effusion.", "No effusion on either side.", True),
        ("No fracture of the hip.", "No fracture of the ankle.", False),
        ("Left lung is clear.", "Right lung is clear.", False),
        ("Left lung is clear.", "The lungs are clear.", True),
        ("Mass of the liver.", "Mass of the kidney.", False),
        ("Opacity of the left lung.", "Opacification of the left lung.", True),
        ("Opacity of the left lung.", "Opacification of the lung.", False),
        ("Chest radiograph.", "Chest radiograph.", False),
    ],
)
def test_the_same_finding_is_at_the_same_site(sentence: str, other: str, same: bool) -> None:
    found = agreement(sentence, [NearReport(1, (other,), "image", 3.0, 0.9, wording=other)])
    assert bool(found.evidence) == same


def reports(*texts: str) -> list[NearReport]:
    """Near reports as `near_reports` makes them of texts about a radiograph."""
    return [
        NearReport(
            n,
            tuple(one for one in sentences(text) if not_in_image(one) is None),
            "image",
            3.0,
            0.9,
            omitted=tuple(one for one in sentences(text) if not_in_image(one)),
            wording=text,
        )
        for n, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("sentence", "other"),
    [
        ("Lungs are clear.", "Heart size is normal and the lungs show a right lower lobe opacity."),
        ("Pleural spaces are normal.", "Normal heart size with left pleural effusion."),
        ("Lungs are clear.", "Lungs are clear. Right lower lobe opacity."),
        ("Lungs are clear.", "Lungs are clear. Focal opacity at the right base."),
        ("No cardiomegaly.", "No pneumothorax, mild cardiomegaly."),
        ("No cardiomegaly.", "No pleural effusion and stable cardiomegaly."),
        ("Left effusion and right pneumothorax.", "Right effusion and left pneumothorax."),
        ("Bilateral effusion.", "Left effusion and right pneumothorax."),
        ("No effusion.", "No left effusion or right pneumothorax."),
        ("Left effusion.", "Left effusion cannot be excluded."),
        ("Pneumonia.", "Rule out pneumonia."),
        ("Pneumonia.", "Possible pneumonia."),
        ("Possible pneumonia.", "Possible pneumonia."),
        ("Possible pneumonia, no effusion.", "No effusion."),
        ("Normal chest.", "Heart is normal. Possible pneumonia."),
        ("Normal chest.", "Heart is normal. There is a 2 cm nodule in the left lung."),
    ],
)
def test_what_is_elsewhere_doubted_or_contradicted_is_no_evidence(sentence: str, other: str) -> None:
    assert agreement(sentence, reports(other)).evidence == ()


def test_reports_whose_finding_has_a_size_or_a_change_are_not_normal() -> None:
    near = reports(
        "Heart size is normal. There is a 2 cm nodule in the left lung.",
        "The lungs are clear. New right pneumothorax.",
        "Heart size is normal. The right upper lobe mass is unchanged.",
        "Heart normal. The patient has a left effusion.",
        "Heart size is normal. Lungs are clear.",
        "Normal heart.",
    )
    for sentence in ("Normal chest.", "No acute abnormality."):
        found = agreement(sentence, near)
        assert (len(found.evidence), found.opposed, found.enough(0.0, 0.0)) == (2, 4, False)
    assert agreement("No pneumothorax.", near).contradictions[0].text == "New right pneumothorax."


def test_a_report_with_an_omitted_finding_gives_no_normal_sentence() -> None:
    texts = ["Heart size is normal. There is a 2 cm nodule in the lung.", "Normal heart.", "The heart is normal."]
    start, *others = reports(*texts)
    assert agreement("Heart size is normal.", others).enough(0.8, 0.8)
    assert not agreement("Heart size is normal.", [start, *others], start).enough(0.8, 0.8)


def test_each_part_of_a_sentence_must_stand() -> None:
    texts = [f"Cardiomegaly. No effusion. {n}" for n in range(8)]
    near = reports(*texts, "Large effusion. Cardiomegaly.", "Cardiomegaly and effusion.")
    assert agreement("Cardiomegaly.", near).enough(0.8, 0.8)
    assert not agreement("No effusion.", near).enough(0.8, 0.8)
    assert not agreement("Cardiomegaly without effusion.", near).enough(0.8, 0.8)
    mixed = "Heart is normal with a small left effusion."
    near = reports("The heart is normal with left effusion.", "Heart normal with a left effusion.", "Left effusion.")
    assert agreement(mixed, near[:2]).enough(0.0, 0.9)
    assert not agreement(mixed, near).enough(0.0, 0.9)


def test_a_sentence_that_affirms_needs_its_share_of_the_near_reports() -> None:
    near = reports("Left effusion.", "Small left effusion.", "Rib fracture.", "Granuloma.")
    found = agreement("Left effusion.", near)
    assert found.enough(0.5, 0.0)
    assert not found.enough(0.6, 0.0)


def test_a_report_whose_normal_sentence_may_not_be_copied_is_no_evidence_for_normal() -> None:
    left_out = "Normal chest, unchanged since last year."
    near = [
        NearReport(n, ("Frontal view.",), matched="image", score=3.0, cosine=0.9, omitted=(left_out,), wording=str(n))
        for n in range(3)
    ]
    assert near[0].findings.normal
    assert agreement("Normal chest.", near).evidence == ()
