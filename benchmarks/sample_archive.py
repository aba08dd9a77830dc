"""Measures search, speed and integrity of the sample archive with a bundle; not the quality of the models.

    python -m benchmarks.sample_archive [--bundle DIR] [--archive DIR] [--json | --markdown docs/benchmarks.md]

Imports the sample archive (about a minute) into a temporary folder unless --archive names one. The results are not
quality figures, since many of these texts are in the training data.
"""

import argparse
import csv
import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._section import put
from benchmarks._timing import processor
from engine.archive import Archive
from engine.bundle import Bundle
from engine.importing.import_result import ImportResult
from engine.importing.importer import import_path
from engine.resources import resource_path
from engine.retrieval.fusion import QueryVectors
from engine.retrieval.nearest import nearest_cases
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.filters import Filters
from engine.store.folder.vectors.vector_index import FILE as VECTORS
from engine.store.score_scale import KINDS, PAIR, ScoreScale

TITLE = "The sample archive"
TOP = 10
RAW = ScoreScale.of_bundle({pair: {"mean": 0.0, "std": 1.0} for pair in PAIR.values()})


@dataclass(frozen=True)
class TextSearchResult:
    """How often a search by the text of a report finds that report."""

    queries: int
    first: int
    """Queries whose first hit is their own report."""
    in_top: int
    """Queries whose own report is among the first `TOP` hits."""
    milliseconds: float
    """Median time of a search."""


@dataclass(frozen=True)
class ImageSearchResult:
    """How well images and reports mix in the hits of image queries."""

    queries: int
    both: int
    """Queries with images and reports among the first `TOP` hits."""
    report_share: float
    """Share of reports in the first `TOP` hits of all queries."""


def own_reports(archive: Archive, every: int) -> list[tuple[int, str]]:
    """(case, text) of every report with an image, and of every n-th without one, in the order of import."""
    cases = [archive.case(case_id) for case_id in archive.case_ids(limit=-1)]
    with_image: list[tuple[int, str]] = []
    without: list[tuple[int, str]] = []
    for case in cases:
        if case.report is not None:
            (with_image if case.images else without).append((case.case_id, case.report.text))
    return with_image + without[::every]


def text_search(archive: Archive, bundle: Bundle, texts: Sequence[tuple[int, str]]) -> TextSearchResult:
    """Search with every text as a user would type it; a hit with the identical text counts as the text's own report."""
    times, first, in_top = [], 0, 0
    for _, text in texts:
        start = time.perf_counter()
        hits = search(archive, bundle, Query(text=text), SearchOptions(k=TOP)).hits
        times.append(1000 * (time.perf_counter() - start))
        same = [hit.text == text for hit in hits]
        first += same[0]
        in_top += any(same)
    return TextSearchResult(len(texts), first, in_top, median(times))


def image_search(archive: Archive, bundle: Bundle, scale: ScoreScale | None = None) -> ImageSearchResult:
    """Search with the stored vector of every image; its own case is excluded, as the app excludes the open study."""
    anything = np.zeros(bundle.embedding_size, np.float32)  # equally far from all, so that none is left out
    stored = archive.index.nearest(anything, "image", archive.stats()["images"])
    both = reports = hits = 0
    for case_id, vector in zip(stored.cases.tolist(), stored.vectors, strict=True):
        query = QueryVectors(image=vector)
        matches = nearest_cases(archive, bundle, query, TOP, Filters(excluded=(case_id,)), scale)
        kinds = [match.kind for match in matches]
        both += len(set(kinds)) == 2
        reports += kinds.count("report")
        hits += len(kinds)
    return ImageSearchResult(len(stored.ids), both, reports / max(1, hits))


def answers(archive: Archive, queries: NDArray[np.float32]) -> list[list[int]]:
    """The nearest images and reports of each query, by embedding id."""
    return [archive.index.nearest(row, kind, TOP).ids.tolist() for row in queries for kind in KINDS]


def health(archive: Archive, probes: Sequence[tuple[int, str]], bundle: Bundle) -> dict[str, bool]:
    """Whether database and index are intact, and the index answers like one rebuilt from the database.

    Deletes the index file and has it rebuilt.
    """
    stats = archive.stats()
    queries = bundle.embed_texts([text for _, text in probes])
    kept, state = answers(archive, queries), archive.index.state()
    (archive.folder / VECTORS).unlink(missing_ok=True)
    with Archive.open(archive.folder) as reopened:
        rebuilt = answers(reopened, queries)
    return {
        "the database is intact": archive.problems() == [],
        "every image and report has one vector": stats["embeddings"] == stats["images"] + stats["reports"],
        "the index file is intact": state == "intact",
        "it answers like a rebuilt index": kept == rebuilt,
    }


def smaller(source: Path, target: Path, limit: int) -> Path:
    """The first rows of both lists of an image folder, with their images; for a quick run."""
    (target / "images").mkdir(parents=True)
    for name in ("cases.csv", "captions.csv"):
        with (source / name).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = [row for row, _ in zip(reader, range(limit), strict=False)]
        with (target / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, reader.fieldnames or ())
            writer.writeheader()
            writer.writerows(rows)
        for row in rows:
            if row.get("image"):
                shutil.copyfile(source / row["image"], target / row["image"])
    return target


def run(bundle: Bundle, source: Path, folder: Path, every: int) -> dict[str, Any]:
    """Import `source` into the archive in `folder` and measure."""
    start = time.perf_counter()
    with Archive.open(folder) if Archive.exists(folder) else Archive.create(folder) as archive:
        done: ImportResult = import_path(archive, bundle, source)
        seconds = time.perf_counter() - start
        texts = own_reports(archive, every)
        return {
            "bundle": {"id": bundle.id, "name": bundle.manifest["name"], "variant": bundle.variant},
            "machine": processor(),
            "archive": {name: archive.stats()[name] for name in ("cases", "images", "reports")},
            "import": {"seconds": seconds, "added": done.added, "known": done.skipped, "refused": len(done.rejected)},
            "texts": asdict(text_search(archive, bundle, texts)),
            "images_raw": asdict(image_search(archive, bundle, RAW)),
            "images_calibrated": asdict(image_search(archive, bundle)),
            "health": health(archive, texts[:: max(1, len(texts) // 40)], bundle),
        }


def markdown(results: Mapping[str, Any]) -> str:
    """The table, with machine and conditions."""
    archive, imported, texts = results["archive"], results["import"], results["texts"]
    rows = [
        ("texts whose own report is the first hit", f"{texts['first']} of {texts['queries']}"),
        (f"texts whose own report is among the first {TOP}", f"{texts['in_top']} of {texts['queries']}"),
        ("text search including embedding, median", f"{texts['milliseconds']:.1f} ms"),
    ]
    for name, scores in (("images_raw", "raw cosine"), ("images_calibrated", "score scale, as shipped")):
        kinds = results[name]
        rows.append(
            (
                f"image queries with images and reports in the top {TOP}, {scores}",
                f"{kinds['both']} of {kinds['queries']}",
            )
        )
        rows.append((f"share of reports in these hits, {scores}", f"{kinds['report_share']:.0%}"))
    rows += [(check, "yes" if good else "NO") for check, good in results["health"].items()]
    rate = imported["added"] / imported["seconds"]
    duration = f"{imported['seconds']:.0f} s, {rate:.0f} cases/s" if imported["added"] else "imported before"
    rows.append(("import", f"{duration}; {imported['refused']} refused"))
    lines = [
        f"{results['machine']}. Bundle {results['bundle']['id'][:12]} ({results['bundle']['variant']}), "
        f"{archive['cases']} cases, {archive['images']} images, {archive['reports']} reports. Image queries exclude "
        "their own case. These are not quality figures: many of the texts are in the training data. "
        "`python -m benchmarks.sample_archive`",
        "",
        "| measurement | result |",
        "|---|---|",
        *(f"| {what} | {value} |" for what, value in rows),
    ]
    return "\n".join(lines)


def main() -> None:
    """Import, measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="default: the starter bundle")
    parser.add_argument("--source", type=Path, default=resource_path("sample-archive"))
    parser.add_argument("--archive", type=Path, help="keep the archive in this folder; an existing one is continued")
    parser.add_argument("--every", type=int, default=10, help="query with every n-th report that has no image")
    parser.add_argument("--limit", type=int, help="only the first rows of both lists, for a quick run")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help=f'replace the section "{TITLE}" of this file')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        source = smaller(options.source, Path(temporary) / "source", options.limit) if options.limit else options.source
        results = run(
            Bundle.open(options.bundle), source, options.archive or Path(temporary) / "archive", options.every
        )
    if options.markdown:
        put(options.markdown, TITLE, markdown(results))
    print(json.dumps(results, indent=2) if options.json else markdown(results))


if __name__ == "__main__":
    main()
