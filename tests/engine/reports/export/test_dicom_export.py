"""Exported DICOM documents, read by pydicom, by highdicom and by dcmtk."""

import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from highdicom.ko import KeyObjectSelectionDocument
from highdicom.sr import ContentSequence, TextContentItem
from pydicom import FileDataset, dcmread
from pydicom.dataset import Dataset
from pydicom.uid import BasicTextSRStorage

from engine.dicom.identity import SHARED_UID
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.reports.export.dicom_sr import as_basic_text_sr
from engine.reports.export.exported_report import LABEL, ExportedReport
from engine.reports.export.key_objects import as_key_objects
from engine.reports.stored_report import StoredReport
from engine.study import Study
from tests.engine.dicom_samples import derive
from tests.engine.reports.export.conftest import TEXT


def texts_of(document: Dataset) -> list[str]:
    """The values of all text items, in reading order, as highdicom reads them."""
    found: list[str] = []
    for item in ContentSequence.from_sequence(document.ContentSequence):
        if isinstance(item, TextContentItem):
            found.append(item.value.replace("\r\n", "\n"))
        found += texts_of(item) if "ContentSequence" in item else []
    return found


def read(data: bytes) -> FileDataset:
    return dcmread(BytesIO(data))


def dumped(data: bytes, folder: Path) -> str:
    """What dcmtk reads; it refuses a document that breaks the rules of its SOP class."""
    if shutil.which("dsrdump") is None:
        pytest.skip("dcmtk is not installed, so dsrdump has not read the document")
    (folder / "document.dcm").write_bytes(data)
    done = subprocess.run(
        ["dsrdump", "+U8", folder / "document.dcm"], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert [
        line for line in done.stderr.splitlines() if "support" not in line
    ] == []  # what dcmtk does not check at all
    return done.stdout


def test_a_signed_report_is_a_complete_unverified_basic_text_sr_of_its_study(report: ExportedReport) -> None:
    document = read(as_basic_text_sr(report))
    assert document.SOPClassUID == document.file_meta.MediaStorageSOPClassUID == BasicTextSRStorage
    assert (document.CompletionFlag, document.PreliminaryFlag) == ("COMPLETE", "FINAL")
    assert document.VerificationFlag == "UNVERIFIED"
    assert document.PatientName == "Müller^Ada^^Dr"
    assert (document.PatientID, document.PatientBirthDate, document.PatientSex) == ("P-17", "19701224", "F")
    assert (document.StudyInstanceUID, document.AccessionNumber) == (report.study.uid, "ACC 7")
    assert (document.StudyID, document.ReferringPhysicianName) == ("S1", "Zuweiser^Eva")
    assert (document.StudyDate, document.StudyTime) == ("20260304", "140500.25")
    assert document.SeriesDescription == LABEL


def test_its_text_and_addenda_are_read_back_word_for_word(report: ExportedReport) -> None:
    label, text, addendum, marks = texts_of(read(as_basic_text_sr(report)))
    assert label == LABEL
    assert text == TEXT
    assert addendum.startswith("Ada Byron, 2026-03-05")
    assert addendum.endswith("Also a rib fracture.")
    assert marks.startswith('Accepted unchanged, from case 7 in chest: "No pleural effusion."')


def test_dcmtk_reads_the_report(report: ExportedReport, tmp_path: Path) -> None:
    text = dumped(as_basic_text_sr(report), tmp_path)
    assert "Basic Text SR Document" in text
    assert "Müller" in text
    assert "Größe 3 cm" in text
    assert text.count("IMAGE:") == 2
    assert "UNVERIFIED" in text.upper()


def test_an_unsigned_report_is_partial_and_preliminary(study: Study, stored: StoredReport, tmp_path: Path) -> None:
    draft = ExportedReport.of(study, replace(stored, state="edited", signed_by="", addenda=()))
    document = read(as_basic_text_sr(draft))
    assert (document.CompletionFlag, document.PreliminaryFlag) == ("PARTIAL", "PRELIMINARY")
    assert dumped(as_basic_text_sr(draft), tmp_path)


def test_a_report_is_verified_only_by_somebody_who_is_named(report: ExportedReport, tmp_path: Path) -> None:
    data = as_basic_text_sr(replace(report, verifier="Grace Hopper", organization="Hospital"))
    assert read(data).VerificationFlag == "VERIFIED"
    assert read(data).VerifyingObserverSequence[0].VerifyingObserverName == "Hopper^Grace"
    assert "Hopper" in dumped(data, tmp_path)


def test_key_images_are_read_back_by_highdicom_dcmtk_and_kindred(report: ExportedReport, tmp_path: Path) -> None:
    data = as_key_objects(report)
    document = KeyObjectSelectionDocument.from_dataset(read(data))
    marked = [one.frame.image.sop_uid for one in report.key_frames]
    assert [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in document.content.get_references()
    ] == marked
    (tmp_path / "keys.dcm").write_bytes(data)
    (known,) = open_path(tmp_path / "keys.dcm").key_objects
    assert (known.study_uid, known.title) == (report.study.uid, "Of Interest")
    assert [image.sop_uid for image in known.key_images] == marked
    assert LABEL in dumped(data, tmp_path)


def test_a_key_frame_of_a_multiframe_image_keeps_its_number(tmp_path: Path) -> None:
    loop = derive(tmp_path / "loop.dcm", "color3d_jpeg_baseline.dcm")
    study = open_path(loop).studies[0]
    image = study.series[0].frames[0].image
    report = ExportedReport.of(study, None, key_images=[(image.sop_uid, 4), (image.sop_uid, 7)])
    (tmp_path / "keys.dcm").write_bytes(as_key_objects(report))
    (known,) = open_path(tmp_path / "keys.dcm").key_objects
    assert known.key_images[0].frames == {4, 7}


def test_a_study_whose_uid_another_patient_has_is_not_exported_under_it(report: ExportedReport) -> None:
    shared = replace(report, study=replace(report.study, warning=SHARED_UID))
    with pytest.raises(UserError, match="Another patient"):
        as_basic_text_sr(shared)


def test_without_a_key_image_there_is_no_key_object(report: ExportedReport) -> None:
    with pytest.raises(UserError, match="no key image"):
        as_key_objects(replace(report, key_frames=()))
