"""Measures an archive of one million vectors: searches, filters, words, opening, room. Quality is not measured.

    python -m benchmarks.archive [--cases 500000] [--archive DIR] [--markdown docs/benchmarks.md]

Claim: on two cores p50 <= 20 ms at recall@10 >= .99 of an exact scan; with filters that keep 1, 10 and 50 % <= 40 ms;
by words and vectors together <= 150 ms; opening to the first hit <= 3 s; at most 1.8 KB a vector.

The vectors are those of the sample archive, and others scattered around the lines between them, as are the queries.
faiss flat, faiss HNSW and sqlite-vec search the same vectors in the same run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles

import numpy as np
from numpy.typing import NDArray

from benchmarks._derived_cases import fill, scattered
from benchmarks._section import put
from benchmarks._table_sizes import bytes_of
from benchmarks._timing import others_share, processor, processor_seconds
from benchmarks._vector_baselines import TOP, Method, baselines
from benchmarks.archive_scale import memory
from engine.archive import Archive
from engine.bundle import Bundle
from engine.retrieval.fusion import QueryVectors
from engine.retrieval.nearest import nearest_cases
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.filters import ANY, Filters
from engine.store.folder.folder_store import DATABASE
from engine.store.folder.vectors.vector_index import FILE as VECTORS
from engine.store.score_scale import KINDS

TITLE = "An archive of one million vectors"
CANDIDATES = 4 * TOP + 64
"""As a search for ten cases takes (retrieval/nearest.py)."""
PAGE = 20_000
FILTERS = {"50": Filters(age=(20, 54)), "10": Filters(age=(20, 26)), "1": Filters(age=(41, 42), sex="F")}
"""By about how many percent of the cases they keep."""
WORDS = (
    *("right pleural effusion", "pneumothorax", "fracture of the wrist", "breast cyst", "normal chest radiograph"),
    *("subdural hematoma", "liver metastases", "renal calculus", "cardiomegaly", "spinal canal stenosis"),
)
Times = dict[str, tuple[float, float]]
"""Median and 95th percentile in ms, by what was measured."""


def timed(work: Callable[[int], object], rounds: int) -> tuple[float, float]:
    """Median and 95th percentile of some rounds, in ms."""
    times = []
    for number in range(rounds):
        start = time.perf_counter()
        work(number)
        times.append(1000 * (time.perf_counter() - start))
    return median(times), quantiles(times, n=20)[-1]


def first_hit(folder: Path) -> dict[str, float]:
    """Seconds until an archive is open, and until the first hits are there, models loaded before; memory in MB."""
    bundle = Bundle.open()
    bundle.embed_texts(["chest"])
    start = time.perf_counter()
    with Archive.open(folder) as archive:
        opened = time.perf_counter() - start
        search(archive, bundle, Query(text="CT of the chest with pleural effusion"))
        return {"opened": opened, "hits": time.perf_counter() - start, "memory": memory()}


def pages(archive: Archive) -> Iterator[NDArray[np.float32]]:
    """All vectors in the order of their rows, float32 [N, D] a page."""
    ids = archive.index.rows().ids
    for start in range(0, len(ids), PAGE):
        page = archive.index.vectors(ids[start : start + PAGE])
        assert page is not None
        yield page


def ours(archive: Archive) -> Method:
    """The index of the archive, of which the candidates of both kinds are ranked by their own vectors."""
    start = time.perf_counter()
    archive.index.refresh(save=True, anew=True)
    seconds = time.perf_counter() - start

    def find(query: NDArray[np.float32]) -> NDArray[np.int64]:
        found = [archive.index.nearest(query, kind, CANDIDATES) for kind in KINDS]
        ids = np.concatenate([one.ids for one in found])
        products = np.concatenate([one.vectors @ query for one in found])
        return ids[np.argsort(-products)[:TOP]]

    return Method("Kindred: lists of 8 bits, both kinds", seconds, (archive.folder / VECTORS).stat().st_size, find)


def compared(archive: Archive, queries: NDArray[np.float32]) -> list[str]:
    """A row for each method: time, recall of what an exact scan finds, building, size."""
    own = ours(archive)
    ids = archive.index.rows().ids
    found = [own.find(query) for query in queries]
    speed = timed(lambda number: own.find(queries[number]), len(queries))
    vectors = np.concatenate([*pages(archive)])
    lines, exact = [], None
    for method in baselines(vectors):
        rows = [ids[method.find(query)] for query in queries]
        exact = exact if exact is not None else rows  # the first one is exact
        times = timed(lambda number, find=method.find: find(queries[number]), len(queries))  # type: ignore[misc]
        lines.append(_line(method, times, recall(rows, exact), len(ids)))
        print(lines[-1], file=sys.stderr, flush=True)
    assert exact is not None
    return [_line(own, speed, recall(found, exact), len(ids)), *lines]


def recall(found: list[NDArray[np.int64]], exact: list[NDArray[np.int64]]) -> float:
    """The share of the exact neighbors that were found."""
    return float(np.mean([len({*one.tolist()} & {*other.tolist()}) / TOP for one, other in zip(found, exact)]))


def _line(method: Method, times: tuple[float, float], share: float, vectors: int) -> str:
    size = method.size / vectors / 1000
    return f"| {method.name} | {times[0]:.1f} | {times[1]:.1f} | {share:.3f} | {method.seconds:.0f} | {size:.2f} |"


def searched(archive: Archive, bundle: Bundle, queries: NDArray[np.float32]) -> Times:
    """The times of whole searches."""
    rounds = len(queries)
    cases = archive.stats()["cases"]
    kept = {name: len(archive.cases_allowed_by(one)) / cases for name, one in FILTERS.items()}  # type: ignore[arg-type]
    scale = archive.score_scale.current(bundle.score_scale, bundle.id)

    def by_vector(filters: Filters) -> Callable[[int], object]:
        return lambda n: nearest_cases(archive, bundle, QueryVectors(image=queries[n]), TOP, filters, scale)

    def by_words(filters: Filters, mode: str) -> Callable[[int], object]:
        options = SearchOptions(filters=filters, mode=mode)  # type: ignore[arg-type]
        return lambda n: search(archive, bundle, Query(text=f"{WORDS[n % len(WORDS)]} {n}"), options)

    times = {"cases by vector": timed(by_vector(ANY), rounds)}
    for name, filters in FILTERS.items():
        times[f"cases by vector, a filter keeps {100 * kept[name]:.0f} %"] = timed(by_vector(filters), rounds)
    times["text, embedding and facts included"] = timed(by_words(ANY, "vector"), rounds)
    times["text and exact words"] = timed(by_words(ANY, "hybrid"), rounds)
    for name, filters in FILTERS.items():
        label = f"text and exact words, a filter keeps {100 * kept[name]:.0f} %"
        times[label] = timed(by_words(filters, "hybrid"), rounds)
    return times


def tables(comparison: list[str], times: Times) -> str:
    """Both tables."""
    searches = "\n".join(f"| {name} | {half:.0f} | {most:.0f} |" for name, (half, most) in times.items())
    return (
        "| nearest ten vectors | median, ms | 95th percentile, ms | recall@10 | built in, s | KB a vector |\n"
        "|---|---:|---:|---:|---:|---:|\n" + "\n".join(comparison) + "\n\n"
        "| search in the archive, ten cases | median, ms | 95th percentile, ms |\n|---|---:|---:|\n" + searches
    )


def main() -> None:
    """Fill the archive unless it exists, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=500_000)
    parser.add_argument("--archive", type=Path, help="keep the archive in this folder; an existing one is measured")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help=f'replace the section "{TITLE}" of this file')
    parser.add_argument("--first-hit", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first_hit:
        print(json.dumps(first_hit(options.archive)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.archive or Path(temporary) / "archive"
        if not Archive.exists(folder):
            fill(folder, options.cases)
        before = processor_seconds()
        with Archive.open(folder) as archive:
            queries = scattered(archive, options.rounds)
            comparison = compared(archive, queries)
            times = searched(archive, Bundle.open(), queries)
            vectors = archive.stats()["embeddings"]
        again = [sys.executable, "-m", "benchmarks.archive", "--first-hit", "--archive", str(folder)]
        cold = json.loads(subprocess.run(again, stdout=subprocess.PIPE, check=True, text=True).stdout)
        rows = bytes_of(folder / DATABASE, "embeddings") / vectors / 1000
        size = (folder / DATABASE).stat().st_size / vectors / 1000
        others = others_share(before, processor_seconds())
    text = (
        f"{processor()}, {os.cpu_count()} cores; other programs used {100 * others:.0f} % of them. {vectors:,} vectors "
        f"of 512 numbers, {options.rounds} queries. `python -m benchmarks.archive`\n\n"
        + tables(comparison, times)
        + f"\n\nIn a new process the archive was open after {cold['opened']:.1f} s and the first hits were there after "
        f"{cold['hits']:.1f} s, models loaded before; it used {cold['memory'] / 1000:.1f} GB. In the "
        f"database the row of a vector takes {rows:.2f} KB, its indexes included, beside the index above; the "
        f"whole database has {size:.2f} KB a vector, with reports, their full-text index and tiny pictures."
    )
    print(text)
    if options.markdown:
        put(options.markdown, TITLE, text)


if __name__ == "__main__":
    main()
