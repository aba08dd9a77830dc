"""Which columns of a CSV name somebody, so that their values are removed from the text."""

import pytest

from engine.importing.csv_files import identifiers
from engine.text.deidentify import clean


@pytest.mark.parametrize(
    "column",
    [
        *("accession", "accession_number", "patient_name", "radiologist", "radiologist_2", "radiologists"),
        *("referring physician name", "physician's name", "referrer", "operator id", "hospital_no"),
        *("patient", "patient_id", "patient_last_name", "name_of_patient", "patient's name", "patientname", "mrn"),
        *("name", "last_name", "first_name", "given_name", "family_name", "birth_name", "other_names", "nachname"),
    ],
)
def test_a_column_of_names_or_numbers_is_removed_from_the_text(column: str) -> None:
    assert "Neuheim" not in clean("Asked by Neuheim.", identifiers({column: "Neuheim"})).text


@pytest.mark.parametrize(
    "column",
    [
        *("radiologist_comment", "hospital_course", "physician impression", "doctor_notes", "operator_dependence"),
        *("patient_history", "history_of_patient", "procedure_name", "patient_age"),
    ],
)
def test_a_column_of_free_text_names_nobody(column: str) -> None:
    assert identifiers({column: "Pneumonia with effusion on the left."}) == ()


def test_a_department_is_a_place_in_a_csv_too() -> None:
    row = {"department": "Cardiology", "institution": "MRI"}
    assert clean("MRI of the heart, for Cardiology.", identifiers(row)).text == "MRI of the heart, for Cardiology."
