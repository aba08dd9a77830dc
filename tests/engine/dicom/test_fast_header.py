"""Fast headers: exactly what pydicom reads, or the file is left to pydicom."""

from pathlib import Path
from typing import BinaryIO

import pytest

from engine.dicom.coding.pixel_data import true_syntax
from engine.dicom.fast_header import read_fast_header
from engine.dicom.file import read_header
from engine.dicom.header import SEQUENCES, TAGS, instance
from engine.dicom.origins import FileOrigin
from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.values import FileHeader
from engine.errors import UserError
from tests.engine.dicom_samples import PYDICOM_DATA, PYDICOM_FILES, derive, sample


def every_file() -> list[Path]:
    return [path for folder in (PYDICOM_FILES, PYDICOM_DATA) for path in sorted(folder.rglob("*")) if path.is_file()]


def syntax_or_reason(file: BinaryIO, header: FileHeader) -> str:
    try:
        return true_syntax(file, header)
    except UserError as error:
        return str(error)


def test_the_fast_header_of_every_real_file_gives_the_same_image_as_pydicom() -> None:
    compared = 0
    for path in every_file():
        with collect_warnings(), FileOrigin(path).open() as file:
            quick = read_fast_header(file, SEQUENCES)
            if quick is None:
                continue
            pixels_at = file.tell()
            slow = read_header(file, TAGS)
            assert file.tell() == pixels_at, path
            try:
                expected = instance(slow, FileOrigin(path))
            except UserError as error:
                with pytest.raises(UserError, match=str(error)[:30]):
                    instance(quick, FileOrigin(path))
                continue
            assert instance(quick, FileOrigin(path)) == expected, path
            syntax = syntax_or_reason(file, slow)
            file.seek(pixels_at)
            assert syntax_or_reason(file, quick) == syntax
            compared += 1
    assert compared > 100


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("image_dfl.dcm", "deflated"),
        ("MR_small_bigendian.dcm", "big endian"),
        ("README.txt", "no DICOM"),
        ("eCT_Supplemental.dcm", "functional groups"),
        ("no_meta.dcm", "no file meta information"),
    ],
)
def test_what_is_not_plain_is_left_to_pydicom(name: str, why: str) -> None:
    with sample(name).open("rb") as file:
        assert read_fast_header(file, SEQUENCES) is None, why


def test_names_in_other_alphabets_are_decoded_as_pydicom_does(tmp_path: Path) -> None:
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    path = derive(tmp_path / "name", SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName=name)
    with path.open("rb") as file:
        header = read_fast_header(file, SEQUENCES)
    assert header is not None
    assert str(header.get("PatientName")) == name


def test_a_header_longer_than_the_first_read_is_read_too(tmp_path: Path) -> None:
    path = derive(tmp_path / "long", ImageComments="words " * 1500, AdditionalPatientHistory="more " * 2000)
    with path.open("rb") as file:
        header = read_fast_header(file, SEQUENCES)
        assert header is not None
        assert len(header.get("AdditionalPatientHistory")) > 9000
        assert header.get("Rows") == 64


def test_only_the_elements_to_keep_are_kept_and_the_pixel_data_are_found_as_ever() -> None:
    kept = frozenset((0x00100020, 0x0020000D))
    compared = 0
    for path in every_file():
        with path.open("rb") as file:
            whole = read_fast_header(file, frozenset())
            pixels_at = file.tell()
            some = read_fast_header(file, frozenset(), kept)
            if whole is None:
                continue
            assert some is not None, path
            assert file.tell() == pixels_at, path
        for keyword in ("PatientID", "StudyInstanceUID"):
            assert some.get(keyword) == whole.get(keyword), path
        assert "Rows" not in some
        compared += 1
    assert compared > 100
