"""Where the starter models fail, shown on pictures that may be shown: `python -m benchmarks.failures`.

Asks with every sample picture that has a report for its own report among all of theirs, and writes docs/failures.md
with the worst ones and a sheet of their pictures. None of these pictures or reports was trained on; two thirds are
breast ultrasounds, a kind of examination that training never saw. Knows nothing of the archive or the app.
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from engine.bundle import Bundle
from engine.picture import load_picture
from engine.resources import resource_path

SHOWN = 6
SAMPLE = resource_path("sample-archive")


@dataclass(frozen=True)
class Asked:
    """A picture and its report; where that came in the order that the picture gives, from 1; and what came first."""

    picture: Path
    kind: str
    report: str
    credit: str
    rank: float
    first: str


def cases() -> list[dict[str, str]]:
    """The rows that have a picture and a report."""
    with (SAMPLE / "cases.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["image"] and row["text"]]


def ask(bundle: Bundle, rows: Sequence[dict[str, str]]) -> list[Asked]:
    """Ask with each picture; reports with the identical text are one, and ties count half."""
    reports = sorted({row["text"] for row in rows})
    texts = bundle.embed_texts(reports)
    found = []
    for row in rows:
        path = SAMPLE / row["image"]
        scores = texts @ bundle.embed_images([load_picture(path).gray])[0]
        own = scores[reports.index(row["text"])]
        rank = 1 + float((scores > own).sum() + ((scores == own).sum() - 1) / 2)
        kind = "ultrasound" if path.name.startswith("breast") else "radiograph"
        credit = ", ".join(part for part in (row["licence"], row["credit"] or row["url"] or row["doi"]) if part)
        found.append(Asked(path, kind, row["text"], credit, rank, reports[int(scores.argmax())]))
    return found


def line(name: str, ranks: NDArray[np.float64], pool: int) -> str:
    shares = " | ".join(f"{(ranks <= k).mean():.0%} ({k / pool:.0%})" for k in (1, 5, 10))
    return f"| {name} | {len(ranks)} | {shares} | {np.median(ranks):.0f} ({(pool + 1) / 2:.0f}) |"


def worst(found: Sequence[Asked]) -> list[Asked]:
    """The furthest of each kind, half and half: the ultrasounds alone would fill the list."""
    kinds = [[one for one in found if one.kind == kind] for kind in ("radiograph", "ultrasound")]
    return [one for part in kinds for one in sorted(part, key=lambda one: -one.rank)[: SHOWN // 2]]


def markdown(bundle: Bundle, found: Sequence[Asked]) -> str:
    pool = len({one.report for one in found})
    ranks = {kind: np.array([one.rank for one in found if one.kind == kind]) for kind in ("radiograph", "ultrasound")}
    lines = [
        "# Where the starter models fail",
        "",
        f"Bundle {bundle.id}; made by `python -m benchmarks.failures`. The {len(found)} pictures of the sample archive "
        f"that have a report ask for it among these {pool} reports. In brackets: chance. Training saw no ultrasound "
        "and few radiographs of this source; with so few pictures this shows examples and measures little.",
        "",
        "| pictures | asked | own report first | in the first 5 | in the first 10 | median place |",
        "|---|---|---|---|---|---|",
        *(line(kind, values, pool) for kind, values in ranks.items()),
        "",
        "![The pictures of the table below, in its order](failures.png)",
        "",
        f"The {SHOWN // 2} worst of each kind:",
        "",
        "| picture | place | its report | the report that came first | credit |",
        "|---|---|---|---|---|",
    ]
    for one in worst(found):
        cells = (one.picture.name, f"{one.rank:.0f} of {pool}", one.report, one.first, one.credit)
        lines.append("| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def sheet(found: Sequence[Asked], path: Path) -> None:
    """The pictures of the worst, in the order of the table."""
    figure = Figure(figsize=(9, 6), facecolor="#14171b", layout="constrained")
    for place, one in zip(figure.subplots(2, SHOWN // 2).flat, worst(found), strict=True):
        place.imshow(Image.open(one.picture).convert("L"), cmap="gray")
        place.set_title(f"{one.picture.stem[:28]}, place {one.rank:.0f}", color="#d7dbe0", fontsize=9)
        place.axis("off")
    figure.savefig(path, dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="default: the starter bundle")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    options = parser.parse_args()
    bundle = Bundle.open(options.bundle)
    found = ask(bundle, cases())
    (options.docs / "failures.md").write_text(markdown(bundle, found), encoding="utf-8")
    sheet(found, options.docs / "failures.png")


if __name__ == "__main__":
    main()
