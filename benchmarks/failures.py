"""Measures where the starter models fail, on publishable images: `python -m benchmarks.failures --data FOLDER`.

Every sample image that has a report is a query for that report among all of them. Writes docs/failures.md with the
worst results and a sheet of their images. Images whose report the encoders were trained on are counted separately: it
is a train row of one of MANIFESTS in FOLDER, of a source that the bundle names. Does not know the archive or the app.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Collection, Sequence
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
MANIFESTS = ("pairs/pairs.csv", "pairs-more/pairs.csv", "pairs-roco/pairs.csv")
SAMPLE = resource_path("sample-archive")
KINDS = {
    "CR": "radiograph",
    "US": "ultrasound",
    "MG": "mammogram",
    "XA": "angiography or fluoroscopy",
    "PT": "PET",
    "NM": "scintigraphy",
}
"""What the tables call a modality; CT and MR keep their codes."""


@dataclass(frozen=True)
class RankedQuery:
    """An image used as a query, and how its own report ranked."""

    image: Path
    kind: str
    report: str
    credit: str
    rank: float
    """Of its own report, from 1; ties count half."""
    first: str
    """The top-ranked report."""
    trained: bool | None
    """Whether the encoders were trained on this report; None if the training data is not available."""


def cases() -> list[dict[str, str]]:
    """The rows that have an image and a report."""
    with (SAMPLE / "cases.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["image"] and row["text"]]


def sources_of(bundle: Bundle) -> set[str]:
    """The sources that the image and text towers of a bundle were trained on."""
    return {one["name"] for one in bundle.manifest["data_provenance"] if "towers" in one["used_for"]}


def trained_on(root: Path, sources: Collection[str]) -> set[str] | None:
    """The texts of the train rows of `sources`, with whitespace collapsed; None without any manifest."""
    found = [root / name for name in MANIFESTS if (root / name).is_file()]
    if not found:
        return None
    rows = [row for path in found for row in pairs.read_manifest(path)[0] if row.split == "train"]
    return {row.text for row in rows if row.values.get("source") in sources}


def rank_own_reports(bundle: Bundle, rows: Sequence[dict[str, str]], trained: set[str] | None) -> list[RankedQuery]:
    """Search with each image; reports with identical text count as one."""
    reports = sorted({row["text"] for row in rows})
    texts = bundle.embed_texts(reports)
    queries = []
    for row in rows:
        path = SAMPLE / row["image"]
        scores = texts @ bundle.embed_images([load_picture(path).gray])[0]
        own = scores[reports.index(row["text"])]
        rank = 1 + float((scores > own).sum() + ((scores == own).sum() - 1) / 2)
        kind = KINDS.get(row["modality"], row["modality"])
        credit = ", ".join(part for part in (row["licence"], row["credit"] or row["url"] or row["doi"]) if part)
        seen = None if trained is None else " ".join(row["text"].split()) in trained
        queries.append(RankedQuery(path, kind, row["text"], credit, rank, reports[int(scores.argmax())], seen))
    return queries


def line(name: str, ranks: NDArray[np.float64], pool: int) -> str:
    """One row of the first table."""
    shares = " | ".join(f"{(ranks <= k).mean():.0%} ({k / pool:.0%})" for k in (1, 5, 10))
    return f"| {name} | {len(ranks)} | {shares} | {np.median(ranks):.0f} ({(pool + 1) / 2:.0f}) |"


def by_kind_and_training(queries: Sequence[RankedQuery]) -> dict[str, list[RankedQuery]]:
    """The queries by kind and by whether their report was trained on, in the order of the tables."""
    suffixes = {True: ", report trained on", False: ", report not trained on", None: ""}
    named: dict[str, list[RankedQuery]] = {}
    for one in sorted(queries, key=lambda one: (one.kind, not one.trained)):
        named.setdefault(one.kind + suffixes[one.trained], []).append(one)
    return named


def worst(queries: Sequence[RankedQuery]) -> list[RankedQuery]:
    """The worst query of each of the most frequent kinds: one kind alone could fill the list."""
    frequent = Counter(one.kind for one in queries).most_common(SHOWN)
    return [max((one for one in queries if one.kind == kind), key=lambda one: one.rank) for kind, _ in frequent]


def markdown(bundle: Bundle, queries: Sequence[RankedQuery]) -> str:
    """The whole document."""
    pool = len({one.report for one in queries})
    unknown = all(one.trained is None for one in queries)
    split = (
        "The training data was not available (--data), so it is unknown which reports are in it."
        if unknown
        else f"Trained on: the text is a train row of one of {', '.join(MANIFESTS)}, from a source that the bundle was "
        "trained on, so that row shows memorisation, not performance on new cases."
    )
    lines = [
        "# Where the starter models fail",
        "",
        f"Bundle {bundle.id}; made by `python -m benchmarks.failures --data DATA`. Each of the {len(queries)} images "
        f"of the sample archive that have a report is a query for it among these {pool} reports. In brackets: chance. "
        f"{split} These are examples rather than a measurement. int8 arithmetic differs between processors: "
        "ranks shift by one or two from one machine to another.",
        "",
        "| images | queries | own report first | in the top 5 | in the top 10 | median rank |",
        "|---|---|---|---|---|---|",
        *(
            line(name, np.array([one.rank for one in part]), pool)
            for name, part in by_kind_and_training(queries).items()
        ),
        "",
        "![The images of the table below, in its order](failures.png)",
        "",
        "The worst of each kind:",
        "",
        "| image | rank | report trained on | its report | top-ranked report | credit |",
        "|---|---|---|---|---|---|",
    ]
    for one in worst(queries):
        seen = {True: "yes", False: "no", None: "unknown"}[one.trained]
        cells = (one.image.name, f"{one.rank:.0f} of {pool}", seen, one.report, one.first, one.credit)
        lines.append("| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def sheet(queries: Sequence[RankedQuery], path: Path) -> None:
    """A figure of the images in the second table, in its order."""
    figure = Figure(figsize=(9, 6), facecolor="#14171b", layout="constrained")
    cells = list(figure.subplots(2, SHOWN // 2).flat)
    for axes in cells:
        axes.axis("off")
    for axes, one in zip(cells, worst(queries), strict=False):
        axes.imshow(Image.open(one.image).convert("L"), cmap="gray")
        axes.set_title(f"{one.image.stem[:28]}, rank {one.rank:.0f}", color="#d7dbe0", fontsize=9)
    figure.savefig(path, dpi=80)


def main() -> None:
    """Write failures.md and failures.png."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="default: the starter bundle")
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help="folder with MANIFESTS, to see which reports were trained on"
    )
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    options = parser.parse_args()
    bundle = Bundle.open(options.bundle)
    queries = rank_own_reports(bundle, cases(), trained_on(options.data, sources_of(bundle)))
    (options.docs / "failures.md").write_text(markdown(bundle, queries), encoding="utf-8")
    sheet(queries, options.docs / "failures.png")


if __name__ == "__main__":
    main()
