"""Reads native frames straight from the file (PS3.5 8.1.1), and places samples by High Bit. Knows no transfer syntax.

A sample takes Bits Stored bits of its cell of Bits Allocated bits, from High Bit downward; what lies beside it are old
overlay planes or nothing. Cells follow one another without padding, also those of 12 bits, two in three bytes.
"""

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.dicom.coding.bounded_read import read_up_to
from engine.dicom.coding.codestreams import PixelFormat


def place_samples(cells: NDArray[Any], high_bit: int, bits_stored: int) -> None:
    """Turn pixel cells into samples, in place: bits beside the sample are dropped, signed samples sign-extended."""
    bits = 8 * cells.dtype.itemsize
    left, right = bits - 1 - high_bit, bits - bits_stored
    if left:
        np.left_shift(cells, left, out=cells)
    if right:
        np.right_shift(cells, right, out=cells)


def plain_frame(file: BinaryIO, frame: int, pixel_format: PixelFormat, high_bit: int) -> NDArray[Any]:
    """Stored values [H, W] of a little endian frame of one sample in 8 or 16 bits.

    Args:
        file: at the value of the pixel data element.
        frame: 0-based.
        pixel_format: of the frame.
        high_bit: bit of the cell at which the sample begins, counted from 0.

    Raises:
        ValueError: the file ends before the frame does.
    """
    size = pixel_format.bits_allocated // 8
    data = bytearray(pixel_format.rows * pixel_format.columns * size)
    file.seek(file.tell() + frame * len(data))
    if file.readinto(data) != len(data):  # type: ignore[attr-defined]
        raise ValueError("pixel data too short")
    stored = np.frombuffer(data, f"<{pixel_format.kind}{size}").reshape(pixel_format.rows, pixel_format.columns)
    place_samples(stored, high_bit, pixel_format.bits_stored)
    return stored


def packed_frame(file: BinaryIO, frame: int, pixel_format: PixelFormat, high_bit: int, swapped: bool) -> NDArray[Any]:
    """Stored values [H, W] of one sample in cells that are no whole bytes, such as 12 bits (retired in DICOM 3.0).

    The cells are one stream of bits, lowest bit first, in 16-bit words, whose bytes are `swapped` in big endian files.

    Raises:
        ValueError: the file ends before the frame does.
    """
    bits, count = pixel_format.bits_allocated, pixel_format.rows * pixel_format.columns
    first, last = frame * count * bits, (frame + 1) * count * bits
    start = first // 16 * 2
    length = -(-(last - 8 * start) // 8)
    length += length % 2 if swapped else 0
    file.seek(file.tell() + start)
    data = read_up_to(file, length)
    if len(data) < length:
        raise ValueError("pixel data too short")
    octets = np.frombuffer(data, np.uint8)
    if swapped:
        octets = octets.reshape(-1, 2)[:, ::-1].ravel()
    offset = first - 8 * start
    cells = np.unpackbits(octets, bitorder="little")[offset : offset + count * bits].reshape(count, bits)
    size = 2 if bits <= 16 else 4
    whole = np.zeros((count, 8 * size), np.uint8)
    whole[:, :bits] = cells
    stored = np.packbits(whole, axis=1, bitorder="little").view(f"<{pixel_format.kind}{size}")
    stored = stored.reshape(pixel_format.rows, pixel_format.columns)
    place_samples(stored, high_bit, pixel_format.bits_stored)
    return stored
