"""Image-text pairs from CSV manifests, and the augmentation of their pictures. Knows no networks and no losses."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from engine.errors import Rejected, UserError
from engine.preprocess import to_square

Gray = NDArray[np.uint8]
NEEDED = ("image", "text", "split", "patient_id", "split_group")


@dataclass(frozen=True)
class Pair:
    """One picture with its text. values: the other columns of the row (modality, location, case_findings, ...)."""

    path: Path
    text: str
    split: str
    patient: str
    group: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pairs:
    """Pairs with their pictures (uint8 [H, W] in the same order), and the rows that were refused."""

    rows: list[Pair]
    images: list[Gray]
    rejected: list[Rejected]

    def split(self, name: str) -> "Pairs":
        chosen = [index for index, row in enumerate(self.rows) if row.split == name]
        if not chosen:
            raise UserError(f"The manifests hold no usable row of the split {name!r}; check their column `split`.")
        return Pairs([self.rows[i] for i in chosen], [self.images[i] for i in chosen], [])


def read_pairs(manifests: Iterable[Path]) -> Pairs:
    """Read manifests and their pictures (paths relative to the CSV); bad rows are listed and skipped.

    Raises:
        UserError: a manifest is missing or lacks a column; a patient or a group stands in more than one split.
    """
    rows: list[Pair] = []
    images: list[Gray] = []
    rejected: list[Rejected] = []
    for manifest in manifests:
        for number, pair in enumerate(read_manifest(manifest), start=2):
            if not pair.text:
                rejected.append(Rejected(f"{manifest}:{number}", "The text is empty."))
                continue
            try:
                images.append(read_gray(pair.path))
            except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as problem:
                reason = (
                    "The image is missing." if isinstance(problem, FileNotFoundError) else "The image is unreadable."
                )
                rejected.append(Rejected(f"{manifest}:{number}", f"{reason} ({pair.path.name})"))
                continue
            rows.append(pair)
    refuse_crossing(rows)
    return Pairs(rows, images, rejected)


def read_manifest(manifest: Path) -> list[Pair]:
    """All rows of one CSV, checked for its columns only."""
    try:
        with manifest.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
    except OSError as problem:
        raise UserError(f"There is no readable manifest at {manifest}; name the data folder with --data.") from problem
    missing = [name for name in NEEDED if lines and name not in lines[0]]
    if missing or not lines:
        raise UserError(
            f"The manifest {manifest} has no {', '.join(missing) or 'rows'}; see the README on its columns."
        )
    return [
        Pair(
            manifest.parent / line["image"],
            " ".join((line["text"] or "").split()),
            line["split"],
            line["patient_id"],
            line["split_group"],
            {name: value or "" for name, value in line.items() if name and name not in NEEDED},
        )
        for line in lines
    ]


def read_gray(path: Path) -> Gray:
    """uint8 [H, W] of a picture file."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def refuse_crossing(rows: Sequence[Pair]) -> None:
    """Raise UserError when a patient or a group of near-duplicates stands in more than one split."""
    for what in ("patient", "group"):
        splits: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            splits[getattr(row, what)].add(row.split)
        crossing = sorted(name for name, found in splits.items() if len(found) > 1)
        if crossing:
            raise UserError(
                f"{len(crossing)} {what}(s) stand in more than one split ({', '.join(crossing[:3])}); "
                "put all rows of one patient into one split."
            )


def augment(image: Gray, size: int, rng: np.random.Generator) -> Gray:
    """One random view for training: crop, small rotation, change of brightness, contrast and gamma. Never a flip.

    A mirrored radiograph would say left where the report says right.

    Args:
        image: uint8 [H, W].
        size: side of the result in pixels.

    Returns:
        uint8 [size, size].
    """
    height, width = image.shape
    area, stretch = rng.uniform(0.55, 1.0), np.exp(rng.uniform(-0.2, 0.2))
    crop_height = min(height, max(8, round(height * np.sqrt(area) * stretch)))
    crop_width = min(width, max(8, round(width * np.sqrt(area) / stretch)))
    top, left = rng.integers(0, height - crop_height + 1), rng.integers(0, width - crop_width + 1)
    turned = Image.fromarray(image).rotate(
        rng.uniform(-10.0, 10.0),
        Image.Resampling.BILINEAR,
        center=(left + crop_width / 2, top + crop_height / 2),
    )
    cut = np.asarray(turned.crop((left, top, left + crop_width, top + crop_height)))
    scaled = np.linspace(0.0, 1.0, 256) ** np.exp(rng.uniform(-0.3, 0.3))
    scaled = (scaled - 0.5) * rng.uniform(0.8, 1.2) + 0.5 + rng.uniform(-0.1, 0.1)
    scaled[0] = 0.0  # the black around a picture stays black
    return to_square((np.clip(scaled, 0.0, 1.0) * 255.0).round().astype(np.uint8)[cut], size)
