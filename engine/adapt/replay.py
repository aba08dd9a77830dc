"""Pairs of other sources that the heads shall not forget: those of the sample archive that ships with Kindred."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.resources import resource_path

HELD_OUT = 0.25
"""Share that is never replayed: what is lost on other sources is measured on it."""


@dataclass(frozen=True, slots=True)
class SamplePair:
    """An image file of the sample archive with its text."""

    path: Path
    text: str
    held_out: bool

    def image(self) -> NDArray[np.uint8]:
        """The pixels, uint8 [H, W]."""
        with Image.open(self.path) as opened:
            return np.asarray(opened.convert("L"))


def sample_pairs(folder: Path | None = None) -> list[SamplePair]:
    """The pairs in cases.csv of a folder (None: the sample archive); none if it is missing."""
    root = folder or resource_path("sample-archive")
    table = root / "cases.csv"
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as stream:
        rows = [(row["image"], " ".join(row["text"].split())) for row in csv.DictReader(stream)]
    return [SamplePair(root / name, text, _fraction(text) < HELD_OUT) for name, text in rows if name and text]


def _fraction(text: str) -> float:
    return int.from_bytes(hashlib.sha256(f"replay {text}".encode()).digest()[:8], "big") / 2**64
