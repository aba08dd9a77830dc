"""Listing files: each is opened or rejected with a reason, and no pixel data are read."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from pydicom.uid import UID

import engine.dicom.listing
from engine.dicom.listing import Listing, open_path
from engine.dicom.origins import FileOrigin
from engine.errors import Cancelled, UserError
from engine.image.pixels import read_frame
from tests.engine.dicom_samples import PYDICOM_DATA, PYDICOM_FILES, dataset, derive, derive_stack, sample


def names(listing: Listing) -> list[str]:
    return [frame.image.name for study in listing.studies for frame in study.frames()]


def accounted(listing: Listing) -> list[str]:
    """Every file of a listing, once per mention."""
    images = list(dict.fromkeys(names(listing)))
    documents = [document.name for document in listing.key_objects]
    documents += [document.origin.name for document in listing.documents]
    return sorted(images + documents + [rejected.path for rejected in listing.rejected] + list(listing.skipped))


@pytest.mark.parametrize("folder", [PYDICOM_FILES, PYDICOM_DATA])
def test_every_file_of_the_pydicom_collections_is_in_a_study_or_rejected(folder: Path) -> None:
    listing = open_path(folder)
    files = sorted(str(path) for path in folder.rglob("*") if path.is_file())
    assert accounted(listing) == files
    assert all(rejected.reason.endswith(".") and "\n" not in rejected.reason for rejected in listing.rejected)
    assert len(listing.studies) >= 20


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("README.txt", "This is not a DICOM file."),
        ("rtplan.dcm", "This is a radiotherapy plan or treatment record without an image."),
        ("waveform_ecg.dcm", "This is a waveform (such as an ECG) without an image."),
        ("pet.dcm", "This is a color palette without an image."),
        ("MR_truncated.dcm", "The file is truncated: only 99 % of the pixel data are there. Copy or send it again."),
        ("no_meta_group_length.dcm", "This DICOM object has no image."),
    ],
)
def test_a_file_without_an_image_is_rejected_with_a_plain_reason(name: str, reason: str) -> None:
    listing = open_path(sample(name))
    assert listing.studies == ()
    assert [(rejected.path, rejected.reason) for rejected in listing.rejected] == [(str(sample(name)), reason)]


def test_files_need_no_extension_and_folders_have_any_depth(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b.c" / "ü ö" / "d"
    derive(deep / "I0001")
    derive(tmp_path / "名前")
    assert len(names(open_path(tmp_path))) == 2


def test_several_paths_are_one_listing_and_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    first, second = derive(tmp_path / "a"), derive(tmp_path / "b")
    assert names(open_path([first, second, first])) == [str(first), str(second)]


def test_a_path_that_does_not_exist_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        open_path(tmp_path / "nothing")


def test_a_path_that_cannot_be_reached_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="File name too long"):
        open_path(tmp_path / ("x" * 300))


def test_an_empty_folder_is_an_empty_listing(tmp_path: Path) -> None:
    assert open_path(tmp_path) == Listing()


def test_a_dicomdir_in_a_folder_is_skipped(tmp_path: Path) -> None:
    shutil.copy(PYDICOM_FILES / "test_files" / "dicomdirtests" / "DICOMDIR", tmp_path / "DICOMDIR")
    derive(tmp_path / "IMAGES" / "I1")
    listing = open_path(tmp_path)
    assert len(names(listing)) == 1
    assert listing.rejected == ()
    assert listing.skipped == (str(tmp_path / "DICOMDIR"),)


def test_partial_listings_are_reported_while_the_rest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.dicom.listing, "FIRST_PART_AFTER", 0.0)
    derive_stack(tmp_path, [0, 1, 2, 3])
    parts: list[Listing] = []
    whole = open_path(tmp_path, found=parts.append)
    assert parts
    (growing,) = parts[0].studies[0].series
    (known,) = whole.studies[0].series
    assert growing.growing
    assert not known.growing
    assert growing.key == known.key
    assert set(growing.frames) < set(known.frames)


def test_a_copy_of_an_image_is_rejected_and_names_the_first(tmp_path: Path) -> None:
    shutil.copy(sample("CT_small.dcm"), tmp_path / "a")
    shutil.copy(sample("CT_small.dcm"), tmp_path / "b")
    listing = open_path(tmp_path)
    assert names(listing) == [str(tmp_path / "a")]
    (copy,) = listing.rejected
    assert copy.path == str(tmp_path / "b")
    assert str(tmp_path / "a") in copy.reason


def test_a_loop_of_links_ends_and_a_dead_link_is_rejected(tmp_path: Path) -> None:
    derive(tmp_path / "in" / "a")
    (tmp_path / "in" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "dead").symlink_to(tmp_path / "gone")
    listing = open_path(tmp_path)
    assert len(names(listing)) == 1
    assert [rejected.path for rejected in listing.rejected] == [str(tmp_path / "dead")]


def test_a_pipe_is_rejected_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (rejected,) = open_path(tmp_path).rejected
    assert rejected.reason == "This is a device or a pipe, not a file."


def test_a_folder_that_vanishes_while_it_is_read_is_reported(tmp_path: Path) -> None:
    paths = derive_stack(tmp_path, [0, 1, 2])

    def remove(done: int, total: int, what: str) -> None:
        paths[0].unlink(missing_ok=True)

    listing = open_path(tmp_path, progress=remove)
    assert len(accounted(listing)) == 3
    assert "no longer exists" in listing.rejected[0].reason


def test_progress_counts_the_files_and_a_cancel_stops(tmp_path: Path) -> None:
    derive_stack(tmp_path, [0, 1, 2])
    seen: list[tuple[int, int]] = []
    open_path(tmp_path, progress=lambda done, total, what: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(Cancelled):
        open_path(tmp_path, cancelled=lambda: True)


def test_listing_reads_the_header_and_not_the_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    big = derive(tmp_path / "big", Rows=2000, Columns=2000, PixelData=bytes(2 * 2000 * 2000))
    read = 0

    class Counting:
        def __init__(self, file: BinaryIO) -> None:
            self._file = file

        def read(self, size: int = -1) -> bytes:
            nonlocal read
            data = self._file.read(size)
            read += len(data)
            return data

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    plain = FileOrigin.open

    @contextmanager
    def counted(origin: FileOrigin) -> Iterator[Any]:
        with plain(origin) as file:
            yield Counting(file)

    monkeypatch.setattr(FileOrigin, "open", counted)
    assert len(names(open_path(tmp_path))) == 1
    assert big.stat().st_size > 8_000_000
    assert 0 < read < 20_000


def test_a_study_without_a_uid_gets_a_stable_one(tmp_path: Path) -> None:
    derive(tmp_path / "a", StudyInstanceUID=None)
    derive(tmp_path / "b", StudyInstanceUID=None)
    (study,) = open_path(tmp_path).studies
    (again,) = open_path(tmp_path).studies
    assert study.uid == again.uid
    assert study.uid.startswith("2.25.")


def test_a_bare_dataset_without_a_file_header_is_opened(tmp_path: Path) -> None:
    whole = sample("MR_small_implicit.dcm").read_bytes()
    meta_length = int.from_bytes(whole[140:144], "little")
    (tmp_path / "bare").write_bytes(whole[144 + meta_length :])
    assert len(names(open_path(tmp_path))) == 1


def test_a_gzipped_image_is_opened() -> None:
    assert len(names(open_path(sample("zipMR.gz")))) == 1


def test_a_zip_lists_its_images_and_rejects_its_other_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "study.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(sample("CT_small.dcm"), "sub/IM1")
        archive.write(sample("README.txt"), "readme")
        archive.writestr("inner.zip", b"PK\x03\x04")
    listing = open_path(tmp_path)
    assert names(listing) == [f"{tmp_path / 'study.zip'} > sub/IM1"]
    assert {rejected.path.split(" > ")[1]: rejected.reason for rejected in listing.rejected} == {
        "readme": "This is not a DICOM file.",
        "inner.zip": "ZIP files inside ZIP files are not supported; unpack it first.",
    }


def test_of_two_members_of_one_name_only_the_one_that_is_read_is_listed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        archive.write(sample("CT_small.dcm"), "IM1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.write(sample("MR_small.dcm"), "IM1")
    listing = open_path(tmp_path / "study.zip")
    (study,) = listing.studies
    (frame,) = study.frames()
    assert study.series[0].modality == "MR"
    assert (read_frame(frame).stored == dataset("MR_small.dcm").pixel_array).all()
    assert [one.reason for one in listing.rejected] == [
        "The ZIP file contains several files of this name; unpack it and open the folder."
    ]


def test_an_archive_without_images_is_rejected_as_one(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
        archive.writestr("a.txt", "one")
        archive.writestr("b.txt", "two")
    (rejected,) = open_path(tmp_path).rejected
    assert rejected.reason == "This ZIP file contains no DICOM files."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x05\x06" + bytes(18), "The ZIP file is empty."),
        (b"neither a ZIP file nor DICOM", "The ZIP file is damaged; copy or download it again."),
    ],
)
def test_a_zip_file_without_members_is_not_called_dicom(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    (rejected,) = open_path(tmp_path).rejected
    assert rejected.reason == reason


def test_an_image_that_ends_within_its_header_may_be_truncated(tmp_path: Path) -> None:
    (tmp_path / "cut.dcm").write_bytes(Path(sample("CT_small.dcm")).read_bytes()[:1000])
    (rejected,) = open_path(tmp_path).rejected
    assert rejected.reason == "This CT Image has no pixel data; the file may be truncated. Send it again."


def test_an_encrypted_archive_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "secret.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(sample("CT_small.dcm"), "a")
    data = bytearray(path.read_bytes())
    data[6] |= 1  # general purpose flag of the local header, then of the central directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    (rejected,) = open_path(path).rejected
    assert rejected.reason == "The ZIP file is password-protected; unpack it first and open the folder."


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(1000))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (3 << 30).to_bytes(4, "little")
    path.write_bytes(data)
    (rejected,) = open_path(path).rejected
    assert "Possible decompression bomb" in rejected.reason


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_damaged_archive_is_rejected(tmp_path: Path, keep: float) -> None:
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.write(sample("CT_small.dcm"), "a")
    data = whole.read_bytes()
    whole.unlink()
    (tmp_path / "cut.zip").write_bytes(data[: int(len(data) * keep)])
    (rejected,) = open_path(tmp_path).rejected
    assert "damaged" in rejected.reason


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [
        ("1.2.840.10008.1.2.4.102", "Video is not supported; export single images instead."),
        (
            "1.2.840.10008.1.2.4.94",
            "JPIP Referenced is not supported; export the image uncompressed.",
        ),
    ],
)
def test_pixels_that_no_decoder_reads_are_refused_by_name(tmp_path: Path, syntax: str, reason: str) -> None:
    derived = dataset("examples_ybr_color.dcm")
    derived.file_meta.TransferSyntaxUID = UID(syntax)
    derived.save_as(tmp_path / "a")
    (rejected,) = open_path(tmp_path).rejected
    assert rejected.reason == reason
