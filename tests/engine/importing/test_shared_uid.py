"""Two patients under one Study Instance UID are two cases, whenever and in whatever order they arrive."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import generate_uid

from engine.archive import Archive
from engine.importing.importer import import_path
from engine.reports.outbox import archive_signed
from engine.reports.stored_report import ReportFacts, Submission
from tests.engine.conftest import WordEncoder
from tests.engine.dicom_samples import derive

ANNA = {"PatientName": "Alpha^Anna", "PatientID": "A-1", "PatientSex": "F"}
BERT = {"PatientName": "Beta^Bert", "PatientID": "B-2", "PatientSex": "M"}
UID = "1.2.3.4"


@pytest.fixture
def sent(tmp_path: Path) -> dict[str, Path]:
    """Folders with a CT of Anna, one of Bert, and with both, all under one Study Instance UID."""
    folders = {name: tmp_path / name for name in ("anna", "bert", "both", "corrected")}
    images = {"anna": generate_uid(), "bert": generate_uid()}
    for name, who in (("anna", ANNA), ("bert", BERT)):
        for folder in (name, "both"):
            uids = {
                "StudyInstanceUID": UID,
                "SOPInstanceUID": images[name],
                "SeriesInstanceUID": f"{UID}.{len(name)}.{ord(name[0])}",
            }
            derive(folders[folder] / name, "CT_small.dcm", **who, **uids)
    uids = {"StudyInstanceUID": UID, "SOPInstanceUID": images["anna"]}
    derive(folders["corrected"] / "anna", "CT_small.dcm", **(ANNA | {"PatientID": "A-9"}), **uids)
    return folders


@pytest.mark.parametrize(
    "order",
    [("anna", "bert"), ("bert", "anna", "bert"), ("both", "anna", "bert"), ("anna", "both"), ("anna", "bert", "both")],
)
def test_each_patient_has_one_case(
    archive: Archive, encoder: WordEncoder, sent: dict[str, Path], order: tuple[str, ...]
) -> None:
    for name in order:
        import_path(archive, encoder, sent[name])
    cases = [archive.case(one) for one in archive.case_ids()]
    assert sorted(case.sex for case in cases) == ["F", "M"]
    assert len({case.patient for case in cases}) == 2
    assert [len(case.images) for case in cases] == [1, 1]


def test_the_same_images_under_a_corrected_id_are_one_case(
    archive: Archive, encoder: WordEncoder, sent: dict[str, Path]
) -> None:
    for name in ("anna", "corrected"):
        import_path(archive, encoder, sent[name])
    assert archive.case_ids() == [1]


def test_a_signed_report_replaces_none_of_another_patient(
    archive: Archive, encoder: WordEncoder, sent: dict[str, Path]
) -> None:
    import_path(archive, encoder, sent["anna"])
    gray = np.full((9, 9), 90, np.uint8)
    facts = ReportFacts(modality="CT", sex="M", patient="B-2", image_key="9.9 0")
    for text in ("Large effusion.", "Small effusion."):
        assert archive_signed(archive, encoder, UID, text, Submission(facts, gray)) == 2
    assert archive.case(1).report is None
    assert archive.case(2).report.text == "Small effusion."  # type: ignore[union-attr]
    own = ReportFacts(modality="CT", sex="F", patient="A-1")
    assert archive_signed(archive, encoder, UID, "Normal.", Submission(own)) == 1
