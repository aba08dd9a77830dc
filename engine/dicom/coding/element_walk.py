"""Walks over the elements of plain little endian DICOM (PS3.5 7.1) and keeps the bytes of some. Knows no meaning.

Whatever is not plain is refused, so that pydicom reads it: out of order, or with lengths that no such value has.
"""

import struct

from pydicom.datadict import dictionary_has_tag, dictionary_VR

MAX_DEPTH = 12
"""Deeper nested sequences are not plain."""
MAX_ITEMS = 10_000
"""Longer sequences are not plain."""
TEXT_VRS = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UI"))
LONG_VRS = frozenset((b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"))
SHORT_VRS = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS")
) | frozenset((b"ST", b"TM", b"UI", b"UL", b"US"))

Found = dict[int, tuple[bytes, bytes]]
"""VR (empty where it is implicit) and value of elements, by tag."""

_LONGEST_TEXT = 0xFFFE
"""Bytes that explicit VR has for such values (PS3.5 7.1.2); longer ones are millions of values."""
_UNDEFINED = 0xFFFFFFFF
_OVERLAYS = 0x60
"""Upper byte of the repeating groups of overlays (PS3.3 C.9.2), which have no keyword of their own."""
_NOT_USUAL = _OVERLAYS << 24
"""Tags from here on are overlays, pixel data, or at a wrong place."""
_PIXEL_DATA = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_explicit_at = struct.Struct("<HH2sH").unpack_from
_implicit_at = struct.Struct("<HHL").unpack_from
_length_at = struct.Struct("<L").unpack_from


class NotPlain(Exception):
    """Only pydicom can read these bytes."""


class Truncated(Exception):
    """The bytes end before the header does."""


def file_meta_elements(data: bytes, found: Found) -> int:
    """Collect the file meta information of a file that has a preamble (PS3.10 7.1); the offset after it.

    Args:
        data: the first bytes of the file.
        found: filled, also where an error follows.

    Raises:
        NotPlain: there is none, or a damaged one.
        Truncated: it does not end.
    """
    if data[128:132] != b"DICM":
        raise NotPlain
    at = 132
    try:
        while True:
            tag, vr, value, length = _element(data, at, implicit=False)
            if tag >> 16 != 2:
                return at
            at = value + length
            found[tag] = (vr, data[value:at])
    except struct.error:
        raise Truncated from None


def header_elements(
    data: bytes, at: int, implicit: bool, kept: frozenset[int] | None, refused: frozenset[int | None]
) -> tuple[Found, int]:
    """The elements of a dataset before its pixel data, without sequences, and the offset of the pixel data element.

    Args:
        data: the first bytes of a file.
        at: offset of the first element.
        implicit: whether VRs are implicit (PS3.5 7.1.3).
        kept: tags of the elements to keep; None for all.
        refused: tags of elements that only pydicom can read.

    Raises:
        NotPlain: only pydicom can read it, or it has an element that is refused.
        Truncated: the bytes end before the pixel data.
    """
    found: Found = {}
    last = -1
    try:
        while True:
            # `_element` in line: to call it for each of 260 elements takes longer than all the rest
            if implicit:
                group, element, length = _implicit_at(data, at)
                vr, value = b"", at + 8
            else:
                group, element, vr, length = _explicit_at(data, at)
                value = at + 8
                if vr not in SHORT_VRS:
                    if vr not in LONG_VRS:
                        raise NotPlain
                    (length,) = _length_at(data, value)
                    value += 4
            tag = group << 16 | element
            if tag >= _NOT_USUAL:
                if tag in _PIXEL_DATA:
                    return found, at
                if tag >> 24 == _OVERLAYS or group == 0xFFFE:
                    raise NotPlain
            if tag <= last or tag in refused:
                raise NotPlain
            last = tag
            if length == _UNDEFINED:
                if vr == b"UN":
                    raise NotPlain  # its items are always implicit VR (PS3.5 6.2.2)
                at = _past_items(data, value, implicit, 0)
                continue
            at = value + length
            if kept is None or tag in kept:
                if at > len(data):
                    raise Truncated
                if length > _LONGEST_TEXT and vr in (b"", b"UN") and _dictionary_vr(tag) in TEXT_VRS:
                    raise NotPlain
                if vr != b"SQ":
                    found[tag] = (vr, data[value:at])
    except struct.error:
        raise Truncated from None


def _element(data: bytes, at: int, implicit: bool) -> tuple[int, bytes, int, int]:
    """Tag, VR (empty where it is implicit), offset of the value and its length (PS3.5 7.1.2 and 7.1.3)."""
    if implicit:
        group, element, length = _implicit_at(data, at)
        return group << 16 | element, b"", at + 8, length
    group, element, vr, length = _explicit_at(data, at)
    tag = group << 16 | element
    if vr in SHORT_VRS:
        return tag, vr, at + 8, length
    if vr in LONG_VRS:
        return tag, vr, at + 12, _length_at(data, at + 8)[0]
    if group == 0xFFFE:
        return tag, b"", at + 8, _length_at(data, at + 4)[0]
    raise NotPlain


def _past_items(data: bytes, at: int, implicit: bool, depth: int) -> int:
    """Offset after a sequence of undefined length (PS3.5 7.5)."""
    if depth > MAX_DEPTH:
        raise NotPlain
    for _ in range(MAX_ITEMS):
        tag, _, value, length = _element(data, at, implicit=True)
        if tag == _SEQUENCE_END:
            return value
        if tag != _ITEM:
            raise NotPlain
        at = _past_item(data, value, implicit, depth) if length == _UNDEFINED else value + length
    raise NotPlain


def _past_item(data: bytes, at: int, implicit: bool, depth: int) -> int:
    while True:
        tag, vr, value, length = _element(data, at, implicit)
        if tag == _ITEM_END:
            return value
        if tag >> 16 == 0xFFFE or (vr == b"UN" and length == _UNDEFINED):
            raise NotPlain
        at = _past_items(data, value, implicit, depth + 1) if length == _UNDEFINED else value + length


def _dictionary_vr(tag: int) -> str:
    return dictionary_VR(tag) if dictionary_has_tag(tag) else ""
