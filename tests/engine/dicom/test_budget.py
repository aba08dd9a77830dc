"""Each file that once took minutes or gigabytes is refused with its reason, and the files beside it are listed."""

import io
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from benchmarks import _hostile_inputs as hostile
from engine.dicom.file import MAX_BYTES, PLAIN_BYTES, read_header
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.pixels import read_frame
from engine.store.safety import trial
from engine.store.safety.trial import TOO_LONG
from tests.engine.dicom_samples import derive


@pytest.fixture(autouse=True)
def short_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SECONDS", 0)
    monkeypatch.setattr("engine.dicom.file.PLAIN_BYTES", PLAIN_BYTES // 8)
    monkeypatch.setattr(trial, "_outcomes", type(trial._outcomes)())


def reasons(folder: Path) -> list[str]:
    """What is said of the files of a folder, as a listing and their first frame are read."""
    listing = open_path(folder)
    told = [rejected.reason for rejected in listing.rejected]
    for study in listing.studies:
        for ref in study.frames():
            try:
                read_frame(ref)
            except UserError as error:
                told.append(str(error))
    return told


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (hostile.box_of_no_length, "the file is damaged or truncated"),
        (hostile.huge_claim, "the file is damaged or truncated"),
        (hostile.flat_claim, TOO_LONG),
        (partial(hostile.many_items, count=100_000), TOO_LONG),
        (partial(hostile.many_values, count=3_000_000), TOO_LONG),
        (hostile.zip_with_bad_lzma, "The ZIP file is damaged"),
        (partial(hostile.gzip_of_zeros, size=1 << 26), "begins with zeros alone"),
    ],
)
def test_what_floods_or_hangs_is_refused_alone(make: Callable[[Path], None], reason: str, tmp_path: Path) -> None:
    make(tmp_path / "a hostile file")
    derive(tmp_path / "another", "CT_small.dcm")
    (told,) = reasons(tmp_path)
    assert reason in told


def test_a_plain_file_is_never_tried_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(trial, "_outcome", lambda task: pytest.fail("tried out"))
    monkeypatch.setattr("engine.dicom.file.PLAIN_BYTES", PLAIN_BYTES)
    for name in ("MR_small_jp2klossless.dcm", "emri_small_jpeg_2k_lossless.dcm", "RG1_J2KR.dcm", "emri_small.dcm"):
        derive(tmp_path / name, name)
    assert reasons(tmp_path) == []


def test_a_large_header_within_the_budget_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(trial, "SECONDS", 4)
    tried: list[bytes] = []
    outcome = trial._outcome

    def watched(task: bytes) -> UserError | None:
        tried.append(task)
        return outcome(task)

    monkeypatch.setattr(trial, "_outcome", watched)
    item = Dataset()
    item.ReferencedSOPInstanceUID = generate_uid()
    derive(tmp_path / "large", ReferencedImageSequence=[item] * 2000, ModalityLUTSequence=[])
    assert (tmp_path / "large").stat().st_size > PLAIN_BYTES // 8
    assert reasons(tmp_path) == []
    assert len(tried) == 1


def test_a_zip_file_of_very_many_names_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one", b"")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x05\x06")
    data[at + 12 : at + 16] = struct.pack("<L", 100 << 20)
    path.write_bytes(data)
    (rejected,) = open_path(path).rejected
    assert "lists too many files" in rejected.reason


def test_a_length_that_the_file_does_not_have_takes_no_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A read of 3 GB reserves them, however short the file is."""
    monkeypatch.setattr(trial, "SECONDS", 4)
    item = Dataset()
    item.ReferencedSOPInstanceUID = generate_uid()
    path = derive(tmp_path / "large", ReferencedImageSequence=[item] * 2000, ModalityLUTSequence=[])
    asked: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            asked.append(size or 0)
            return super().read(size)

    file = Watched(path.read_bytes().replace(b"\x08\x00\x60\x00", b"\x08\x00\x61\x00UN\0\0\0\0\0\xc0", 1))
    with suppress(UserError):
        read_header(file)
    assert max(asked) <= MAX_BYTES
