"""The wordings that a pair is trained on."""

import pytest

from training.data.report_texts import case_texts, without_redactions


@pytest.mark.parametrize(
    ("stored", "learned"),
    [
        ("There are no XXXX of a pleural effusion.", "There are no of a pleural effusion."),
        ("Normal chest x-XXXX.", "Normal chest x-ray."),
        ("Comparison XXXX, XXXX. The lungs are clear.", "Comparison. The lungs are clear."),
        ("Clear lungs. XXXX XXXX.", "Clear lungs."),
        ("XXXX. No acute disease.", "No acute disease."),
        ("Right XXXX-A-XXXX tip in the SVC.", "Right tip in the SVC."),
        ("Nodes XXXX/granulomas. A dual-XXXX pacemaker (XXXX).", "Nodes granulomas. A dual pacemaker."),
        ("Seen on 02/010/XXXX. It doesn't XXXX't.", "Seen on. It doesn't."),
        ("[&lt;The heart is normal.&gt;]", "The heart is normal."),
        ("A mass of 3 x 4 cm; see [12].", "A mass of 3 x 4 cm; see [12]."),
        ("XXXX", "XXXX"),
    ],
)
def test_marks_of_de_identification_are_not_learned(stored: str, learned: str) -> None:
    assert without_redactions(stored) == learned


def test_the_texts_of_a_case_are_its_findings_and_its_labels() -> None:
    values = {"modality": "CT", "view": "Axial", "location": "Chest", "case_findings": "A  mass.", "case_diagnosis": ""}
    assert case_texts({**values, "finding": "Lymphoma"}) == ["A mass.", "CT Axial Chest. Lymphoma"]
    assert case_texts({}) == []


def test_indexed_findings_are_written_out_and_normal_is_a_finding() -> None:
    values = {"modality": "CR", "view": "LATERAL"}
    finding = "Opacity/lung/base/left; Calcinosis/aorta, thoracic"
    line = "Radiograph LATERAL. Opacity lung base left; Calcinosis aorta, thoracic"
    assert case_texts({**values, "finding": finding}) == [line]
    assert case_texts({**values, "finding": "normal"}) == ["Radiograph LATERAL. normal"]
    assert case_texts({"modality": "MR", "location": "skull", "finding": ""}) == ["MRI skull."]


def test_where_a_hospital_stands_is_no_organ() -> None:
    values = {"modality": "CR", "location": "Milan, Italy", "finding": "COVID-19"}
    assert case_texts({**values, "source": "covid-chestxray (copy)"}) == ["Radiograph. COVID-19"]


def test_a_view_label_that_is_often_wrong_is_left_out() -> None:
    assert case_texts({"modality": "CR", "view": "PA", "finding": "normal"}) == ["Radiograph. normal"]


@pytest.mark.parametrize("finding", ["", "No Indexing", "todo"])
def test_a_line_that_says_no_more_than_the_modality_is_none(finding: str) -> None:
    assert case_texts({"modality": "CR", "view": "", "finding": finding}) == []
    assert case_texts({"modality": "CT", "view": "Axial", "location": "", "finding": finding}) == []
