"""Names in any attribute of a header, and free texts of it, are de-identified on import."""

from pathlib import Path

import pydicom
import pytest

from engine.archive import Archive
from engine.dicom.listing import open_path
from engine.facts.body_part import body_part_term
from engine.importing.importer import import_path
from engine.reports.outbox import submission_for
from engine.text.deidentify import clean
from tests.engine.stores import everything_in

NAMES = {
    "ReferringPhysicianName": "Weissmueller^Gudrun",
    "PerformingPhysicianName": ["Ibáñez^Íñigo", "Zwei^Ärztin"],
    "NameOfPhysiciansReadingStudy": "D'Angelo^Chiara",
    "OperatorsName": "Kowalski^Jan",
    "RequestingPhysician": "Lefèvre^Zoé",
    "OtherPatientNames": "Quixano^Alonso",
    "PatientMotherBirthName": "Zoellner",
    "InstitutionName": "Krankenhaus Bad Neuheim",
    "OtherPatientIDs": "ALT-99",
}
SECRETS = (
    "Weiss",
    "weiß",
    "Ibáñez",
    "Zwei",
    "Angelo",
    "Kowalski",
    "Lefevre",
    "Quixano",
    "Zöllner",
    "Neuheim",
    "ALT-99",
)


@pytest.fixture
def study_with_names(dicom_folder: Path) -> Path:
    path = dicom_folder / "CT_small.dcm"
    dataset = pydicom.dcmread(path)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in NAMES.items():
        setattr(dataset, keyword, value)
    dataset.StudyDescription = "CT Thorax KOWALSKI_JAN Dr. Zwei"
    dataset.BodyPartExamined = "CHEST OTTO QUIX"
    dataset.save_as(path)
    return path


def test_every_name_of_the_header_is_removed_from_report_description_and_body_part(
    archive: Archive, encoder, study_with_names: Path, tmp_path: Path
) -> None:
    text = (
        "weißmüller bat um CT; zwei Rundherde. Ibanez and ZWEI saw it, d'angelo read it, kowalski scanned, Lefevre "
        "asked. quixano (born to a Zöllner) is ALT-99 in Bad Neuheim."
    )
    (tmp_path / "reports.csv").write_text(f'accession,text\nACC-1,"{text}"\n', encoding="utf-8")
    import_path(archive, encoder, study_with_names, tmp_path / "reports.csv")
    case = archive.case(archive.find_case("1.2.3.4.5") or 0)
    assert case.report is not None
    kept = f"{case.report.text} {case.description} {case.body_part}".lower()
    assert not [one for one in SECRETS if one.lower() in kept.replace("zwei rundherde", "")]
    assert "rundherde" in kept
    assert "CT Thorax" in case.description
    assert case.body_part == "CHEST"
    content = everything_in(archive).lower()
    assert not [one for one in (b"kowalski", b"quix", b"neuheim") if one in content]


def test_a_signed_report_is_cleaned_of_the_same_names(study_with_names: Path) -> None:
    study = open_path(study_with_names).studies[0]
    facts = submission_for(study).facts
    assert clean("Thanks to kowalski and Zöllner.", facts.identifiers).text == "Thanks to [name] and [name]."
    assert facts.body_part == "CHEST"


def test_a_department_called_mri_leaves_the_word_in_the_report(
    archive: Archive, encoder, study_with_names: Path, tmp_path: Path
) -> None:
    dataset = pydicom.dcmread(study_with_names)
    dataset.InstitutionalDepartmentName = "MRI"
    dataset.save_as(study_with_names)
    (tmp_path / "reports.csv").write_text("accession,text\nACC-1,MRI of the knee: meniscal tear.\n")
    import_path(archive, encoder, study_with_names, tmp_path / "reports.csv")
    case = archive.case(archive.find_case("1.2.3.4.5") or 0)
    assert case.report is not None
    assert case.report.text == "MRI of the knee: meniscal tear."


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("CHEST", "CHEST"),
        ("ABDOMENPELVIS", "ABDOMENPELVIS"),
        ("Thorax", "Thorax"),
        ("HAND_LI", "HAND_LI"),
        ("L SPINE", "L SPINE"),
        ("THORAX MUELLER ANNA", "THORAX"),
        ("Anna Müller", ""),
        ("Knie li. Fr. Schmidt", "Knie"),
        ("limb", "limb"),
        ("", ""),
    ],
)
def test_a_body_part_holds_only_anatomy(text: str, term: str) -> None:
    assert body_part_term(text) == term
