"""An index of frames inside a file is checked against the data: no other frame is shown. All files derived."""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.uid import UID, JPEGLSLossless, RLELossless

from engine.dicom.coding.bounded_read import STEP
from engine.dicom.coding.fragments import frame_bytes
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.pixels import read_frame
from tests.engine.dicom.test_pixel_form import NATIVE, rle
from tests.engine.dicom_samples import derive

FRAMES = [NATIVE, NATIVE[::-1].copy(), NATIVE.T.copy()]
"""Three different ones."""


def item(data: bytes) -> bytes:
    data += b"\0" * (len(data) % 2)
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(data)) + data


def fragments_of(encode: Callable[..., Any], pieces: int) -> list[list[bytes]]:
    """The fragments of each frame."""
    coded = [encode(frame) for frame in FRAMES]
    size = [len(one) // pieces // 2 * 2 + 2 for one in coded]
    return [[one[at : at + step] for at in range(0, len(one), step)] for one, step in zip(coded, size, strict=True)]


def made(
    path: Path,
    fragments: list[list[bytes]],
    basic: list[int] | bytes,
    extended: tuple[list[int], list[int]] | None,
    syntax: UID = JPEGLSLossless,
) -> Path:
    """A file with these fragments and whatever tables."""
    derive(path, "CT_small.dcm", PixelRepresentation=0, NumberOfFrames=len(FRAMES))
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax
    table = basic if isinstance(basic, bytes) else struct.pack(f"<{len(basic)}L", *basic)
    head = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(table)) + table
    dataset.PixelData = head + b"".join(item(one) for frame in fragments for one in frame) + b"\xfe\xff\xdd\xe0\0\0\0\0"
    if extended is not None:
        offsets, lengths = extended
        dataset.ExtendedOffsetTable = struct.pack(f"<{len(offsets)}Q", *offsets)
        dataset.ExtendedOffsetTableLengths = struct.pack(f"<{len(lengths)}Q", *lengths)
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.save_as(path, enforce_file_format=True)
    return path


def tables(fragments: list[list[bytes]]) -> tuple[list[int], list[int]]:
    """The right offset of each frame, and the length of its first fragment."""
    sizes = [sum(len(item(one)) for one in frame) for frame in fragments]
    return [sum(sizes[:n]) for n in range(len(sizes))], [len(frame[0]) for frame in fragments]


def shown(path: Path) -> list[NDArray[Any] | None]:
    """Stored values of each frame; None where it is refused."""
    found: list[NDArray[Any] | None] = []
    for frame in open_path(path).studies[0].frames():
        try:
            found.append(read_frame(frame).stored)
        except UserError:
            found.append(None)
    return found


CODECS: dict[str, Callable[..., Any]] = {JPEGLSLossless: imagecodecs.jpegls_encode, RLELossless: rle}
DAMAGE: dict[str, Callable[[list[int]], list[int]]] = {
    "right": lambda table: table,
    "one twice": lambda table: [table[0], table[0], table[2]],
    "swapped": lambda table: [table[1], table[0], table[2]],
    "rotated": lambda table: [table[1], table[2], table[0]],
    "shifted": lambda table: [one + 8 for one in table],
    "from the table on": lambda table: [one + 8 + 4 * len(table) for one in table],
    "inside a frame": lambda table: [table[0], table[1] - 200, table[2]],
    "beyond the end": lambda table: [table[0], table[1], 1 << 31],
    "too short": lambda table: table[:2],
    "too long": lambda table: [*table, table[-1]],
    "zeros": lambda table: [0] * len(table),
    "one": lambda table: [0],
}


@pytest.mark.parametrize("syntax", CODECS)
@pytest.mark.parametrize("kind", ["basic", "extended"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_no_other_frame_is_shown_than_the_one_that_was_asked_for(
    tmp_path: Path, damage: str, kind: str, syntax: UID
) -> None:
    fragments = fragments_of(CODECS[syntax], 1)
    offsets, lengths = tables(fragments)
    wrong = DAMAGE[damage](offsets)
    sizes = [*lengths, *lengths][: len(wrong)]
    basic, extended = (wrong, None) if kind == "basic" else ([], (wrong, sizes))
    path = made(tmp_path / "a", fragments, basic, extended, syntax)
    found = shown(path)
    for own, right in zip(found, FRAMES, strict=True):
        assert own is not None  # one fragment a frame: the data say where each begins
        assert np.array_equal(own, right)


@pytest.mark.parametrize("damage", ["right", "one twice", "swapped", "shifted", "inside a frame", "too short"])
def test_frames_of_several_fragments_are_found_by_the_table_or_by_their_codestreams(
    tmp_path: Path, damage: str
) -> None:
    fragments = fragments_of(CODECS[JPEGLSLossless], 3)
    path = made(tmp_path / "a", fragments, DAMAGE[damage](tables(fragments)[0]), None)
    for own, right in zip(shown(path), FRAMES, strict=True):
        assert own is not None
        assert np.array_equal(own, right)


def test_rle_of_several_fragments_needs_a_right_table(tmp_path: Path) -> None:
    """Codestreams of RLE have no end mark, and each is one fragment (PS3.5 A.4.2)."""
    fragments = fragments_of(rle, 2)
    found = shown(made(tmp_path / "a", fragments, DAMAGE["inside a frame"](tables(fragments)[0]), None, RLELossless))
    assert all(own is None or np.array_equal(own, right) for own, right in zip(found, FRAMES, strict=True))


@pytest.mark.parametrize("lengths", ["short", "long", "zero", "fewer"])
def test_lengths_of_the_extended_table_are_checked_too(tmp_path: Path, lengths: str) -> None:
    fragments = fragments_of(CODECS[JPEGLSLossless], 1)
    offsets, right = tables(fragments)
    wrong = {"short": [n // 2 for n in right], "long": [n + 99 for n in right], "zero": [0] * 3, "fewer": right[:2]}
    path = made(tmp_path / "a", fragments, [], (offsets, wrong[lengths]))
    for own, true in zip(shown(path), FRAMES, strict=True):
        assert own is not None
        assert np.array_equal(own, true)


@pytest.mark.parametrize("basic", [b"\0" * 3, b"\xff" * 12])
def test_a_table_that_is_none_is_not_used(tmp_path: Path, basic: bytes) -> None:
    found = shown(made(tmp_path / "a", fragments_of(CODECS[JPEGLSLossless], 1), basic, None))
    assert all(own is None or np.array_equal(own, right) for own, right in zip(found, FRAMES, strict=True))


class Watched(io.BytesIO):
    """Remembers the most bytes that were asked for at once: a file would reserve them."""

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        self.most = max(self.most, size or 0)
        return super().read(size)


@pytest.mark.parametrize("place", ["table", "fragment"])
def test_no_room_is_made_for_bytes_that_only_a_length_claims(place: str) -> None:
    """Found by 100,000 damaged files: an offset table that claims 4 GB ended the reading with a MemoryError."""
    claims = b"\xfe\xff\x00\xe0" + struct.pack("<L", 0xFFFFFFF0)
    file = Watched(claims + b"1234" if place == "table" else item(b"") + claims + b"\xff\xd8\xff1")
    try:
        found = frame_bytes(file, 0, 1)
    except ValueError:
        found = b""
    assert len(found) <= 4
    assert file.most <= STEP
