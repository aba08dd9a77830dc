"""Recognises a text that repeats the training texts, without carrying any of them. Knows neither models nor drafts.

The file holds hashes of all sequences of N consecutive words, as a sorted set of integers in Elias-Fano form: the low
bits of each value packed at a fixed width, the high bits as a bit vector whose i-th set bit stands at high part + i.
That costs `low_bits + 2` bits a sequence, where a Bloom filter of the same false-positive rate (2 ** -low_bits) costs
1.44 * low_bits. A sequence of the training texts is always recognised; another one is taken for one with that rate.

File: 24-byte header, little-endian: magic "KNGR", version uint16, n uint16, count uint32, low_bits uint16, high_bits
uint16, low_bytes uint32, high_bytes uint32; then the packed low parts and the high bit vector, most significant bit
first (numpy.packbits).
"""

import hashlib
import re
import struct
import unicodedata
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError

MAGIC, VERSION = b"KNGR", 1
HEADER = struct.Struct("<4sHHIHHII")
_WORD = re.compile(r"[a-z0-9]+")


def words(text: str) -> list[str]:
    """Lower-case words of ASCII letters and digits, accents and punctuation dropped.

    A decoder writes "x - ray" where the report had "x-ray", so punctuation must not matter.
    """
    plain = unicodedata.normalize("NFKD", text.lower())
    return _WORD.findall("".join(character for character in plain if not unicodedata.combining(character)))


def sequence_hashes(text: str, n: int) -> list[int]:
    """A 64-bit hash (BLAKE2b) of each run of `n` consecutive words, in reading order; none for a shorter text."""
    found = words(text)
    return [
        int.from_bytes(hashlib.blake2b(" ".join(found[i : i + n]).encode(), digest_size=8).digest(), "big")
        for i in range(len(found) - n + 1)
    ]


class CopyGuard:
    """A set of hashed word sequences. Never changes after it was made, so threads may share one."""

    def __init__(self, values: NDArray[np.uint64], n: int, bits: int) -> None:
        """values: uint64 [count], sorted and unique, each the upper `bits` bits of a hash of `n` words."""
        self.n, self.bits, self.values = n, bits, values

    @classmethod
    def from_file(cls, path: Path | str) -> Self:
        """Read what `training.training_ngrams` wrote.

        Raises:
            UserError: the file is missing, cut short, or of another kind or version.
        """
        try:
            content = Path(path).read_bytes()
            magic, version, n, count, low_bits, high_bits, low_bytes, high_bytes = HEADER.unpack_from(content)
        except (OSError, struct.error) as error:
            raise UserError(
                f"The training word sequences {path} cannot be read ({error}); copy the bundle again."
            ) from (error)
        if magic != MAGIC or version != VERSION or len(content) != HEADER.size + low_bytes + high_bytes:
            raise UserError(
                f"{path} is not a file of training word sequences of this version; export the bundle again."
            )
        body = np.frombuffer(content, np.uint8, offset=HEADER.size)
        low = np.zeros(count, np.uint64)
        for column in np.unpackbits(body[:low_bytes], count=count * low_bits).reshape(count, low_bits).T:
            low = (low << np.uint64(1)) | column
        places = np.flatnonzero(np.unpackbits(body[low_bytes:]))
        if len(places) != count:
            raise UserError(f"{path} is damaged; copy the bundle again.")
        high = (places - np.arange(count)).astype(np.uint64)
        return cls((high << np.uint64(low_bits)) | low, n, low_bits + high_bits)

    def __len__(self) -> int:
        return len(self.values)

    def copies(self, text: str) -> bool:
        """Whether the text repeats `n` or more consecutive words of a training text."""
        hashes = sequence_hashes(text, self.n)
        if not hashes or not len(self.values):
            return False
        asked = np.array(hashes, np.uint64) >> np.uint64(64 - self.bits)
        found = np.minimum(np.searchsorted(self.values, asked), len(self.values) - 1)
        return bool((self.values[found] == asked).any())
