"""Two patients under one Study Instance UID are two studies, each with its own images, and both say so."""

from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from engine.dicom.identity import SHARED_UID, apart_from, contradict
from engine.dicom.listing import open_path
from engine.study import Patient, Study
from tests.engine.dicom_samples import derive

STUDY = generate_uid()
ANNA = {"PatientName": "Alpha^Anna", "PatientID": "A-1"}
BERT = {"PatientName": "Beta^Bert", "PatientID": "B-2"}


def studies_of(folder: Path, *people: dict[str, str], one_series: bool = True) -> tuple[Study, ...]:
    """The studies of a folder with two images a person, all under one Study Instance UID."""
    series = generate_uid()
    for index, person in enumerate([*people, *people]):
        own = series if one_series else generate_uid()
        changes = {"PatientBirthDate": None, "PatientSex": None, "StudyInstanceUID": STUDY, "SeriesInstanceUID": own}
        derive(folder / f"{index}", "CT_small.dcm", InstanceNumber=index, **(changes | person))
    return open_path(folder).studies


@pytest.mark.parametrize("one_series", [True, False])
def test_images_of_two_patients_never_stand_under_one_name(tmp_path: Path, one_series: bool) -> None:
    studies = studies_of(tmp_path, ANNA, BERT, one_series=one_series)
    assert {study.patient.name for study in studies} == {"Alpha^Anna", "Beta^Bert"}
    assert [len(list(study.frames())) for study in studies] == [2, 2]
    assert [study.warning for study in studies] == [SHARED_UID] * 2
    assert studies[0].as_dict()["warning"] == SHARED_UID
    assert len({STUDY, *(study.uid for study in studies)}) == 3  # a report of one is never found under the other


@pytest.mark.parametrize("order", [(ANNA, BERT), (BERT, ANNA)])
def test_each_patient_has_the_same_uid_whatever_is_read_first(
    tmp_path: Path, order: tuple[dict[str, str], dict[str, str]]
) -> None:
    uids = {study.patient.id: study.uid for study in studies_of(tmp_path / "a", *order)}
    assert uids == {study.patient.id: study.uid for study in studies_of(tmp_path / "b", ANNA, BERT)}


@pytest.mark.parametrize(
    ("other", "studies"),
    [
        ({"PatientName": "ALPHA^ANNA"}, 1),
        ({"PatientName": "Alpha^Anna^Maria"}, 1),
        ({"PatientName": "Alpha^Anna=アルファ^アンナ"}, 1),
        ({"PatientID": "a1 "}, 1),
        ({"PatientID": None}, 1),
        ({"PatientName": None, "PatientID": None}, 1),
        ({"PatientName": "Beta^Bert"}, 2),
        ({"PatientName": "Beta^Bert", "PatientID": None}, 2),
        ({"PatientID": "B-2"}, 2),
        ({"PatientBirthDate": "19700101"}, 2),
        ({"PatientSex": "M"}, 2),
    ],
)
def test_spelling_and_gaps_are_no_contradiction(tmp_path: Path, other: dict[str, str], studies: int) -> None:
    anna = ANNA | {"PatientBirthDate": "19600101", "PatientSex": "F", "SpecificCharacterSet": "ISO_IR 192"}
    found = studies_of(tmp_path, anna, anna | other)
    assert len(found) == studies
    assert sum(len(list(study.frames())) for study in found) == 4


def test_an_image_without_identity_belongs_to_none_of_two_patients(tmp_path: Path) -> None:
    studies = studies_of(tmp_path, ANNA, BERT, {"PatientName": "", "PatientID": ""})
    assert sorted(study.patient.id for study in studies) == ["", "A-1", "B-2"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Patient("Doe^John", "0012"), Patient("DOE^JOHN", "12"), False),
        (Patient("Doe^John", "12"), Patient("Doe^John", "13"), True),
        (Patient("Doe", ""), Patient("Doe^John", ""), True),
        (Patient("Müller^Eva", "7"), Patient("Mu\u0308ller^Eva", "7"), False),
        (Patient("Yamada^Tarou", "7"), Patient("=山田^太郎", "7"), False),
        (Patient("Yamada^Tarou", ""), Patient("=山田^太郎", ""), True),
        (Patient("", ""), Patient("Doe", "1"), False),
    ],
)
def test_who_may_be_one_patient(one: Patient, other: Patient, expected: bool) -> None:
    assert contradict(one, other) is contradict(other, one) is expected


def test_a_study_opened_later_is_told_apart_from_an_open_one() -> None:
    anna = Study("1.2", "", "", "", "", Patient("Alpha^Anna", "A-1"))
    bert = Study("1.2", "", "", "", "", Patient("Beta^Bert", "B-2"))
    assert apart_from([anna], anna) is anna
    assert apart_from([anna], bert).uid not in ("1.2", "")
    assert apart_from([anna], bert).warning == SHARED_UID
