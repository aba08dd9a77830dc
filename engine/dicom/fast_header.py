"""Reads the elements of a plain DICOM header in one pass over its bytes. Knows nothing of what they mean.

pydicom takes 2 to 3 ms for a header of a hundred elements, most of it for objects that nobody uses; this reader takes a
tenth of that and converts values on demand. Whatever is not plain little endian DICOM (PS3.5 7.1, PS3.10 7.1), or
needs the items of a sequence, is left to pydicom: `read_fast_header` returns None rather than guess.
"""

import io
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, BinaryIO

from pydicom.charset import convert_encodings
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from engine.dicom.parser_warnings import collect_warnings

FIRST_BYTES = 1 << 14
"""Bytes of the first read; each further one takes eight times as many."""
MAX_BYTES = 1 << 24
"""Longer headers are left to pydicom."""
MAX_DEPTH = 12
"""Deeper nested sequences are left to pydicom."""
MAX_ITEMS = 10_000
"""Longer sequences are left to pydicom."""

_LONG_VRS = frozenset((b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"))
_SHORT_VRS = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS")
) | frozenset((b"ST", b"TM", b"UI", b"UL", b"US"))
_NUMBER_FORMATS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
_TEXT_VRS = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UI"))
_LONGEST_TEXT = 0xFFFE
"""Bytes that explicit VR has for such values (PS3.5 7.1.2); longer ones are millions of values."""
_UNDEFINED = 0xFFFFFFFF
_OVERLAYS = 0x60
"""Upper byte of the repeating groups of overlays (PS3.3 C.9.2), which have no keyword of their own."""
_PIXEL_DATA = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_NOT_PLAIN = frozenset((DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian))


class _NotPlain(Exception):
    """Only pydicom can read these bytes."""


class _Truncated(Exception):
    """The bytes end before the header does."""


class Elements:
    """Top-level elements of a header or its file meta information, kept as bytes and converted on demand."""

    __slots__ = ("_encodings", "_found", "_implicit")

    def __init__(self, found: dict[int, tuple[bytes, bytes]], implicit: bool) -> None:
        self._found, self._implicit = found, implicit
        self._encodings: list[str] | None = None

    def __contains__(self, keyword: object) -> bool:
        return isinstance(keyword, str) and _tag(keyword) in self._found

    def get(self, keyword: str, /) -> Any:
        """The value as pydicom gives it, except that decimal and integer strings stay text; None when absent or empty.

        Raises:
            Exception: the value is damaged; pydicom does not document the types.
        """
        tag = _tag(keyword)
        element = self._found.get(tag)
        if element is None or not element[1]:
            return None
        vr = element[0].decode() if element[0] not in (b"", b"UN") else dictionary_VR(tag)
        data = element[1]
        if vr in _TEXT_VRS and data.isascii() and b"\x1b" not in data:
            text = data.decode().rstrip("\0 ")
            return text.split("\\") if "\\" in text else text
        if vr == "US or SS":
            vr = "SS" if self.get("PixelRepresentation") == 1 else "US"
        form = _NUMBER_FORMATS.get(vr)
        if form is not None and len(data) % struct.calcsize(f"<{form}") == 0:
            values = struct.unpack(f"<{len(data) // struct.calcsize(f'<{form}')}{form}", data)
            return values[0] if len(values) == 1 else list(values)
        if vr in ("OB", "OW"):
            return data
        with collect_warnings():
            raw = RawDataElement(BaseTag(tag), vr, len(data), data, 0, self._implicit, True)
            return convert_raw_data_element(raw, encoding=self._character_set()).value

    def _character_set(self) -> list[str]:
        if self._encodings is None:
            self._encodings = convert_encodings(self.get("SpecificCharacterSet"))
        return self._encodings


class FileMeta(Elements):
    """The file meta information (PS3.10 7.1)."""

    __slots__ = ("TransferSyntaxUID",)

    def __init__(self, found: dict[int, tuple[bytes, bytes]], syntax: UID) -> None:
        super().__init__(found, implicit=False)
        self.TransferSyntaxUID = syntax


class FastHeader(Elements):
    """A plain header without its sequences."""

    __slots__ = ("file_meta",)

    def __init__(self, found: dict[int, tuple[bytes, bytes]], implicit: bool, meta: FileMeta) -> None:
        super().__init__(found, implicit)
        self.file_meta = meta


def read_fast_header(file: BinaryIO, wanted_sequences: frozenset[int | None]) -> FastHeader | None:
    """The header of a plain DICOM file, leaving `file` at the pixel data element; None when pydicom must read it.

    Args:
        file: positioned anywhere; read from the start.
        wanted_sequences: tags that the caller needs and only pydicom can read; headers with one of them give None.
    """
    size = FIRST_BYTES
    while size <= MAX_BYTES:
        file.seek(0)
        data = file.read(size)
        try:
            header, at = _header(data, wanted_sequences)
        except _Truncated:
            if len(data) < size:
                return None
            size *= 8
        except (_NotPlain, struct.error, UnicodeDecodeError):
            return None
        else:
            file.seek(at, io.SEEK_SET)
            return header
    return None


def _header(data: bytes, wanted: frozenset[int | None]) -> tuple[FastHeader, int]:
    if data[128:132] != b"DICM":
        raise _NotPlain
    meta: dict[int, tuple[bytes, bytes]] = {}
    at = _elements(data, 132, _explicit, meta, frozenset(), stop=lambda tag: tag >> 16 != 2)
    syntax = _uid(meta.get(0x00020010, (b"", b""))[1])
    if not syntax.is_transfer_syntax or syntax in _NOT_PLAIN:
        raise _NotPlain
    implicit = syntax == ImplicitVRLittleEndian
    if implicit and data[at + 4 : at + 6] in _LONG_VRS | _SHORT_VRS:
        raise _NotPlain
    found: dict[int, tuple[bytes, bytes]] = {}
    at = _elements(data, at, _implicit if implicit else _explicit, found, wanted, stop=_PIXEL_DATA.__contains__)
    return FastHeader(found, implicit, FileMeta(meta, syntax)), at


def meta_uid(head: bytes, tag: int) -> UID:
    """A UID in the file meta information that begins a file (PS3.10 7.1); "" without one."""
    meta: dict[int, tuple[bytes, bytes]] = {}
    if head[128:132] == b"DICM":
        with suppress(_NotPlain, _Truncated, struct.error):
            _elements(head, 132, _explicit, meta, frozenset(), stop=lambda tag: tag >> 16 != 2)
    return UID(meta.get(tag, (b"", b""))[1].decode("latin-1").rstrip("\0 "), validation_mode=IGNORE)


_Step = Callable[[bytes, int], tuple[int, bytes, int, int]]


def _elements(
    data: bytes,
    at: int,
    step: _Step,
    found: dict[int, tuple[bytes, bytes]],
    wanted: frozenset[int | None],
    stop: Callable[[int], bool],
) -> int:
    """Collect elements into `found` until `stop`; the offset of that element. Tags must ascend (PS3.5 7.1)."""
    last = -1
    size = len(data)
    while True:
        tag, vr, value, length = step(data, at)
        if stop(tag):
            return at
        if tag <= last or tag >> 16 == 0xFFFE or tag >> 24 == _OVERLAYS or tag in wanted:
            raise _NotPlain
        last = tag
        if length == _UNDEFINED:
            if vr == b"UN":
                raise _NotPlain  # its items are always implicit VR (PS3.5 6.2.2)
            at = _past_items(data, value, step, 0)
            continue
        at = value + length
        if at > size:
            raise _Truncated
        if length > _LONGEST_TEXT and vr in (b"", b"UN") and _dictionary_vr(tag) in _TEXT_VRS:
            raise _NotPlain
        if vr != b"SQ":
            found[tag] = (vr, data[value:at])


def _explicit(data: bytes, at: int) -> tuple[int, bytes, int, int]:
    """Tag, VR, offset of the value and its length (PS3.5 7.1.2)."""
    if at + 12 > len(data):
        raise _Truncated
    group, element, vr, length = struct.unpack_from("<HH2sH", data, at)
    tag = group << 16 | element
    if vr in _SHORT_VRS:
        return tag, vr, at + 8, length
    if vr in _LONG_VRS:
        return tag, vr, at + 12, struct.unpack_from("<L", data, at + 8)[0]
    if group == 0xFFFE:
        return tag, b"", at + 8, struct.unpack_from("<L", data, at + 4)[0]
    raise _NotPlain


def _implicit(data: bytes, at: int) -> tuple[int, bytes, int, int]:
    """Tag, empty VR, offset of the value and its length (PS3.5 7.1.3)."""
    if at + 8 > len(data):
        raise _Truncated
    group, element, length = struct.unpack_from("<HHL", data, at)
    return group << 16 | element, b"", at + 8, length


def _past_items(data: bytes, at: int, step: _Step, depth: int) -> int:
    """Offset after a sequence of undefined length (PS3.5 7.5)."""
    if depth > MAX_DEPTH:
        raise _NotPlain
    for _ in range(MAX_ITEMS):
        tag, _, value, length = _implicit(data, at)
        if tag == _SEQUENCE_END:
            return value
        if tag != _ITEM:
            raise _NotPlain
        at = _past_item(data, value, step, depth) if length == _UNDEFINED else value + length
    raise _NotPlain


def _past_item(data: bytes, at: int, step: _Step, depth: int) -> int:
    while True:
        tag, vr, value, length = step(data, at)
        if tag == _ITEM_END:
            return value
        if tag >> 16 == 0xFFFE or (vr == b"UN" and length == _UNDEFINED):
            raise _NotPlain
        at = _past_items(data, value, step, depth + 1) if length == _UNDEFINED else value + length


@cache
def _uid(data: bytes) -> UID:
    return UID(data.decode("ascii").rstrip("\0 "))


def _dictionary_vr(tag: int) -> str:
    return dictionary_VR(tag) if dictionary_has_tag(tag) else ""


@cache
def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    return -1 if tag is None else tag
