"""Finds the bytes of one frame among the fragments of encapsulated pixel data (PS3.5 A.4). Decodes nothing.

An offset table is an index that somebody wrote beside the data, and may be of another version of the file: it is used
only as far as the data agree. Its offsets ascend from 0, one a frame; the frame that is asked for and the last one
begin with an item, end where the next one begins, and hold one codestream. That makes three seeks whatever the number
of frames, and no table that skips, repeats or inserts a frame passes. Else the fragments themselves are counted.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.dicom.coding.bounded_read import read_up_to
from engine.dicom.coding.form import START, begins_codestream

_ITEM = b"\xfe\xff\x00\xe0"
_HEADER = 8
"""Bytes of the tag and the length of an item."""
Table = NDArray[np.uint64]
"""Offset of each frame from the first item after the Basic Offset Table, uint64 [N]."""


class _Fragment(NamedTuple):
    start: int
    """Of its item, in the stream."""
    length: int
    head: bytes
    """The item's header, and START bytes after it."""

    @property
    def begins(self) -> bool:
        """Whether a codestream begins here."""
        return begins_codestream(self.head[_HEADER : _HEADER + self.length])

    @property
    def end(self) -> int:
        return self.start + _HEADER + self.length


def frame_bytes(file: BinaryIO, frame: int, frames: int, extended_offsets: Any = None) -> bytes:
    """The codestream of one frame; the file stays at its position.

    Args:
        file: at the item of the Basic Offset Table.
        frame: 0-based.
        frames: Number of Frames (0028,0008).
        extended_offsets: Extended Offset Table (7FE0,0001) and its lengths, as pydicom gives them, if any.

    Raises:
        ValueError: neither a table nor the fragments say which bytes are of this frame.
    """
    at = file.tell()
    try:
        head = file.read(_HEADER)
        if len(head) < _HEADER or head[:4] != _ITEM:
            raise ValueError("The pixel data do not begin with an item.")
        size = int.from_bytes(head[4:], "little")
        basic = read_up_to(file, size)
        first = at + _HEADER + size
        for table in (_table(extended_offsets and extended_offsets[0], "<u8"), _table(basic, "<u4")):
            if table is not None and (found := _by_table(file, first, table, frame, frames)):
                return _joined(file, found)
        return _joined(file, _by_count(list(_fragments(file, first)), frame, frames))
    finally:
        file.seek(at)


def _table(value: Any, dtype: str) -> Table | None:
    """A table from the bytes of its element; None for none."""
    if not isinstance(value, bytes) or not value or len(value) % np.dtype(dtype).itemsize:
        return None
    return np.frombuffer(value, dtype).astype(np.uint64)


def _by_table(file: BinaryIO, first: int, table: Table, frame: int, frames: int) -> list[_Fragment]:
    """The fragments of a frame by the table; none when the data contradict it."""
    if len(table) != frames or table[0] != 0 or not (table[1:] > table[:-1]).all():
        return []
    starts = [first + int(offset) for offset in table[[frame, -1]]]
    if frame == frames - 1:
        return _span(file, starts[0], None)
    own = _span(file, starts[0], first + int(table[frame + 1]))
    return own if own and _span(file, starts[1], None) else []


def _span(file: BinaryIO, start: int, end: int | None) -> list[_Fragment]:
    """The fragments from a frame's offset to the next one's, or to the end; none when they are not one frame."""
    found: list[_Fragment] = []
    for fragment in _fragments(file, start):
        if found and fragment.begins:
            return []
        found.append(fragment)
        if end is not None and fragment.end >= end:
            break
    return found if found and end in (None, found[-1].end) else []


def _by_count(fragments: Sequence[_Fragment], frame: int, frames: int) -> list[_Fragment]:
    """The fragments of a frame where no table says so: one each, all of the only one, or from codestream to codestream.

    Raises:
        ValueError: they do not tell.
    """
    if frames == 1 and frame == 0 and fragments:
        return list(fragments)
    if len(fragments) == frames:
        return [fragments[frame]]
    groups: list[list[_Fragment]] = []
    for fragment in fragments:
        if fragment.begins:
            groups.append([])
        if not groups:
            break
        groups[-1].append(fragment)
    if frame >= len(groups):
        raise ValueError("The fragments do not tell where this frame begins.")
    return groups[frame]


def _fragments(file: BinaryIO, start: int) -> Iterator[_Fragment]:
    """The items from a position on, until something else follows."""
    while True:
        file.seek(start)
        head = file.read(_HEADER + START)
        if len(head) < _HEADER or head[:4] != _ITEM:
            return
        (length,) = struct.unpack("<L", head[4:_HEADER])
        yield _Fragment(start, length, head)
        start += _HEADER + length


def _joined(file: BinaryIO, fragments: Sequence[_Fragment]) -> bytes:
    pieces = []
    for fragment in fragments:
        file.seek(fragment.start + _HEADER)
        pieces.append(read_up_to(file, fragment.length))
    return b"".join(pieces)
