"""The workspace remembers whose study it was, so that no other patient's study with its UID gets the report."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.dicom.identity import SHARED_UID, apart
from engine.reports.workspace import Workspace
from engine.reports.workspace_patients import tell_apart
from engine.study import FrameRef, ImageRef, Patient, Series, Study
from tests.engine.dicom.test_identity import STUDY

ANNA = Patient("Alpha^Anna", "0012", "19600101", "F")
BERT = Patient("Beta^Bert", "77", "19500101", "M")


class Nowhere:
    name = "file"
    file = None


def study(patient: Patient, *images: str, uid: str = STUDY) -> Study:
    frames = tuple(FrameRef(ImageRef(Nowhere(), sop_uid=one)) for one in images or (f"1.{patient.id}",))  # type: ignore[arg-type]
    return Study(uid, "", "", "", "", patient, (Series("1", "1", 1, "", "CT", "", frames),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (first,) = tell_apart(tmp_path, [study(ANNA)])
    assert (first.uid, first.warning) == (STUDY, "")
    return tmp_path


def test_a_study_of_another_patient_is_told_apart_in_a_later_session(folder: Path) -> None:
    (bert,) = tell_apart(folder, [study(BERT)])
    assert bert.uid != STUDY
    assert (bert.stated_uid, bert.warning) == (STUDY, SHARED_UID)
    assert tell_apart(folder, [study(BERT)])[0].uid == bert.uid
    (anna,) = tell_apart(folder, [study(ANNA)])
    assert (anna.uid, anna.warning) == (STUDY, SHARED_UID)  # its report is found, and it is told


@pytest.mark.parametrize(
    "again",
    [
        ANNA,
        replace(ANNA, name="ALPHA^ANNA^MARIA"),
        replace(ANNA, id="12"),
        replace(ANNA, birth_date="", sex=""),
        Patient(),
        Patient("Alpha^Anna=アルファ^アンナ", "0012"),
    ],
)
def test_other_spellings_are_the_same_patient(folder: Path, again: Patient) -> None:
    assert tell_apart(folder, [study(again)])[0].uid == STUDY


@pytest.mark.parametrize(
    "other",
    [
        replace(ANNA, name="Beta^Bert"),
        replace(ANNA, birth_date="19600102"),
        replace(ANNA, id="13"),
        Patient("Beta^Bert"),
    ],
)
def test_each_part_of_an_identity_counts(folder: Path, other: Patient) -> None:
    assert tell_apart(folder, [study(other, "9.9")])[0].uid != STUDY


def test_the_same_images_under_a_corrected_name_stay_one_study(folder: Path) -> None:
    corrected = Patient("Gamma^Gert", "99")
    assert tell_apart(folder, [study(corrected, "1.0012", "1.9")])[0].uid == STUDY
    assert tell_apart(folder, [study(corrected, "5.5")])[0].uid == STUDY
    assert tell_apart(folder, [study(BERT)])[0].uid != STUDY


def test_no_name_is_stored_and_a_workspace_that_cannot_be_used_keeps_no_study_from_opening(folder: Path) -> None:
    content = b"".join(path.read_bytes() for path in folder.iterdir()).lower()
    assert not [word for word in (b"alpha", b"anna", b"19600101", b"0012\0") if word in content]
    (folder / "file").write_bytes(b"")
    assert tell_apart(folder / "file", [study(BERT)])[0].uid == STUDY


def test_patients_that_are_listed_together_keep_their_reports(folder: Path) -> None:
    both = [apart(study(ANNA)), apart(study(BERT)), apart(study(Patient()))]
    found = tell_apart(folder, both)
    assert [one.uid == STUDY for one in found] == [True, False, False]
    assert {one.warning for one in found} == {SHARED_UID}
    uids = [one.uid for one in tell_apart(folder, [apart(study(one, uid="1.9")) for one in (ANNA, BERT)])]
    alone = [tell_apart(folder, [study(one, uid="1.9")])[0].uid for one in (ANNA, BERT)]
    assert alone == uids
    assert "1.9" not in uids


@pytest.mark.parametrize("damage", ["patient = '[1]'", "patient = 'x'", "images = 7", "patient = '{\"no\": 1}'"])
def test_a_damaged_row_keeps_no_study_from_opening(folder: Path, damage: str) -> None:
    with Workspace.open(folder) as workspace, workspace.writing() as db:
        db.execute(f"UPDATE patients SET {damage}")
    assert tell_apart(folder, [study(BERT)])[0].uid == STUDY
