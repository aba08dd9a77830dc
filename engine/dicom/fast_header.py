"""Reads the elements of a plain DICOM header in one pass over its bytes. Knows nothing of what they mean.

pydicom takes 2 to 3 ms for a header of a hundred elements, most of it for objects that nobody uses; this reader takes a
tenth of that and converts values on demand. Whatever is not plain little endian DICOM (PS3.5 7.1, PS3.10 7.1), or
needs the items of a sequence, is left to pydicom: `read_fast_header` returns None rather than guess.
"""

import io
import struct
from contextlib import suppress
from functools import cache
from typing import Any, BinaryIO

from pydicom.charset import convert_encodings
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from engine.dicom.coding.element_walk import (
    LONG_VRS,
    SHORT_VRS,
    TEXT_VRS,
    Found,
    NotPlain,
    Truncated,
    file_meta_elements,
    header_elements,
)
from engine.dicom.parser_warnings import collect_warnings

FIRST_BYTES = 1 << 14
"""Bytes of the first read; each further one takes eight times as many."""
MAX_BYTES = 1 << 24
"""Longer headers are left to pydicom."""

_NUMBER_FORMATS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
_NOT_PLAIN = frozenset((DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian))


class Elements:
    """Top-level elements of a header or its file meta information, kept as bytes and converted on demand."""

    __slots__ = ("_encodings", "_found", "_implicit")

    def __init__(self, found: Found, implicit: bool) -> None:
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
        if vr in TEXT_VRS and data.isascii() and b"\x1b" not in data:
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

    def __init__(self, found: Found, syntax: UID) -> None:
        super().__init__(found, implicit=False)
        self.TransferSyntaxUID = syntax


class FastHeader(Elements):
    """A plain header without its sequences."""

    __slots__ = ("file_meta",)

    def __init__(self, found: Found, implicit: bool, meta: FileMeta) -> None:
        super().__init__(found, implicit)
        self.file_meta = meta


def read_fast_header(
    file: BinaryIO, wanted_sequences: frozenset[int | None], kept: frozenset[int] | None = None
) -> FastHeader | None:
    """The header of a plain DICOM file, leaving `file` at the pixel data element; None when pydicom must read it.

    Args:
        file: positioned anywhere; read from the start.
        wanted_sequences: tags that the caller needs and only pydicom can read; headers with one of them give None.
        kept: tags to keep; None keeps all, which takes half as long again.
    """
    size = FIRST_BYTES
    while size <= MAX_BYTES:
        file.seek(0)
        data = file.read(size)
        try:
            header, at = _header(data, wanted_sequences, kept)
        except Truncated:
            if len(data) < size:
                return None
            size *= 8
        except (NotPlain, UnicodeDecodeError):
            return None
        else:
            file.seek(at, io.SEEK_SET)
            return header
    return None


def _header(data: bytes, wanted: frozenset[int | None], kept: frozenset[int] | None) -> tuple[FastHeader, int]:
    meta: Found = {}
    at = file_meta_elements(data, meta)
    syntax = _uid(meta.get(0x00020010, (b"", b""))[1])
    if not syntax.is_transfer_syntax or syntax in _NOT_PLAIN:
        raise NotPlain
    implicit = syntax == ImplicitVRLittleEndian
    if implicit and data[at + 4 : at + 6] in LONG_VRS | SHORT_VRS:
        raise NotPlain
    found, end = header_elements(data, at, implicit, kept, wanted)
    return FastHeader(found, implicit, FileMeta(meta, syntax)), end


def meta_uid(head: bytes, tag: int) -> UID:
    """A UID in the file meta information that begins a file (PS3.10 7.1); "" without one."""
    meta: Found = {}
    with suppress(NotPlain, Truncated):
        file_meta_elements(head, meta)
    return UID(meta.get(tag, (b"", b""))[1].decode("latin-1").rstrip("\0 "), validation_mode=IGNORE)


@cache
def _uid(data: bytes) -> UID:
    return UID(data.decode("ascii").rstrip("\0 "))


@cache
def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    return -1 if tag is None else tag
