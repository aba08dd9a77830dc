"""Measures where the starter models fail, on publishable images: `python -m benchmarks.failures --data FOLDER`.

Queries with every sample image that has a report for that report among all of them, and writes docs/failures.md with
the worst results and a sheet of their images. Images whose report is the text of a train row of FOLDER/pairs/pairs.csv
are counted separately: the encoders learned from it. Most of the others are breast ultrasounds, which the encoders
never saw. Does not know the archive or the app.
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
from engine.image.picture import load_picture
from engine.resources import resource_path
from training.data import pairs

SHOWN = 6
MANIFEST = Path("pairs/pairs.csv")
SAMPLE = resource_path("sample-archive")


@dataclass(frozen=True)
class Asked:
    """A picture and its report; where that came in the order that the picture gives, from 1; and what came first.

    trained: whether the encoders learned from this report; None where the training data is not at hand.
    """

    picture: Path
    kind: str
    report: str
    credit: str
    rank: float
    first: str
    trained: bool | None


def cases() -> list[dict[str, str]]:
    """The rows that have a picture and a report."""
    with (SAMPLE / "cases.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["image"] and row["text"]]


def trained_on(root: Path) -> set[str] | None:
    """The texts of the train rows that the encoders learned from, blanks made single; None without the manifest."""
    if not (root / MANIFEST).is_file():
        return None
    return {row.text for row in pairs.read_manifest(root / MANIFEST)[0] if row.split == "train"}


def ask(bundle: Bundle, rows: Sequence[dict[str, str]], trained: set[str] | None) -> list[Asked]:
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
        seen = None if trained is None else " ".join(row["text"].split()) in trained
        found.append(Asked(path, kind, row["text"], credit, rank, reports[int(scores.argmax())], seen))
    return found


def line(name: str, ranks: NDArray[np.float64], pool: int) -> str:
    shares = " | ".join(f"{(ranks <= k).mean():.0%} ({k / pool:.0%})" for k in (1, 5, 10))
    return f"| {name} | {len(ranks)} | {shares} | {np.median(ranks):.0f} ({(pool + 1) / 2:.0f}) |"


def parts(found: Sequence[Asked]) -> dict[str, list[Asked]]:
    """The pictures by kind and by whether their report was trained on, in the order of the tables."""
    told = {True: ", report trained on", False: ", report not trained on", None: ""}
    named: dict[str, list[Asked]] = {}
    for one in sorted(found, key=lambda one: (one.kind, not one.trained)):
        named.setdefault(one.kind + told[one.trained], []).append(one)
    return named


def worst(found: Sequence[Asked]) -> list[Asked]:
    """The furthest of each kind, half and half: the ultrasounds alone would fill the list."""
    kinds = [[one for one in found if one.kind == kind] for kind in ("radiograph", "ultrasound")]
    return [one for part in kinds for one in sorted(part, key=lambda one: -one.rank)[: SHOWN // 2]]


def markdown(bundle: Bundle, found: Sequence[Asked]) -> str:
    pool = len({one.report for one in found})
    untold = all(one.trained is None for one in found)
    split = (
        f"The training data was not at hand (--data), so it is unknown which reports are texts of {MANIFEST}."
        if untold
        else f"Trained on: the very text is a train row of {MANIFEST}, so that row shows what was learned by heart and "
        "not how well the models do on new cases; not trained on does not rule out other figures of the same article."
    )
    lines = [
        "# Where the starter models fail",
        "",
        f"Bundle {bundle.id}; made by `python -m benchmarks.failures --data DATA`. The {len(found)} pictures of the "
        f"sample archive that have a report are queries for it among these {pool} reports. In brackets: chance. "
        f"{split} The encoders never saw an ultrasound; the language stage of the decoder, which has no part in "
        "this, read reports of such. With so few pictures this shows examples and measures little, and "
        "int8 arithmetic differs between processors: ranks move by one or two from one machine to another.",
        "",
        "| images | queries | own report first | in the top 5 | in the top 10 | median rank |",
        "|---|---|---|---|---|---|",
        *(line(name, np.array([one.rank for one in part]), pool) for name, part in parts(found).items()),
        "",
        "![The images of the table below, in its order](failures.png)",
        "",
        f"The {SHOWN // 2} worst of each kind:",
        "",
        "| image | rank | report trained on | its report | top-ranked report | credit |",
        "|---|---|---|---|---|---|",
    ]
    for one in worst(found):
        seen = {True: "yes", False: "no", None: "unknown"}[one.trained]
        cells = (one.picture.name, f"{one.rank:.0f} of {pool}", seen, one.report, one.first, one.credit)
        lines.append("| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def sheet(found: Sequence[Asked], path: Path) -> None:
    """The pictures of the worst, in the order of the table."""
    figure = Figure(figsize=(9, 6), facecolor="#14171b", layout="constrained")
    for place, one in zip(figure.subplots(2, SHOWN // 2).flat, worst(found), strict=True):
        place.imshow(Image.open(one.picture).convert("L"), cmap="gray")
        place.set_title(f"{one.picture.stem[:28]}, rank {one.rank:.0f}", color="#d7dbe0", fontsize=9)
        place.axis("off")
    figure.savefig(path, dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="default: the starter bundle")
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help=f"folder with {MANIFEST}, to see which reports were trained on"
    )
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    options = parser.parse_args()
    bundle = Bundle.open(options.bundle)
    found = ask(bundle, cases(), trained_on(options.data))
    (options.docs / "failures.md").write_text(markdown(bundle, found), encoding="utf-8")
    sheet(found, options.docs / "failures.png")


if __name__ == "__main__":
    main()
