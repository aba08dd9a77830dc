"""Image-text pairs from CSV manifests. Knows no networks and no losses."""

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
from engine.preprocess import high_bits_to_gray
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
    """One image with its text."""

    path: Path
    text: str
    split: str
    patient: str
    group: str
    values: dict[str, str] = field(default_factory=dict)
    """The other columns of the row (modality, location, case_findings, ...)."""
    where: str = ""
    """For messages: manifest and line, or the image if the pairs come from a folder in a public layout."""
    manifest: str = ""
    """Name of the folder of its manifest: the source by which results are reported."""


class ImageFiles(Sequence[Gray]):
    """Images that are decoded on access, for sets that do not fit into memory."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = list(paths)

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> Gray: ...
    @overload
    def __getitem__(self, index: slice) -> "ImageFiles": ...
    def __getitem__(self, index: int | slice) -> "Gray | ImageFiles":
        if isinstance(index, slice):
            return ImageFiles(self.paths[index])
        try:
            return read_gray(self.paths[index])
        except DAMAGED as problem:
            raise UserError(
                f"{self.paths[index]} cannot be decoded: {reason(problem)} Remove its row from the manifest and resume."
            ) from problem


@dataclass(frozen=True)
class Pairs:
    """Pairs with their images (uint8 [H, W] in the same order), and the rejected rows."""

    rows: list[Pair]
    images: Sequence[Gray]
    rejected: list[Rejected]

    def split(self, name: str) -> "Pairs":
        """The pairs of one split; UserError if there are none."""
        chosen = [index for index, row in enumerate(self.rows) if row.split == name]
        if not chosen:
            raise UserError(f"The manifests have no usable row of the split {name!r}; check their column `split`.")
        rows = [self.rows[i] for i in chosen]
        if isinstance(self.images, ImageFiles):
            return Pairs(rows, ImageFiles([self.images.paths[i] for i in chosen]), [])
        return Pairs(rows, [self.images[i] for i in chosen], [])


def read_pairs(manifests: Iterable[Path], stream: bool = False) -> Pairs:
    """Read manifests and their images (paths relative to the CSV); invalid rows are listed and skipped.

    Args:
        manifests: CSV files, or folders in a public layout (training/data/readers.py).
        stream: read only the headers of the images, and decode each image when it is needed.

    Raises:
        UserError: a manifest is missing or lacks a column; a patient or a group is in more than one split.
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
    return Pairs(rows, ImageFiles([row.path for row in rows]) if stream else images, rejected)


def with_training_pairs(pairs: Pairs, manifests: Sequence[Path], stream: bool = False) -> Pairs:
    """The pairs, and those of the train split of more manifests, whose other rows are not used.

    Raises:
        UserError: as in `read_pairs`; also if one of their patients is in another split of `pairs`.
    """
    if not manifests:
        return pairs
    read = read_pairs(manifests, stream)
    more = read.split("train")
    rows = [*pairs.rows, *more.rows]
    refuse_crossing(rows)
    if isinstance(pairs.images, ImageFiles) and isinstance(more.images, ImageFiles):
        images: Sequence[Gray] = ImageFiles([*pairs.images.paths, *more.images.paths])
    else:
        images = [*pairs.images, *more.images]
    return Pairs(rows, images, [*pairs.rejected, *read.rejected])


class TooDeep(ValueError):
    """An image whose values cannot be mapped to gray levels without a window."""


def reason(problem: BaseException) -> str:
    """Why an image cannot be used, as a sentence."""
    if isinstance(problem, TooDeep):
        return str(problem)
    return "The image is missing." if isinstance(problem, FileNotFoundError) else "The image is unreadable."


def read_manifest(manifest: Path) -> tuple[list[Pair], list[Rejected]]:
    """The usable rows of one CSV, or of a folder in a public layout, and the rejected ones. Opens no image.

    Raises:
        UserError: the manifest is missing, is not CSV in UTF-8, or lacks columns or rows; a folder of unknown layout.
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
    """(number of the last line, row) of a pairs CSV, all cells stripped; a missing cell is empty.

    Raises:
        UserError: as in `read_manifest`.
    """
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as stream:  # Excel writes a byte order mark
            reader = csv.DictReader(stream)
            columns = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = columns
            rows = [(reader.line_num, {name: (row[name] or "").strip() for name in columns if name}) for row in reader]
    except OSError as problem:
        raise UserError(f"Cannot read the manifest {manifest}; set the data folder with --data.") from problem
    except (UnicodeDecodeError, csv.Error) as problem:
        raise UserError(f"{manifest} is not a CSV file in UTF-8 ({problem}); save it as one.") from problem
    missing = [name for name in NEEDED if name not in columns]
    if missing or not rows:
        raise UserError(
            f"The manifest {manifest} has no {', '.join(missing) or 'rows'}; docs/training.md lists its columns."
        )
    return rows


def problem_of(line: Mapping[str, str]) -> str:
    """Why a row cannot be used, regardless of its image, or "" if it can."""
    empty = [name for name in NEEDED if not line[name]]
    if empty:
        return f"The {empty[0]} is empty."
    if line["split"] not in SPLITS:
        return f"The split {line['split']!r} is not one of {', '.join(SPLITS)}."
    return ""


def pair_of(line: Mapping[str, str], folder: Path, where: str = "") -> Pair:
    """A row of a pairs CSV whose image path is relative to `folder`."""
    return Pair(
        folder / line["image"],
        " ".join(line["text"].split()),
        line["split"],
        line["patient_id"],
        line["split_group"],
        {name: value for name, value in line.items() if name not in NEEDED},
        where,
        folder.name,
    )


def check_header(path: Path) -> None:
    """Raise one of DAMAGED if `path` is not an image file; decodes nothing."""
    with Image.open(path):
        pass


def read_gray(path: Path) -> Gray:
    """uint8 [H, W] of an image file; of more than 8 bits the upper 8 bits in use, as in `engine.image.picture`.

    Raises:
        TooDeep: values below 0, above 16 bits or of floating point, which need a window that such files do not have.
    """
    with Image.open(path) as image:
        if image.mode not in DEEP:
            return np.asarray(image.convert("L"))
        values = np.asarray(image)
        if image.mode == "F" or values.min() < 0 or values.max() > 65535:
            raise TooDeep("The image needs a window to be displayed and does not contain one; export it with 8 bits.")
        return high_bits_to_gray(values)


def refuse_crossing(rows: Sequence[Pair]) -> None:
    """Raise UserError if a patient or a group of near-duplicates is in more than one split."""
    for what in ("patient", "group"):
        splits: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            splits[getattr(row, what)].add(row.split)
        crossing = sorted(name for name, found in splits.items() if len(found) > 1)
        if crossing:
            raise UserError(
                f"{len(crossing)} {what if len(crossing) == 1 else what + 's'} in more than one split "
                f"({', '.join(crossing[:3])}); put all rows of one patient into one split."
            )


def corpus(path: Path) -> list[str]:
    """Every text of a CSV or CSV.gz file, from its columns named in TEXT_COLUMNS.

    Rows whose column `use` says "val" are left out: their wording must not be learned.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as stream:
            lines = [line for line in csv.DictReader(stream) if line.get("use") != "val"]
            return [line[name] for line in lines for name in TEXT_COLUMNS if line.get(name)]
    except OSError as problem:
        raise UserError(
            f"Cannot read the text file {path}; set the data folder with --data, or remove the file from `texts` in "
            "the configuration."
        ) from problem
    except (UnicodeDecodeError, csv.Error) as problem:
        raise UserError(f"{path} is not a CSV file in UTF-8 ({problem}); save it as one.") from problem
