"""Recognises a text that repeats the training texts, without carrying any of them. Knows neither models nor drafts.

The file holds hashes of all sequences of N consecutive words, as a sorted set of integers in Elias-Fano form: the low
bits of each value packed at a fixed width, the high bits as a bit vector whose i-th set bit stands at high part + i.
That costs `low_bits + 2` bits a sequence, where a Bloom filter of the same false-positive rate (2 ** -low_bits) costs
1.44 * low_bits. A sequence of the training texts is always recognised; another one is taken for one with that rate.

Version 2 knows words of every script; the files of version 1 knew ASCII words only and are still read by that rule.

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
# Thai and Lao, Burmese, Khmer, kana, Chinese characters: they put no blanks between words.
_BLANKLESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
_WORD = re.compile(rf"(?=[{_BLANKLESS}])[^\W_]|[^\W_{_BLANKLESS}]+")


def normalized_words(text: str, version: int = VERSION) -> list[str]:
    """Words of letters and digits of any script, case, accents and punctuation dropped.

    A decoder writes "x - ray" where the report had "x-ray", so punctuation must not matter. In scripts that put no
    blanks between words each character counts as one.

    Args:
        version: of the file that the words are compared with; the first knew ASCII letters and digits only.
    """
    if version == 1:
        plain = unicodedata.normalize("NFKD", text.lower())
        return _ASCII_WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))
    plain = unicodedata.normalize("NFKD", text)
    # All marks go, also the vowel signs of Indic scripts, which would otherwise cut words into letters.
    return _WORD.findall("".join(c for c in plain if not unicodedata.category(c).startswith("M")).casefold())


def sequence_hashes(text: str, n: int, version: int = VERSION) -> list[int]:
    """A 64-bit hash (BLAKE2b) of each run of `n` consecutive words, in reading order; none for a shorter text."""
    found = normalized_words(text, version)
    return [
        int.from_bytes(hashlib.blake2b(" ".join(found[i : i + n]).encode(), digest_size=8).digest(), "big")
        for i in range(len(found) - n + 1)
    ]


class CopyGuard:
    """A set of hashed word sequences. Never changes after it was made, so threads may share one."""

    def __init__(self, values: NDArray[np.uint64], n: int, bits: int, version: int = VERSION) -> None:
        """values: uint64 [count], sorted and unique, each the upper `bits` bits of a hash of `n` words."""
        self.n, self.bits, self.values, self.version = n, bits, values, version

    @classmethod
    def from_file(cls, path: Path | str) -> Self:
        """Read what `training.data.training_ngrams` wrote.

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
        if magic != MAGIC or version not in (1, VERSION) or len(content) != HEADER.size + low_bytes + high_bytes:
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
        return cls((high << np.uint64(low_bits)) | low, n, low_bits + high_bits, version)

    def __len__(self) -> int:
        return len(self.values)

    def copies(self, text: str) -> bool:
        """Whether the text repeats `n` or more consecutive words of a training text."""
        hashes = sequence_hashes(text, self.n, self.version)
        if not hashes or not len(self.values):
            return False
        asked = np.array(hashes, np.uint64) >> np.uint64(64 - self.bits)
        found = np.minimum(np.searchsorted(self.values, asked), len(self.values) - 1)
        return bool((self.values[found] == asked).any())
