"""Multipart answers taken apart, wherever the network cuts them."""

import pytest

from engine.pacs.dicomweb.multipart import BrokenMultipartError, media_type, parts

BODIES = [b"first", b"", b"third\r\n--bound", b"--boundary"[:6] + bytes(range(256))]
HEAD = b"Content-Type: application/dicom\r\n\r\n"
WHOLE = b"".join(b"\r\n--boundary\r\n" + HEAD + body for body in BODIES) + b"\r\n--boundary--\r\n"


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
@pytest.mark.parametrize("start", [0, 2], ids=["with a line break before", "without"])
def test_each_part_is_whole_wherever_the_message_is_cut(size: int, start: int) -> None:
    assert list(parts(cut(WHOLE[start:], size), "boundary", 1 << 20)) == BODIES


@pytest.mark.parametrize("size", [1, 64, 10_000])
def test_a_preamble_and_what_follows_the_end_are_no_parts(size: int) -> None:
    assert list(parts(cut(b"preamble\r\n" + WHOLE + b"more", size), "boundary", 1 << 20)) == BODIES


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_a_part_that_is_too_large_is_passed_over_and_the_next_ones_are_not(size: int) -> None:
    large = bytes(3 << 20)
    message = b"--b\r\n" + HEAD + large + b"\r\n--b\r\n" + HEAD + b"small\r\n--b--"
    assert list(parts(cut(message, size), "b", 1 << 20)) == [None, b"small"]
    assert list(parts(cut(message, size), "b", 4 << 20)) == [large, b"small"]


@pytest.mark.parametrize("missing", [1, 5, 14, 100, 200])
def test_a_message_that_ends_early_is_said_after_the_parts_before(missing: int) -> None:
    found: list[bytes | None] = []
    with pytest.raises(BrokenMultipartError):
        found.extend(parts([WHOLE.rstrip()[:-missing]], "boundary", 1 << 20))
    assert found == BODIES[: len(found)]


def test_an_empty_message_has_no_parts() -> None:
    assert list(parts([b"--b--"], "b", 10)) == []


def test_the_boundary_may_be_quoted() -> None:
    said = 'multipart/related; type="application/dicom"; boundary="a=b;c"'
    assert media_type(said) == ("multipart/related", "a=b;c")
    assert media_type("Multipart/Related;boundary=x")[1] == "x"
    assert media_type("application/dicom") == ("application/dicom", "")
    assert media_type("")[1] == ""
