"""Write a pairs CSV from a public data set: `python -m training pairs --root DIR --out pairs.csv`. Does not train.

Every image is decoded once, so that a training that streams images does not fail on a damaged one after hours.
"""

import argparse
import csv
import logging
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.errors import Rejected, UserError
from training.data import pairs, readers
from training.data.readers_files import COLUMNS

log = logging.getLogger(__name__)


def write(root: Path, out: Path, layout: str = "", as_published: bool = False) -> tuple[int, list[Rejected]]:
    """Write `out` and, next to it, NAME.rejected.csv (path, reason); the number of pairs and the rejected files.

    Raises:
        UserError: as in `readers.read`, or no pair is usable, or a patient is in several splits.
    """
    found = readers.read(root, layout, as_published)
    with ThreadPoolExecutor() as pool:
        problems = list(pool.map(lambda row: problem_of(row, root), found.rows))
    usable = [row for row, problem in zip(found.rows, problems) if not problem]
    rejected = found.rejected + [Rejected(row["image"], p) for row, p in zip(found.rows, problems) if p]
    if not usable:
        raise UserError(
            f"{root} has no usable pair. First problem: {rejected[0].reason}" if rejected else f"{root} has no pairs."
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = [{**row, "image": Path(os.path.relpath(root / row["image"], out.parent)).as_posix()} for row in usable]
    pairs.refuse_crossing([pairs.pair_of(line, out.parent) for line in lines])
    table(out, COLUMNS, lines)
    table(out.with_suffix(".rejected.csv"), ("path", "reason"), [rejection.as_dict() for rejection in rejected])
    return len(usable), rejected


def problem_of(row: dict[str, str], root: Path) -> str:
    """Why a row cannot be used, or ""."""
    if not row["text"]:
        return "The text is empty."
    try:
        pairs.read_gray(root / row["image"])
    except pairs.DAMAGED as problem:
        return pairs.reason(problem)
    return ""


def table(path: Path, columns: Sequence[str], lines: Sequence[dict[str, str]]) -> None:
    """Write a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(lines)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training pairs", description="Write a pairs CSV from a public data set."
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of the data set as published")
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    parser.add_argument(
        "--layout",
        choices=sorted(readers.LAYOUTS),
        default="",
        help="layout of the data set; default: detected from its files",
    )
    parser.add_argument(
        "--as-published", action="store_true", help="ROCO only: allow figures of one paper in several splits"
    )
    options = parser.parse_args(argv)
    count, rejected = write(options.root, options.out, options.layout, options.as_published)
    log.info("%d pairs in %s, %d rejected", count, options.out, len(rejected))
    for reason, number in Counter(rejection.reason for rejection in rejected).most_common():
        log.info("%6d  %s", number, reason)
    return 0
