"""Image-text pairs from CSV manifests, and the augmentation of their pictures. Knows no networks and no losses."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from engine.errors import Rejected, UserError
from engine.preprocess import high_bits_to_gray, to_square
from training.data import readers

TEXT_COLUMNS = ("text", "caption", "findings", "impression")

Gray = NDArray[np.uint8]
DAMAGED = (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError)
DEEP = ("I", "I;16", "I;16B", "I;16L", "F")
"""Pillow's modes of more than 8 bits a pixel."""
NEEDED = ("image", "text", "split", "patient_id", "split_group")
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Pair:
    """One picture with its text. values: the other columns of the row (modality, location, case_findings, ...).

    where: manifest and line, for messages; of a folder in a public layout the picture.
    """

    path: Path
    text: str
    split: str
    patient: str
    group: str
    values: dict[str, str] = field(default_factory=dict)
    where: str = ""


class PictureFiles(Sequence[Gray]):
    """Pictures that are decoded when they are asked for, so that a set larger than the memory can be trained on."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = list(paths)

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> Gray: ...
    @overload
    def __getitem__(self, index: slice) -> "PictureFiles": ...
    def __getitem__(self, index: int | slice) -> "Gray | PictureFiles":
        if isinstance(index, slice):
            return PictureFiles(self.paths[index])
        try:
            return read_gray(self.paths[index])
        except DAMAGED as problem:
            raise UserError(
                f"{self.paths[index]} cannot be decoded: {reason(problem)} Remove its row from the manifest and resume."
            ) from problem


@dataclass(frozen=True)
class Pairs:
    """Pairs with their pictures (uint8 [H, W] in the same order), and the rows that were refused."""

    rows: list[Pair]
    images: Sequence[Gray]
    rejected: list[Rejected]

    def split(self, name: str) -> "Pairs":
        chosen = [index for index, row in enumerate(self.rows) if row.split == name]
        if not chosen:
            raise UserError(f"The manifests hold no usable row of the split {name!r}; check their column `split`.")
        rows = [self.rows[i] for i in chosen]
        if isinstance(self.images, PictureFiles):
            return Pairs(rows, PictureFiles([self.images.paths[i] for i in chosen]), [])
        return Pairs(rows, [self.images[i] for i in chosen], [])


def read_pairs(manifests: Iterable[Path], stream: bool = False) -> Pairs:
    """Read manifests and their pictures (paths relative to the CSV); bad rows are listed and skipped.

    Args:
        manifests: CSV files, or folders in a public layout (training/readers.py).
        stream: open the pictures' headers only, and decode each picture when it is needed.

    Raises:
        UserError: a manifest is missing or lacks a column; a patient or a group stands in more than one split.
    """
    rows: list[Pair] = []
    images: list[Gray] = []
    rejected: list[Rejected] = []
    for manifest in manifests:
        pairs, refused = read_manifest(manifest)
        rejected += refused
        for pair in pairs:
            try:
                if stream:
                    check_header(pair.path)
                else:
                    images.append(read_gray(pair.path))
            except DAMAGED as problem:
                rejected.append(Rejected(pair.where, f"{reason(problem)} ({pair.path.name})"))
                continue
            rows.append(pair)
    refuse_crossing(rows)
    return Pairs(rows, PictureFiles([row.path for row in rows]) if stream else images, rejected)


def with_training_pairs(pairs: Pairs, manifests: Sequence[Path], stream: bool = False) -> Pairs:
    """The pairs and those of the split train of more manifests; all their other rows stay unused.

    Raises:
        UserError: see `read_pairs`; also when a patient of theirs stands in another split of `pairs`.
    """
    if not manifests:
        return pairs
    read = read_pairs(manifests, stream)
    more = read.split("train")
    rows = [*pairs.rows, *more.rows]
    refuse_crossing(rows)
    if isinstance(pairs.images, PictureFiles) and isinstance(more.images, PictureFiles):
        images: Sequence[Gray] = PictureFiles([*pairs.images.paths, *more.images.paths])
    else:
        images = [*pairs.images, *more.images]
    return Pairs(rows, images, [*pairs.rejected, *read.rejected])


class TooDeep(ValueError):
    """A picture whose values say nothing of how bright they are to be shown."""


def reason(problem: BaseException) -> str:
    if isinstance(problem, TooDeep):
        return str(problem)
    return "The image is missing." if isinstance(problem, FileNotFoundError) else "The image is unreadable."


def read_manifest(manifest: Path) -> tuple[list[Pair], list[Rejected]]:
    """The usable rows of one CSV, or of a folder in a public layout, and the others; no picture is looked at.

    Raises:
        UserError: the manifest is missing, no CSV in UTF-8, or lacks a column or rows; a folder of no known layout.
    """
    if manifest.is_dir():
        found = readers.read(manifest)
        folder, rejected = manifest, list(found.rejected)
        lines = [(str(manifest / row["image"]), row) for row in found.rows]
    else:
        folder, rejected = manifest.parent, []
        lines = [(f"{manifest}:{number}", row) for number, row in read_lines(manifest)]
    pairs = []
    for where, line in lines:
        if problem := problem_of(line):
            rejected.append(Rejected(where, problem))
        else:
            pairs.append(pair_of(line, folder, where))
    return pairs, rejected


def read_lines(manifest: Path) -> list[tuple[int, dict[str, str]]]:
    """(number of its last line, row) of a pairs CSV, all cells stripped; a cell that is not there is empty.

    Raises:
        UserError: see `read_manifest`.
    """
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as stream:  # Excel puts a byte order mark first
            reader = csv.DictReader(stream)
            columns = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = columns
            rows = [(reader.line_num, {name: (row[name] or "").strip() for name in columns if name}) for row in reader]
    except OSError as problem:
        raise UserError(f"There is no readable manifest at {manifest}; name the data folder with --data.") from problem
    except (UnicodeDecodeError, csv.Error) as problem:
        raise UserError(f"{manifest} is no CSV file in UTF-8 ({problem}); save it again as one.") from problem
    missing = [name for name in NEEDED if name not in columns]
    if missing or not rows:
        raise UserError(
            f"The manifest {manifest} has no {', '.join(missing) or 'rows'}; docs/training.md lists its columns."
        )
    return rows


def problem_of(line: Mapping[str, str]) -> str:
    """Why a row cannot be used whatever its picture, or "" when it can."""
    empty = [name for name in NEEDED if not line[name]]
    if empty:
        return f"The {empty[0]} is empty."
    if line["split"] not in SPLITS:
        return f"The split {line['split']!r} is none of {', '.join(SPLITS)}."
    return ""


def pair_of(line: Mapping[str, str], folder: Path, where: str = "") -> Pair:
    """A row of a pairs CSV whose picture is named from `folder`."""
    return Pair(
        folder / line["image"],
        " ".join(line["text"].split()),
        line["split"],
        line["patient_id"],
        line["split_group"],
        {name: value for name, value in line.items() if name not in NEEDED},
        where,
    )


def check_header(path: Path) -> None:
    """Raise one of DAMAGED when there is no picture file at `path`; decodes nothing."""
    with Image.open(path):
        pass


def read_gray(path: Path) -> Gray:
    """uint8 [H, W] of a picture file; of deep gray the upper 8 bits in use, as in `engine.image.picture`.

    Raises:
        TooDeep: values below 0, above 16 bits, or of floating point: they need a window, which no such file tells.
    """
    with Image.open(path) as image:
        if image.mode not in DEEP:
            return np.asarray(image.convert("L"))
        values = np.asarray(image)
        if image.mode == "F" or values.min() < 0 or values.max() > 65535:
            raise TooDeep(
                "The image needs a window to show its values at, which it does not tell; export 8-bit pictures."
            )
        return high_bits_to_gray(values)


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


def augment(image: Gray, size: int, rng: np.random.Generator, intensity: bool = True) -> Gray:
    """One random view for training: crop, small rotation, change of brightness, contrast and gamma. Never a flip.

    A mirrored radiograph would say left where the report says right.

    Args:
        image: uint8 [H, W].
        size: side of the result in pixels.
        intensity: whether brightness, contrast and gamma change.

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
    if not intensity:
        return to_square(cut, size)
    scaled = np.linspace(0.0, 1.0, 256) ** np.exp(rng.uniform(-0.3, 0.3))
    scaled = (scaled - 0.5) * rng.uniform(0.8, 1.2) + 0.5 + rng.uniform(-0.1, 0.1)
    scaled[0] = 0.0  # the black around a picture stays black
    return to_square((np.clip(scaled, 0.0, 1.0) * 255.0).round().astype(np.uint8)[cut], size)


def corpus(path: Path) -> list[str]:
    """Every text of a CSV or CSV.gz, from those of its columns that hold text."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as stream:
            return [line[name] for line in csv.DictReader(stream) for name in TEXT_COLUMNS if line.get(name)]
    except OSError as problem:
        raise UserError(
            f"There is no readable text file at {path}; name the data folder with --data, or take the file out of "
            "`texts` in the configuration."
        ) from problem
    except (UnicodeDecodeError, csv.Error) as problem:
        raise UserError(f"{path} is no CSV file in UTF-8 ({problem}); save it again as one.") from problem
