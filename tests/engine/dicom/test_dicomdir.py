"""DICOMDIR: its records decide what is opened, and listed files that are missing are rejected."""

import shutil
from pathlib import Path

import pytest
from pydicom import dcmread

from engine.dicom.dicomdir import MISSING, OUTSIDE, read_dicomdir
from engine.dicom.listing import Listing, open_path
from engine.dicom.parser_warnings import collect_warnings
from tests.engine.dicom_samples import PYDICOM_FILES, derive

MEDIUM = PYDICOM_FILES / "test_files" / "dicomdirtests"


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """A copy of a real medium with its index, and one image that the index does not name."""
    for folder in ("77654033", "98892001", "98892003"):
        shutil.copytree(MEDIUM / folder, tmp_path / folder)
    shutil.copy(MEDIUM / "DICOMDIR", tmp_path / "DICOMDIR")
    derive(tmp_path / "77654033" / "unnamed.dcm")
    return tmp_path


def files(listing: Listing) -> set[Path | None]:
    return {frame.image.origin.file for study in listing.studies for frame in study.frames()}


def test_only_files_listed_in_the_dicomdir_are_opened(medium: Path) -> None:
    listing = open_path(medium / "DICOMDIR")
    assert len(files(listing)) == 31
    assert medium / "77654033" / "unnamed.dcm" not in files(listing)
    assert listing.rejected == ()
    assert listing.skipped == (str(medium / "DICOMDIR"),)


def test_a_listed_file_that_is_missing_is_rejected_with_a_reason(medium: Path) -> None:
    gone = medium / "77654033" / "CR1" / "6154"
    gone.unlink()
    listing = open_path(medium / "DICOMDIR")
    assert len(files(listing)) == 30
    assert [(rejected.path, rejected.reason) for rejected in listing.rejected] == [(str(gone), MISSING)]


def test_names_are_found_in_lower_case_and_with_the_version_of_iso_9660(medium: Path) -> None:
    (medium / "98892001" / "CT2N").rename(medium / "98892001" / "ct2n")
    (medium / "77654033" / "CR1" / "6154").rename(medium / "77654033" / "CR1" / "6154.;1")
    assert len(read_dicomdir(medium / "DICOMDIR").files) == 31


def test_a_dicomdir_without_any_existing_file_opens_its_folder(tmp_path: Path) -> None:
    shutil.copy(MEDIUM / "DICOMDIR", tmp_path / "DICOMDIR")
    only = derive(tmp_path / "renamed" / "image")
    listing = open_path(tmp_path / "DICOMDIR")
    assert files(listing) == {only}
    (rejected,) = listing.rejected
    assert rejected.reason == "None of the 31 files in this DICOMDIR exists; its folder was read instead."


def test_a_damaged_dicomdir_opens_its_folder(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_bytes(b"no index at all" * 40)
    only = derive(tmp_path / "image")
    listing = open_path(tmp_path / "DICOMDIR")
    assert files(listing) == {only}
    (rejected,) = listing.rejected
    assert rejected.reason == "This is not a DICOM file. Its folder was read instead."


def test_a_dicomdir_cannot_refer_outside_its_folder(medium: Path) -> None:
    index = dcmread(medium / "DICOMDIR")
    image = next(record for record in index.DirectoryRecordSequence if record.DirectoryRecordType == "IMAGE")
    with collect_warnings():
        image.ReferencedFileID = ["..", "SECRET"]
        index.save_as(medium / "DICOMDIR")
    (refused,) = read_dicomdir(medium / "DICOMDIR").missing
    assert (refused.path, refused.reason) == ("../SECRET", OUTSIDE)
