"""Measures writing, opening, searching and memory of a synthetic, seeded archive of 100,000 cases; not its quality.

    python -m benchmarks.archive_scale [--cases 100000] [--archive DIR] [--json | --markdown docs/benchmarks.md]

Vectors are scattered around random centers, reports consist of random words with Zipf-like frequencies, and images are
tiny. The time of the models is excluded. Searching is measured in a separate process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._section import put
from benchmarks._timing import processor
from engine.archive import Archive
from engine.facts.fact import Facts
from engine.models.familiarity import FamiliarityModel
from engine.models.ranking import RankingSettings
from engine.retrieval.search import Mode, Query, SearchOptions, search
from engine.store.case import NewCase, NewImage, NewReport
from engine.store.filters import ANY, Filters
from engine.store.folder.vectors.vector_index import FILE as VECTORS
from engine.store.score_scale import PAIR

TITLE = "An archive of 100,000 cases"
DIM, CENTERS, WORDS, IMAGE_EVERY = 512, 400, 4000, 5
FILTERS = Filters(modalities=("CT",), sex="F", age=(40, 60))


class Synthetic:
    """Stands in for a bundle: vectors come from a seed, so that the time of the models is excluded."""

    id = "synthetic"
    score_scale: Mapping[str, Any] = {pair: {"mean": 0.1, "std": 0.1} for pair in PAIR.values()}
    familiarity: FamiliarityModel | None = None
    ranking = RankingSettings()

    def __init__(self) -> None:
        self._centers = np.random.default_rng(1).normal(size=(CENTERS, DIM)).astype(np.float32)

    def vectors(self, seeds: Sequence[int]) -> NDArray[np.float32]:
        """Unit vectors float32 [N, DIM], one per seed."""
        rows = []
        for seed in seeds:
            rng = np.random.default_rng([2, seed])
            rows.append(self._centers[rng.integers(CENTERS)] + rng.normal(size=DIM).astype(np.float32))
        stacked = np.stack(rows)
        return np.asarray(stacked / np.linalg.norm(stacked, axis=1, keepdims=True), np.float32)

    def embed_images(self, images: Sequence[NDArray[np.uint8]], /) -> NDArray[np.float32]:
        """Seeded by the first pixel."""
        return self.vectors([int(image[0, 0]) for image in images])

    def facts_of_image(self, image: NDArray[np.uint8], /) -> Facts:
        return {}

    def image_features(self, images: Sequence[NDArray[np.uint8]], /) -> NDArray[np.float32]:
        """The vectors of `embed_images`."""
        return self.embed_images(images)

    def embed_texts(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        """Seeded by the length of the text."""
        return self.vectors([len(text) for text in texts])


def report(rng: np.random.Generator) -> str:
    """20 to 60 made-up words with skewed, language-like frequencies."""
    drawn = np.minimum(WORDS * rng.random(rng.integers(20, 60)) ** 3, WORDS - 1).astype(int)
    return " ".join(f"synthetic{number}" for number in drawn) + "."


def fill(folder: Path, cases: int) -> dict[str, float]:
    """Write the archive with one transaction per case, as an import does, and build the index; return the times."""
    encoder, rng = Synthetic(), np.random.default_rng(3)
    seconds_spent = cpu = 0.0
    with Archive.create(folder, encoder.id) as archive:
        for first in range(0, cases, 1000):
            numbers = range(first, min(first + 1000, cases))
            rows = encoder.vectors(numbers)
            new = [synthetic_case(number, row, rng) for number, row in zip(numbers, rows, strict=True)]
            start, begun = time.perf_counter(), time.process_time()
            for case in new:
                archive.add_case(case, encoder.id)
            seconds_spent += time.perf_counter() - start
            cpu += time.process_time() - begun
        start = time.perf_counter()
        archive.index.refresh(save=True)
        indexed = time.perf_counter() - start
    return {"seconds": seconds_spent, "rate": cases / seconds_spent, "processor": cpu / cases, "index_seconds": indexed}


def synthetic_case(number: int, vector: NDArray[np.float32], rng: np.random.Generator) -> NewCase:
    """A case with a report; every fifth also has an image."""
    image = np.full((24, 24), number % 256, np.uint8)
    images = (NewImage(image, np.roll(vector, 1), "one"),) if number % IMAGE_EVERY == 0 else ()
    return NewCase(
        f"synthetic {number}",
        ("CT", "MR", "CR", "US")[int(rng.integers(4))],
        ("F", "M", "")[int(rng.integers(3))],
        int(rng.integers(20, 90)),
        source="synthetic benchmark data",
        patient=f"synthetic {number // 2}",
        images=images,
        report=NewReport(report(rng), vector),
    )


def measure_search(folder: Path, rounds: int) -> dict[str, Any]:
    """Open the archive as the app does and search it in every mode: median and 95th percentile in ms.

    `processor` is the median CPU time, which other load on the machine hardly changes.
    """
    encoder = Synthetic()
    before = memory()
    start = time.perf_counter()
    archive = Archive.open(folder)
    opened = 1000 * (time.perf_counter() - start)
    rng = np.random.default_rng(4)
    gray = rng.integers(0, 256, (rounds, 32, 32), np.uint8)
    words = [" ".join(report(rng).split()[:4]) for _ in range(rounds)]
    start = time.perf_counter()
    search(archive, encoder, Query(text=words[0]))
    first = 1000 * (time.perf_counter() - start)
    modes: dict[str, tuple[Callable[[int], Query], Mode, Filters]] = {
        "text": (lambda n: Query(text=words[n]), "vector", ANY),
        "image": (lambda n: Query(image=gray[n]), "vector", ANY),
        "image and text": (lambda n: Query(gray[n], words[n]), "vector", ANY),
        "exact words": (lambda n: Query(text=words[n]), "lexical", ANY),
        "text and exact words": (lambda n: Query(text=words[n]), "hybrid", ANY),
        "text, filtered": (lambda n: Query(text=words[n]), "vector", FILTERS),
        "image, filtered": (lambda n: Query(image=gray[n]), "vector", FILTERS),
        "text and exact words, filtered": (lambda n: Query(text=words[n]), "hybrid", FILTERS),
    }
    searches = {}
    for name, (query, mode, filters) in modes.items():
        times, cpu = [], []
        for number in range(rounds):
            drawn = query(number)
            start, begun = time.perf_counter(), time.process_time()
            search(archive, encoder, drawn, SearchOptions(filters=filters, k=20, mode=mode))
            times.append(1000 * (time.perf_counter() - start))
            cpu.append(1000 * (time.process_time() - begun))
        searches[name] = {"median": median(times), "p95": quantiles(times, n=20)[-1], "processor": median(cpu)}
    sizes = {path.name: path.stat().st_size for path in ((archive.folder / VECTORS), folder / "archive.db")}
    stats = archive.stats()
    archive.close()
    return {
        "cases": stats["cases"],
        "vectors": stats["embeddings"],
        "open_ms": opened,
        "first_search_ms": first,
        "searches": searches,
        "memory_mb": memory() - before,
        "sizes": sizes,
    }


def memory() -> float:
    """Resident memory of this process in MB; on systems without /proc, its peak."""
    statm = Path("/proc/self/statm")
    if statm.is_file():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def markdown(results: Mapping[str, Any]) -> str:
    """The table, with machine and conditions."""
    written, searched = results["write"], results["search"]
    size = {name: f"{count / 1e6:.0f} MB" for name, count in searched["sizes"].items()}
    rows = []
    if written:
        rows.append(
            (
                "writing, one transaction per case, models excluded",
                f"{written['rate']:.0f} cases/s",
                "",
                f"{1000 * written['processor']:.2f} ms/case",
            )
        )
        rows.append(("building and saving the index", f"{written['index_seconds']:.1f} s", "", ""))
    rows.append(("opening", f"{searched['open_ms']:.0f} ms", "", ""))
    rows.append(("first search, index read from its file", f"{searched['first_search_ms']:.0f} ms", "", ""))
    rows += [
        (f"search by {name}", f"{times['median']:.0f} ms", f"{times['p95']:.0f} ms", f"{times['processor']:.0f} ms")
        for name, times in searched["searches"].items()
    ]
    rows.append(("memory used by opening and searching", f"{searched['memory_mb']:.0f} MB", "", ""))
    rows.append(("on disk: database, index", f"{size['archive.db']}, {size['vectors.index']}", "", ""))
    lines = [
        f"{processor()}, OMP_NUM_THREADS: {os.environ.get('OMP_NUM_THREADS', 'not set')}. "
        f"Synthetic, seeded: {searched['cases']:,} "
        f"cases, {searched['vectors']:,} vectors of {DIM} numbers; filtered: CT, women, 40 to 60 years. The time "
        "of the models is excluded. `python -m benchmarks.archive_scale`",
        "",
        "| operation | median | 95th percentile | CPU time, median |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines)


def main() -> None:
    """Write the archive unless it exists, measure searching in a separate process, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument(
        "--archive", type=Path, help="keep the archive in this folder; an existing one is only searched"
    )
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help=f'replace the section "{TITLE}" of this file')
    parser.add_argument("--only-search", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_search:
        print(json.dumps(measure_search(options.archive, options.rounds)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.archive or Path(temporary) / "archive"
        written = None if Archive.exists(folder) else fill(folder, options.cases)
        again = [sys.executable, "-m", "benchmarks.archive_scale", "--only-search", "--archive", str(folder)]
        done = subprocess.run([*again, "--rounds", str(options.rounds)], stdout=subprocess.PIPE, check=True, text=True)
    results = {"write": written, "search": json.loads(done.stdout)}
    if options.markdown:
        put(options.markdown, TITLE, markdown(results))
    print(json.dumps(results, indent=2) if options.json else markdown(results))


if __name__ == "__main__":
    main()
