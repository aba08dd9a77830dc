"""Writes hashes of all word sequences of the training texts into a bundle file. Knows no models.

The file format and its reader are in `engine.models.copy_guard`.
"""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.models.copy_guard import HEADER, MAGIC, VERSION, CopyGuard, sequence_hashes

WORDS = 8
LEAST_BITS = 11
"""Low bits per sequence: the rate of false positives is at most 2 ** -11."""


def write(
    path: Path, texts: Iterable[str], n: int = WORDS, max_bytes: int = 600_000, least_bits: int = LEAST_BITS
) -> float:
    """Write every sequence of `n` words of the texts as a set of hashes.

    Args:
        texts: all texts that a model was trained on.
        max_bytes: the bits per sequence are raised above `least_bits` as far as the file stays below this. If there are
            too many sequences for it, the file is larger: about `least_bits` + 2 bits each.
        least_bits: low bits of a sequence, which bound the rate of false positives by 2 ** -least_bits.

    Returns:
        the rate of false positives: sequences that are not in the texts and are found in the file.
    """
    hashes = np.unique(np.fromiter((h for text in texts for h in sequence_hashes(text, n)), np.uint64))
    high_bits = max(1, math.ceil(math.log2(max(2, len(hashes)))))
    spare = (max_bytes - HEADER.size - 2) * 8 - len(hashes) - 2**high_bits
    low_bits = min(32, max(least_bits, spare // max(1, len(hashes))))
    return _write(path, np.unique(hashes >> np.uint64(64 - high_bits - low_bits)), n, high_bits, low_bits)


def add(path: Path, texts: Iterable[str]) -> int:
    """Add the sequences of more texts to a file written by `write`; returns how many were new.

    The file keeps its version, since its hashes follow the rule of that version.

    Raises:
        UserError: the file is missing, damaged or of another format.
    """
    with path.open("rb") as file:
        _, version, n, _, low_bits, high_bits, _, _ = HEADER.unpack(file.read(HEADER.size))
    known = CopyGuard.from_file(path).values
    fresh = np.fromiter((h for text in texts for h in sequence_hashes(text, n, version)), np.uint64)
    values = np.union1d(known, fresh >> np.uint64(64 - high_bits - low_bits))
    _write(path, values, n, high_bits, low_bits, version)
    return len(values) - len(known)


def _write(
    path: Path, values: NDArray[np.uint64], n: int, high_bits: int, low_bits: int, version: int = VERSION
) -> float:
    """Write sorted, unique values, each the upper bits of a hash; returns the rate of false positives."""
    # Bits from the most significant to the least, the order in which the reader shifts them in.
    shifts = np.arange(low_bits - 1, -1, -1, dtype=np.uint64)
    low = np.packbits(((values[:, None] >> shifts) & np.uint64(1)).astype(np.uint8))
    high = (values >> np.uint64(low_bits)).astype(np.int64)
    vector = np.zeros(2**high_bits + len(values), np.uint8)
    vector[high + np.arange(len(values))] = 1
    packed = np.packbits(vector)
    header = HEADER.pack(MAGIC, version, n, len(values), low_bits, high_bits, len(low), len(packed))
    path.write_bytes(header + low.tobytes() + packed.tobytes())
    return float(len(values) / 2.0 ** (high_bits + low_bits))
