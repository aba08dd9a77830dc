"""ZIP files and DICOMDIRs are recognized by what they are, and nothing is left out without a reason."""

import gzip
import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from engine.dicom.listing import INDEX_ALONE, Listing, open_path
from engine.dicom.origins import PART_OF_ZIP
from tests.engine.dicom_samples import PYDICOM_FILES, derive, sample

MEDIUM = PYDICOM_FILES / "test_files" / "dicomdirtests"


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def images(listing: Listing) -> int:
    return sum(len(list(study.frames())) for study in listing.studies)


def reasons(listing: Listing) -> list[str]:
    return [one.reason for one in listing.rejected]


IMAGE = sample("CT_small.dcm").read_bytes()


@pytest.mark.parametrize("before", [b"PK\7\x08", b"PK00", b"MZ" + b"\0" * 510, b"#!/bin/sh\nexit\n"])
def test_a_zip_file_is_opened_whatever_stands_before_it(tmp_path: Path, before: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(before + zipped(("IM1", IMAGE)))
    listing = open_path(path)
    assert images(listing) == 1
    assert listing.studies[0].series[0].frames[0].image.name.endswith("a > IM1")


@pytest.mark.parametrize("before", [b"", b"MZ" + b"\0" * 510])
def test_an_empty_zip_file_is_called_empty(tmp_path: Path, before: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(before + zipped())
    assert reasons(open_path(tmp_path)) == ["The ZIP file is empty."]


def test_a_part_of_a_split_zip_file_is_called_one(tmp_path: Path) -> None:
    data = bytearray(zipped(("IM1", IMAGE)))
    end = data.rindex(b"PK\5\6")
    data[end + 4 : end + 8] = b"\1\0\1\0"
    data[end - 20 : end] = b"PK\6\7" + b"\0" * 12 + b"\2\0\0\0"
    (tmp_path / "a.zip").write_bytes(data)
    assert reasons(open_path(tmp_path)) == [PART_OF_ZIP]


def test_a_preamble_that_looks_like_another_file_is_a_preamble(tmp_path: Path) -> None:
    for name, start in (("a", b"PK\3\4"), ("b", b"\x1f\x8b"), ("c", b"II*\0"), ("d", b"PK\7\x08")):
        path = derive(tmp_path / name)
        path.write_bytes(start + path.read_bytes()[len(start) :])
    assert images(open_path(tmp_path)) == 4


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("7z", b"7z\xbc\xaf\x27\x1c" + bytes(40)),
        ("RAR", b"Rar!\x1a\7\1\0" + bytes(40)),
        ("bzip2", b"BZh91AY" + bytes(40)),
        ("xz", b"\xfd7zXZ\0" + bytes(40)),
        ("Zstandard", b"\x28\xb5\x2f\xfd" + bytes(40)),
        ("ISO 9660", bytes(0x8001) + b"CD001" + bytes(40)),
    ],
)
def test_other_containers_are_refused_by_name(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    assert reasons(open_path(tmp_path)) == [
        f"This is a {name} file, which is not opened here; unpack it first and open the folder."
    ]


def test_a_tar_file_is_named_also_when_it_is_packed_with_gzip(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(sample("CT_small.dcm"), "IM1")
    (tmp_path / "b.tar.gz").write_bytes(gzip.compress((tmp_path / "a.tar").read_bytes()))
    (tmp_path / "c.zip").write_bytes(zipped(("a.tar", (tmp_path / "a.tar").read_bytes())))
    assert all(reason.startswith("This is a tar file") for reason in reasons(open_path(tmp_path)))
    assert len(reasons(open_path(tmp_path))) == 3


@pytest.mark.parametrize("name", ["index.dcm", "medium.bin", "DIRFILE", "dicomdir.txt"])
def test_a_dicomdir_opens_its_files_under_any_name(tmp_path: Path, name: str) -> None:
    for folder in ("77654033", "98892001", "98892003"):
        shutil.copytree(MEDIUM / folder, tmp_path / folder)
    shutil.copy(MEDIUM / "DICOMDIR", tmp_path / name)
    derive(tmp_path / "77654033" / "unnamed.dcm")
    listing = open_path(tmp_path / name)
    assert images(listing) == 31
    assert listing.skipped == (str(tmp_path / name),)
    assert listing.rejected == ()


def test_a_dicomdir_that_leads_to_no_image_says_so(tmp_path: Path) -> None:
    shutil.copy(MEDIUM / "DICOMDIR", tmp_path / "DICOMDIR")
    (tmp_path / "a.zip").write_bytes(zipped(("DICOMDIR", (MEDIUM / "DICOMDIR").read_bytes())))
    (tmp_path / "b.gz").write_bytes(gzip.compress((MEDIUM / "DICOMDIR").read_bytes()))
    assert reasons(open_path(tmp_path)) == [INDEX_ALONE] * 3
    for name in ("a.zip", "b.gz"):
        assert reasons(open_path(tmp_path / name)) == [INDEX_ALONE]
    (tmp_path / "a.zip").rename(tmp_path / "z.zip")
    assert "None of the 31 files" in reasons(open_path(tmp_path / "DICOMDIR"))[0]
