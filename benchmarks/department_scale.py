"""Estimates archives of 10 and 100 million vectors from what 200,000 and a million take, and how many desks one serves.

    python -m benchmarks.department_scale --keep DIR [--markdown docs/department-scale.md]

DIR is that of `python -m benchmarks.department --keep DIR`. Measured are: what a question takes of the processors, the
room, and the share of the nearest ten that codes of one bit a number lead to. The rest is arithmetic and a simulated
queue, and says so.
"""

import argparse
import heapq
import os
import time
from pathlib import Path
from statistics import mean, median, quantiles

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks._department_archive import by_graph, room, server_seconds
from benchmarks._exact import Exact
from benchmarks._section import put
from benchmarks._timing import others_share, processor, processor_seconds
from benchmarks.department import CANDIDATES, SERVER, TOP, Question, ask, questions
from engine.archive import Archive
from engine.bundle import Bundle
from engine.store.address import Address
from engine.store.fact_bonus import NO_BONUS, FactBonus
from engine.store.filters import ANY
from engine.store.score_scale import KINDS
from engine.store.server.nearest_scan import PROBES
from engine.store.server.vector_lists import lists_for
from tools.department_server import DepartmentServer

CASES = (100_000, 500_000)
MILLIONS = (1, 10, 100)
KEPT = (100, 400, 1_600, 6_400)
"""Candidates by code that are ranked by their vectors."""
GRAPHS = ((16, 64), (32, 128))
"""Links of an element and the width of the search while building; pgvector's own values first."""
PAUSE = 30.0
"""Seconds between two questions of a desk, on average."""
CORES, ASKING = (2, 4, 8), (50, 500, 1_000)
HOURS = 2
"""Simulated."""
Sample = tuple[float, list[float]]
"""Seconds of the processors that a question takes, and seconds that each one took."""


def by_codes(exact: Exact, asked: list[Question]) -> list[str]:
    """Rows of a table: candidates by code, recall@10 after ranking those by their vectors, milliseconds."""
    vectors = exact.vectors["image"]
    index = faiss.IndexBinaryFlat(vectors.shape[1])
    index.add(np.packbits(vectors > 0, axis=1))  # as pgvector's binary_quantize
    lines = []
    for kept in KEPT:
        shares, times = [], []
        for one in asked:
            weights = one.weights["image"]
            start = time.perf_counter()
            rows = index.search(np.packbits(weights > 0)[None], kept)[1][0]
            best = rows[np.argsort(-(vectors[rows] @ weights))[:TOP]]
            times.append(1000 * (time.perf_counter() - start))
            shares.append(np.isin(exact.best(weights, "image", TOP, ANY, NO_BONUS), exact.ids["image"][best]).mean())
        lines.append(f"| {kept:,} | {mean(shares):.3f} | {median(times):.0f} |")
    return lines


def by_graphs(address: Address, exact: Exact, asked: list[Question]) -> list[str]:
    """Rows of a table: a graph of the images, recall@10 of its best 104 ranked by their vectors, times."""
    queries = [one.weights["image"] for one in asked]
    lines = []
    for links, width in GRAPHS:
        built, answers = by_graph(address, links, width, queries, CANDIDATES)
        shares = []
        for query, (ids, _) in zip(queries, answers, strict=True):
            rows = np.searchsorted(exact.ids["image"], ids)
            best = ids[np.argsort(-(exact.vectors["image"][rows] @ query))[:TOP]]
            shares.append(np.isin(exact.best(query, "image", TOP, ANY, NO_BONUS), best).mean())
        half = median(took for _, took in answers)
        lines.append(f"| HNSW, m {links}, ef_construction {width} | {mean(shares):.3f} | {half:.0f} | {built:.0f} |")
    return lines


def by_lists(archive: Archive, exact: Exact, asked: list[Question]) -> str:
    """The same row for the lists that Kindred makes."""
    start = time.perf_counter()
    archive.index.refresh(save=True, anew=True)
    built, shares, times = (time.perf_counter() - start) / len(KINDS), [], []
    for one in asked:
        query = one.weights["image"]
        start = time.perf_counter()
        found = archive.index.nearest(query, "image", CANDIDATES)
        times.append(1000 * (time.perf_counter() - start))
        best = found.ids[np.argsort(-(found.vectors @ query))[:TOP]]
        shares.append(np.isin(exact.best(query, "image", TOP, ANY, NO_BONUS), best).mean())
    return f"| lists, as Kindred searches, vectors sent | {mean(shares):.3f} | {median(times):.0f} | {built:.0f} |"


def sampled(server: DepartmentServer, archive: Archive, asked: list[Question], facts: bool) -> Sample:
    """What a desk and the server take for questions, with facts or by vectors alone."""

    def bonus(one: Question) -> FactBonus:
        return one.own if facts else NO_BONUS

    for one in asked[:5]:
        ask(archive, one, ANY, bonus(one))
    before = processor_seconds()[1] + server_seconds(server)
    times = []
    for one in asked:
        start = time.perf_counter()
        ask(archive, one, ANY, bonus(one))
        times.append(time.perf_counter() - start)
    return (processor_seconds()[1] + server_seconds(server) - before) / len(asked), times


def read_for(vectors: float) -> float:
    """Vectors that a question compares at first, of both kinds."""
    return PROBES * vectors / lists_for(round(vectors / 2))


def queue(service: NDArray[np.float64], cores: int, asking: int) -> tuple[float, float, float]:
    """Median and 95th percentile of the seconds to an answer, and how busy the cores are, simulated.

    Desks ask, wait for the answer, pause for an exponentially distributed time, and ask again; a question occupies one
    core, and waits its turn.
    """
    rng = np.random.default_rng(7)
    free = [0.0] * cores
    arrivals = [(float(rng.exponential(PAUSE)), number) for number in range(asking)]
    heapq.heapify(arrivals)
    waits, busy = [], 0.0
    while arrivals[0][0] < 3600 * HOURS:
        now, number = heapq.heappop(arrivals)
        start = max(now, heapq.heappop(free))
        takes = float(rng.choice(service))
        heapq.heappush(free, start + takes)
        waits.append(start + takes - now)
        busy += takes
        heapq.heappush(arrivals, (start + takes + float(rng.exponential(PAUSE)), number))
    return median(waits), quantiles(waits, n=20)[-1], busy / (3600 * HOURS * cores)


def report(server: DepartmentServer, keep: Path) -> str:
    """All of it."""
    bundle, plain, rooms, asked = Bundle.open(), [], [], []
    compared, service = [], np.zeros(0)
    lines: list[str] = []
    graphs: list[str] = []
    for cases in CASES:
        folder = keep / f"cases-{cases}"
        with Archive.open(folder) as archive:
            exact = Exact(archive, folder)
            asked = questions(archive, bundle, exact, 60)
            vectors = sum(map(len, exact.ids.values()))
            if cases == CASES[-1]:
                lines = by_codes(exact, asked)
        address = server.database(f"measured_cases_{cases}")
        with Archive.open(address) as archive:
            if cases == CASES[0]:
                graphs = [by_lists(archive, exact, asked), *by_graphs(address, exact, asked)]
            del exact
            plain.append(sampled(server, archive, asked, facts=False)[0])
            used, times = sampled(server, archive, asked, facts=True)
            service = np.array(times) * used / mean(times)
        compared.append(read_for(vectors))
        rooms.append(sum(room(address)) / vectors)
    each = plain[1] / compared[1]
    table = []
    for m in MILLIONS:
        read = read_for(1e6 * m)
        cells = (f"{m}", f"{lists_for(m * 500_000):,}", f"{read:,.0f}", f"{1000 * each * read:,.0f}")
        table.append(f"| {' | '.join(cells)} | {m * rooms[1] / 1000:,.1f} | {m * 0.064:,.2f} |")
    simulated = [
        f"| {cores} | {asking} | {1000 * half:,.0f} | {1000 * most:,.0f} | {100 * busy:.0f} % |"
        for cores in CORES
        for asking in ASKING
        for half, most, busy in [queue(service, cores, asking)]
    ]
    return "\n".join(
        [
            f"Measured with {CASES[0]:,} and {CASES[1]:,} cases: {compared[0]:,.0f} and {compared[1]:,.0f} vectors are "
            f"compared for a question by vector, which takes {1000 * plain[0]:.0f} and {1000 * plain[1]:.0f} ms of the "
            f"processors, the desk included. With facts it takes {1000 * service.mean():.0f} ms at {CASES[1]:,} cases. "
            f"The table takes {1e6 * each:.1f} µs for each vector compared, as with the larger one.",
            "",
            "| million vectors | lists of a kind | vectors compared | processor, ms a question | rows and index, GB "
            "| codes of one bit, GB |",
            "|---:|---:|---:|---:|---:|---:|",
            *table,
            "",
            "Candidates by codes of one bit a number, all codes of half a million images compared by faiss on this "
            "machine, then ranked by their vectors (measured):",
            "",
            "| candidates | recall@10 | median, ms |",
            "|---:|---:|---:|",
            *lines,
            "",
            f"The nearest ten of the images of {CASES[0]:,} cases by an index of pgvector (measured):",
            "",
            "| index | recall@10 | median, ms | built in, s |",
            "|---|---:|---:|---:|",
            *graphs,
            "",
            f"Desks that ask a million vectors with facts every {PAUSE:.0f} s on average (simulated, with the "
            "measured times of the processors as service times):",
            "",
            "| cores | desks | median, ms | 95th percentile, ms | cores busy |",
            "|---:|---:|---:|---:|---:|",
            *simulated,
        ]
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, required=True, metavar="DIR")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help='replace the section "Estimated" of this file')
    options = parser.parse_args()
    server = DepartmentServer(options.keep / "server", SERVER)
    try:
        before = processor_seconds()
        text = report(server, options.keep)
        after = processor_seconds()
        others = others_share(before, (after[0] - server_seconds(server), after[1], after[2]))
    finally:
        server.stop()
    text = (
        f"{processor()}, {os.cpu_count()} cores; other programs used {100 * others:.0f} % of them. "
        f"`python -m benchmarks.department_scale`\n\n{text}"
    )
    print(text)
    if options.markdown:
        put(options.markdown, "Estimated", text)


if __name__ == "__main__":
    main()
