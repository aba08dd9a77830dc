"""Checks the structure of a JPEG codestream before it is decoded. Decodes nothing.

Decoders silently fill in what is missing from a damaged JPEG, and some take minutes to fail. So markers, frame size,
Huffman tables and scan header are checked first (ITU-T T.81 annexes B and C).
"""

import struct
from dataclasses import dataclass

_STANDALONE = {0x01, *range(0xD0, 0xD8)}
_FRAMES = {0xC0: 8, 0xC1: 12, 0xC3: 16}
"""Frame header markers (SOF0 baseline, SOF1 extended, SOF3 lossless) and their highest precision in bits."""
_LOSSLESS = 0xC3
_DHT, _SOI, _EOI, _SOS = 0xC4, 0xD8, 0xD9, 0xDA


@dataclass(frozen=True, slots=True)
class _FrameHeader:
    lossless: bool
    precision: int
    """Bits of a sample."""
    components: frozenset[int]
    """Component identifiers."""


def jpeg_fault(data: bytes, rows: int, columns: int, samples: int) -> str:
    """The first fault of a sequential, Huffman-coded, single-scan JPEG, in a few words; "" for a sound one.

    Args:
        data: one encoded frame, perhaps with padding after it.
        rows: from the DICOM header, like `columns` and `samples`; the codestream must match them.
    """
    if data[:2] != b"\xff\xd8":
        return "no start of image"
    frame: _FrameHeader | None = None
    tables: set[int] = set()
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return "a marker is missing"
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _STANDALONE or marker in (_SOI, _EOI):
            return "a misplaced marker"
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        segment = data[at + 4 : at + 2 + length]
        if length < 2 or len(segment) != length - 2:
            return "a truncated segment"
        if marker == _DHT:
            found = _huffman_tables(segment)
            if found is None:
                return "a Huffman table is damaged"
            tables |= found
        elif marker in _FRAMES:
            read = _frame_header(marker, segment, (rows, columns, samples))
            if isinstance(read, str) or frame is not None:
                return read if isinstance(read, str) else "a second frame header"
            frame = read
        elif 0xC0 <= marker <= 0xCF and marker != 0xCC:
            return "a JPEG process that is not sequential"
        elif marker == _SOS:
            if frame is None:
                return "no frame header"
            return _scan_fault(segment, frame, tables) or _entropy_fault(data, at + 2 + length)
        at += 2 + length
    return "no scan"


def _frame_header(marker: int, segment: bytes, size: tuple[int, int, int]) -> _FrameHeader | str:
    """The content of a frame header (T.81 B.2.2) with this size (rows, columns, samples), or its fault."""
    if len(segment) < 6 or len(segment) != 6 + 3 * segment[5]:
        return "the frame header is damaged"
    precision, height, width, count = struct.unpack(">BHHB", segment[:6])
    if (height, width, count) != size or not 2 <= precision <= _FRAMES[marker]:
        return "its size differs from the header's"
    sampling = [segment[7 + 3 * index] for index in range(count)]
    if any(not (1 <= value >> 4 <= 4 and 1 <= value & 15 <= 4) for value in sampling):
        return "the frame header is damaged"
    if marker == _LOSSLESS and set(sampling) != {0x11}:
        return "its components differ in size"
    return _FrameHeader(marker == _LOSSLESS, precision, frozenset(segment[6 + 3 * index] for index in range(count)))


def _huffman_tables(segment: bytes) -> set[int] | None:
    """Class and destination of each table in the segment; None for an invalid one (T.81 B.2.4.2, C.2)."""
    found = set()
    at = 0
    while at < len(segment):
        counts = segment[at + 1 : at + 17]
        total = sum(counts)
        if len(counts) < 16 or not 1 <= total <= 256 or len(segment) < at + 17 + total:
            return None
        free = 1
        for count in counts:
            free = 2 * free - count
            if free < 0:
                return None
        if segment[at] & 0xF > 3 or segment[at] >> 4 > 1:
            return None
        values = segment[at + 17 : at + 17 + total]
        if segment[at] >> 4 == 0 and max(values) > 16:
            return None
        found.add(segment[at])
        at += 17 + total
    return found


def _scan_fault(segment: bytes, frame: _FrameHeader, tables: set[int]) -> str:
    count = segment[0] if segment else 0
    if not 1 <= count <= 4 or len(segment) != 4 + 2 * count:
        return "the scan header is damaged"
    named = {segment[1 + 2 * index] for index in range(count)}
    if named != frame.components or len(named) != count:
        return "the scan header is damaged"
    first, last, shifts = segment[-3:]
    if frame.lossless and not (1 <= first <= 7 and last == 0 and shifts >> 4 == 0 and shifts & 15 < frame.precision):
        return "the scan header is damaged"
    for index in range(count):
        choice = segment[2 + 2 * index]
        if choice >> 4 not in tables or not (frame.lossless or 0x10 | (choice & 15) in tables):
            return "a Huffman table is missing"
    return ""


def _entropy_fault(data: bytes, at: int) -> str:
    """Entropy-coded data may contain only restart markers, and an EOI marker must follow."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return "no end of image"
        marker = data[at + 1]
        if marker == _EOI:
            return ""
        if marker != 0 and marker != 0xFF and marker not in range(0xD0, 0xD8):
            return "a marker within the entropy-coded data"
        at += 1 if marker == 0xFF else 2


def jpeg_ls_fault(data: bytes, rows: int, columns: int, samples: int) -> str:
    """The first fault of a JPEG-LS codestream (ITU-T T.87 annex C), in a few words; "" for a sound one.

    CharLS takes a minute to fail on a small truncated frame.
    """
    at = data.find(b"\xff\xf7")
    if data[:2] != b"\xff\xd8" or at < 0 or len(data) < at + 10:
        return "no frame header"
    if struct.unpack(">HHB", data[at + 5 : at + 10]) != (rows, columns, samples):
        return "its size differs from the header's"
    return "" if data.rfind(b"\xff\xd9") > at else "no end of image"
