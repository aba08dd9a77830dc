"""Reads as many bytes as a header claims, as far as the file has them. Knows no elements."""

from typing import BinaryIO

STEP = 1 << 24
"""Bytes. A single read reserves all that it is asked for, whatever the file holds."""


def read_up_to(file: BinaryIO, size: int) -> bytes:
    """Up to `size` bytes from the file's position, without room for bytes that the file does not have."""
    if size <= STEP:
        return file.read(max(0, size))
    found = bytearray()
    while len(found) < size and (piece := file.read(min(STEP, size - len(found)))):
        found += piece
    return bytes(found)
