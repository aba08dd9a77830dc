"""Measures search, speed and integrity of the sample archive with a bundle; not the quality of the models.

    python -m benchmarks.sample_archive [--bundle DIR] [--archive DIR] [--json | --markdown docs/benchmarks.md]

Imports the sample archive (a few minutes) into a temporary folder unless --archive names one. The results are not
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
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks._section import put
from benchmarks._timing import processor
from engine.archive import Archive
from engine.bundle import Bundle
from engine.importing.importer import ImportResult, import_path
from engine.resources import resource_path
from engine.retrieval.fusion import PAIR, QueryVectors
from engine.retrieval.nearest import nearest_cases
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.filters import Filters
from engine.store.vector_index import VectorIndex

TITLE = "The sample archive"
TOP = 10
RAW = {pair: {"mean": 0.0, "std": 1.0} for pair in PAIR.values()}


@dataclass(frozen=True)
class Found:
    """Texts asked, those whose first hit is their report, and the median time of a whole search in ms."""

    asked: int
    first: int
    in_top: int
    milliseconds: float


@dataclass(frozen=True)
class Kinds:
    """Image queries, those whose top 10 hold both kinds, and the share of reports in all those hits."""

    asked: int
    both: int
    report_share: float


def own_reports(archive: Archive, every: int) -> list[tuple[int, str]]:
    """(case, text) of every report with a picture, and of every n-th without one, in the order of import."""
    cases = [archive.case(case_id) for case_id in archive.case_ids(limit=-1)]
    with_image: list[tuple[int, str]] = []
    without: list[tuple[int, str]] = []
    for case in cases:
        if case.report is not None:
            (with_image if case.images else without).append((case.case_id, case.report.text))
    return with_image + without[::every]


def text_search(archive: Archive, bundle: Bundle, texts: Sequence[tuple[int, str]]) -> Found:
    """Ask with every text as a user would type it; cases with the identical text are as good as the text's own."""
    times, first, in_top = [], 0, 0
    for _, text in texts:
        start = time.perf_counter()
        hits = search(archive, bundle, Query(text=text), SearchOptions(k=TOP)).hits
        times.append(1000 * (time.perf_counter() - start))
        same = [hit.text == text for hit in hits]
        first += same[0]
        in_top += any(same)
    return Found(len(texts), first, in_top, median(times))


def image_search(archive: Archive, bundle: Bundle, score_scale: Mapping[str, Any]) -> Kinds:
    """Ask with the stored vector of every picture, its own case left out, as the open study is."""
    case_ids, vectors = archive.embeddings("image")
    asking: Any = SimpleNamespace(id=bundle.id, score_scale=score_scale)
    both = reports = hits = 0
    for case_id, vector in zip(case_ids.tolist(), vectors, strict=True):
        query = QueryVectors(image=vector)
        found = nearest_cases(archive, asking, query, TOP, Filters(excluded=(case_id,)))
        kinds = [match.kind for match in found]
        both += len(set(kinds)) == 2
        reports += kinds.count("report")
        hits += len(kinds)
    return Kinds(len(case_ids), both, reports / max(1, hits))


def health(archive: Archive, probes: Sequence[tuple[int, str]], bundle: Bundle) -> dict[str, bool]:
    """Whether database and index are whole, and the kept index answers as one made anew from the database does."""
    stats = archive.stats()
    queries = bundle.embed_texts([text for _, text in probes])
    with tempfile.TemporaryDirectory() as place:
        fresh = VectorIndex(Path(place), archive._database.read)
        same = all(
            np.array_equal(archive.index.nearest(row, kind, TOP).ids, fresh.nearest(row, kind, TOP).ids)
            for row in queries
            for kind in ("image", "report")
        )
    return {
        "the database is intact": archive.problems() == [],
        "every image and report has one vector": stats["embeddings"] == stats["images"] + stats["reports"],
        "the index file is intact": archive.index.state() == "intact",
        "it answers like a rebuilt index": same,
    }


def smaller(source: Path, target: Path, limit: int) -> Path:
    """The first rows of both lists of an image folder, with their images; for a quick trial."""
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


def run(bundle: Bundle, source: Path, place: Path, every: int) -> dict[str, Any]:
    """Import `source` into the archive at `place` and measure."""
    start = time.perf_counter()
    with Archive.open(place) if Archive.exists(place) else Archive.create(place) as archive:
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
            "images_calibrated": asdict(image_search(archive, bundle, bundle.score_scale)),
            "health": health(archive, texts[:: max(1, len(texts) // 40)], bundle),
        }


def markdown(found: Mapping[str, Any]) -> str:
    """The table, with machine and conditions."""
    archive, brought, texts = found["archive"], found["import"], found["texts"]
    rows = [
        ("texts whose own report is the first hit", f"{texts['first']} of {texts['asked']}"),
        (f"texts whose own report is among the first {TOP}", f"{texts['in_top']} of {texts['asked']}"),
        ("text search including embedding, median", f"{texts['milliseconds']:.1f} ms"),
    ]
    for name, said in (("images_raw", "raw cosine"), ("images_calibrated", "score scale, as shipped")):
        kinds = found[name]
        rows.append((f"image queries with both kinds in the top {TOP}, {said}", f"{kinds['both']} of {kinds['asked']}"))
        rows.append((f"share of reports in those, {said}", f"{kinds['report_share']:.0%}"))
    rows += [(said, "yes" if good else "NO") for said, good in found["health"].items()]
    rate = brought["added"] / brought["seconds"]
    told = f"{brought['seconds']:.0f} s, {rate:.0f} cases a second" if brought["added"] else "imported before"
    rows.append(("import", f"{told}; {brought['refused']} refused"))
    lines = [
        f"{found['machine']}. Bundle {found['bundle']['id'][:12]} ({found['bundle']['variant']}), {archive['cases']} "
        f"cases, {archive['images']} images, {archive['reports']} reports. An image query leaves its own case out. Not "
        "quality figures: many of these texts are in the training data. `python -m benchmarks.sample_archive`",
        "",
        "| measurement | result |",
        "|---|---|",
        *(f"| {what} | {value} |" for what, value in rows),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="default: the starter bundle")
    parser.add_argument("--source", type=Path, default=resource_path("sample-archive"))
    parser.add_argument("--archive", type=Path, help="keep the archive here; an existing one is continued")
    parser.add_argument("--every", type=int, default=10, help="query with every n-th report that has no image")
    parser.add_argument("--limit", type=int, help="only the first rows of both lists: a trial")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help=f'replace the section "{TITLE}" of this file')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        source = smaller(options.source, Path(made) / "source", options.limit) if options.limit else options.source
        found = run(Bundle.open(options.bundle), source, options.archive or Path(made) / "archive", options.every)
    if options.markdown:
        put(options.markdown, TITLE, markdown(found))
    print(json.dumps(found, indent=2) if options.json else markdown(found))


if __name__ == "__main__":
    main()
