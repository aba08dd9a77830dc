"""The text of a report is checked against the header and against itself."""

import pytest

from engine.reports.checks.check import Known, lines_of
from engine.reports.checks.run import checks
from engine.reports.document import Document

KNEE = Known(regions=frozenset({"limb"}), side="left")
CHEST = Known(regions=frozenset({"chest"}))
IMPRESSION = "Findings: Small left pleural effusion. Heart normal.\nImpression: "


def found(text: str, known: Known) -> list[tuple[str, str]]:
    """Kind and place of every check."""
    return [(check.kind, text[slice(*check.span)]) for check in checks(Document(text), known)]


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("Fracture of the right patella.", KNEE, [("header side", "right")]),
        ("Fracture of the left patella.", KNEE, []),
        ("No effusion. Compared with the right knee, the space is narrow.", KNEE, []),
        ("Right pleural effusion.", Known(regions=frozenset({"chest"}), side="left"), []),
        (f"{IMPRESSION}Right pleural effusion.", CHEST, [("text side", "Right")]),
        (f"{IMPRESSION}Left pleural effusion.", CHEST, []),
        (f"{IMPRESSION}Bilateral pleural effusions.", CHEST, []),
        (f"{IMPRESSION}No right pleural effusion.", CHEST, []),
        ("Findings: Left lower lobe opacity.\nImpression: Right pneumonia.", CHEST, [("text side", "Right")]),
        ("Findings: Enlarged left ventricle.\nImpression: Right atrial enlargement.", CHEST, []),
        ("Opacity of the left middle lobe.", CHEST, [("text side", "left middle lobe")]),
    ],
)
def test_a_side_is_checked_against_the_header_and_the_findings(
    text: str, known: Known, expected: list[tuple[str, str]]
) -> None:
    assert found(text, known) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INDICATION: Pneumonia.\nFINDINGS: Clear lungs.\nIMPRESSION: No pneumonia.", []),
        ("Clinical information:\nPneumonia.\n\nThe lungs are clear.\n\nImpression: No pneumonia.", []),
        ("History: Right rib fracture.\nFindings: Left rib fracture.\nImpression: Right rib fracture.", ["Right"]),
        ("Comparison: CT, right nodule.\nLungs: Left nodule.\nImpression: Right nodule.", ["Right"]),
        ("Technique:\n\nContrast.\nFindings:\nLeft nodule.\nImpression: Right nodule.", ["Right"]),
        ("Priors\nCT with a right nodule.\n\nLeft nodule.\nImpression: Right nodule.", ["Right"]),
        ("History of smoking. Left nodule.\nImpression: Right nodule.", ["Right"]),
    ],
)
def test_history_and_comparison_are_no_findings(text: str, expected: list[str]) -> None:
    assert [place for _, place in found(text, CHEST)] == expected


@pytest.mark.parametrize(
    ("body", "impression", "contradicts"),
    [
        ("No pneumothorax.", "Small left pneumothorax.", True),
        ("Small left pneumothorax.", "No pneumothorax.", True),
        ("No focal consolidation, effusion or pneumothorax.", "Left pleural effusion.", True),
        ("The heart is normal in size.", "Cardiomegaly.", True),
        ("No pneumothorax on the left.", "Left pneumothorax.", True),
        ("No pneumothorax on the left.", "Right pneumothorax.", False),
        ("Small left pneumothorax.", "Small left pneumothorax.", False),
        ("No large effusion.", "Small left effusion.", False),
        ("No acute fracture.", "Old rib fractures.", False),
        ("No pneumothorax.", "Pneumothorax is possible.", False),
        ("No effusion. Small right effusion.", "Right effusion.", False),
        ("No effusion of the knee.", "Pleural effusion.", False),
        ("Liver mass. No mass of the kidney.", "Mass of the liver.", False),
        ("The tube is in place.", "No pneumothorax after removal of the tube.", False),
        ("Pulmonary vascularity is normal.", "Right lower lobe pneumonia.", False),
    ],
)
def test_findings_and_impression_must_not_contradict_each_other(body: str, impression: str, contradicts: bool) -> None:
    expected = [("negation", f"Impression: {impression}")] if contradicts else []
    assert found(f"Findings: {body}\nImpression: {impression}", CHEST) == expected


@pytest.mark.parametrize(
    ("text", "sex", "expected"),
    [
        ("The uterus is normal.", "M", ["uterus"]),
        ("The prostate is enlarged.", "F", ["prostate"]),
        ("A 60-year-old woman.", "M", ["year-old woman"]),
        ("The uterus is normal.", "F", []),
        ("The uterus is normal.", "", []),
        ("The uterus is normal.", "O", []),
    ],
)
def test_organs_are_checked_against_the_sex(text: str, sex: str, expected: list[str]) -> None:
    assert [place for _, place in found(text, Known(sex=sex))] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The lungs are clear. The lateral ventricles are wide.", ["The lateral ventricles are wide."]),
        ("Clear lungs. The shoulder is degenerated.", []),
        ("Clear lungs. Upper abdomen normal.", []),
        ("Clear lungs. History of brain metastases.", []),
    ],
)
def test_a_sentence_about_another_region_than_that_of_the_study_is_found(text: str, expected: list[str]) -> None:
    assert [place for _, place in found(text, CHEST)] == expected


@pytest.mark.parametrize(
    ("text", "prior", "expected"),
    [
        ("The nodule is unchanged. Stable heart size.", False, ["unchanged"]),
        ("The nodule is unchanged.", True, []),
        ("The nodule is unchanged.", None, []),
        ("Comparison: CT of 2024-03-01. The nodule is unchanged.", False, []),
        ("The patient is hemodynamically stable.", False, []),
    ],
)
def test_a_comparison_without_an_earlier_study_is_found_once(
    text: str, prior: bool | None, expected: list[str]
) -> None:
    assert [place for _, place in found(text, Known(prior=prior))] == expected


def test_the_lines_of_a_report_are_its_sentences_and_rows_with_their_places() -> None:
    text = "Findings:\n Clear lungs\nNo mass. Heart  normal.\n\nImpression: normal."
    assert [(text[slice(*line.span)], line.impression) for line in lines_of(text)] == [
        ("Findings:", False),
        ("Clear lungs", False),
        ("No mass.", False),
        ("Heart  normal.", False),
        ("Impression: normal.", True),
    ]
