"""Detects text copied from the training texts, without storing them. Does not know models or drafts.

The file contains hashes of all sequences of N consecutive words, as a sorted set of integers in Elias-Fano encoding:
the low bits of each value packed at a fixed width, the high bits as a bit vector, i-th set bit at high part + i.
That costs `low_bits + 2` bits per sequence, where a Bloom filter with the same false-positive rate (2 ** -low_bits)
costs 1.44 * low_bits. Every sequence of the training texts is detected; any other is a false positive with that rate.

Version 2 covers words of every script; version 1 covered ASCII words only, and its files are still read by that rule.

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

MAGIC, VERSION = b"KNGR", 2
HEADER = struct.Struct("<4sHHIHHII")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
# Thai and Lao, Burmese, Khmer, kana, Chinese characters: scripts without spaces between words.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
_WORD = re.compile(rf"(?=[{_UNSPACED}])[^\W_]|[^\W_{_UNSPACED}]+")


def normalized_words(text: str, version: int = VERSION) -> list[str]:
    """Words of letters and digits of any script, without case, accents and punctuation.

    A decoder writes "x - ray" where the report had "x-ray", so punctuation is ignored. In scripts without spaces
    between words each character counts as a word.

    Args:
        text: any text.
        version: of the file to compare with; version 1 covered ASCII letters and digits only.
    """
    if version == 1:
        plain = unicodedata.normalize("NFKD", text.lower())
        return _ASCII_WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))
    plain = unicodedata.normalize("NFKD", text)
    # All marks are removed, also the vowel signs of Indic scripts, which would otherwise split words into letters.
    return _WORD.findall("".join(c for c in plain if not unicodedata.category(c).startswith("M")).casefold())


def sequence_hashes(text: str, n: int, version: int = VERSION) -> list[int]:
    """A 64-bit hash (BLAKE2b) of each run of `n` consecutive words, in reading order; none for a shorter text."""
    found = normalized_words(text, version)
    return [
        int.from_bytes(hashlib.blake2b(" ".join(found[i : i + n]).encode(), digest_size=8).digest(), "big")
        for i in range(len(found) - n + 1)
    ]


class CopyGuard:
    """A set of hashed word sequences. Immutable, so threads may share one."""

    def __init__(self, values: NDArray[np.uint64], n: int, bits: int, version: int = VERSION) -> None:
        """Use `from_file`.

        Args:
            values: uint64 [count], sorted and unique, each the upper `bits` bits of a hash of `n` words.
            n: words in a sequence.
            bits: bits kept of each hash.
            version: which words count; see `normalized_words`.
        """
        self.n, self.bits, self.values, self.version = n, bits, values, version

    @classmethod
    def from_file(cls, path: Path | str) -> Self:
        """Read a file written by `training.data.training_ngrams`.

        Raises:
            UserError: the file is missing, truncated, or of another kind or version.
        """
        try:
            content = Path(path).read_bytes()
            magic, version, n, count, low_bits, high_bits, low_bytes, high_bytes = HEADER.unpack_from(content)
        except (OSError, struct.error) as error:
            raise UserError(
                f"The training word sequences in {path} cannot be read ({error}); copy the bundle again."
            ) from error
        known = magic == MAGIC and version in (1, VERSION) and len(content) == HEADER.size + low_bytes + high_bytes
        if not known or not n or low_bits + high_bits > 64 or low_bytes != -(-count * low_bits // 8):
            raise UserError(f"{path} is not a supported file of training word sequences; export the bundle again.")
        body = np.frombuffer(content, np.uint8, offset=HEADER.size)
        low = np.zeros(count, np.uint64)
        for column in np.unpackbits(body[:low_bytes], count=count * low_bits).reshape(count, low_bits).T:
            low = (low << np.uint64(1)) | column
        set_bits = np.flatnonzero(np.unpackbits(body[low_bytes:]))
        if len(set_bits) != count:
            raise UserError(f"{path} is damaged; copy the bundle again.")
        high = (set_bits - np.arange(count)).astype(np.uint64)
        return cls((high << np.uint64(low_bits)) | low, n, low_bits + high_bits, version)

    def __len__(self) -> int:
        return len(self.values)

    def copies(self, text: str) -> bool:
        """Whether the text repeats `n` or more consecutive words of a training text."""
        hashes = sequence_hashes(text, self.n, self.version)
        if not hashes or not len(self.values):
            return False
        wanted = np.array(hashes, np.uint64) >> np.uint64(64 - self.bits)
        found = np.minimum(np.searchsorted(self.values, wanted), len(self.values) - 1)
        return bool((self.values[found] == wanted).any())
