"""Measures workers that share an archive on a server, near and far, and kills some: `python -m benchmarks.workers`.

Claims: several processes embed more than one as long as there are cores, also over a slow network; and when workers are
killed, nothing is lost and nothing is doubled.

The archive is the sample archive, imported with the starter bundle and copied to a PostgreSQL server on this computer.
It is re-indexed again and again with copies of that bundle which call themselves another one.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks._section import put
from benchmarks._slow_network import slow
from benchmarks._timing import others_share, processor, processor_seconds
from engine.archive import Archive
from engine.bundle import Bundle
from engine.importing.importer import import_path
from engine.importing.reindex import reindex
from engine.importing.work.queueing import IMPORT, REINDEX, queue_import, queue_reindex
from engine.importing.work.worker import work
from engine.resources import resource_path
from engine.store.address import Address
from tools.department_server import DepartmentServer

TITLE, KILLS_TITLE = "Workers", "Kills of workers"
PROCESSES = (1, 2, 4)
ROUND_TRIPS = (0.0, 0.005, 0.020)
"""Seconds; 0 is loopback without a proxy."""
GAIN = "One process computes on both cores; what further ones gain is the time in which it waits for the network."
RATE = 100e6
"""Bits a second."""
LEASE = 3.0
"""Seconds, for the kills: a killed worker is missed so soon."""
KILLS_OF_JOB = 6
UNITS_APART = 3
"""Units that are finished between two kills, at most."""
LOOK_EVERY = 0.05
"""Seconds."""


@dataclass(frozen=True)
class Setting:
    """Where the server is, for one row of the table."""

    round_trip: float
    address: Address


def other_bundle(folder: Path, number: int) -> Path:
    """A copy of the starter bundle with another id and the same models."""
    made = folder / f"bundle-{number}"
    shutil.copytree(resource_path("starter-bundle"), made)
    manifest = json.loads((made / "manifest.json").read_text())
    manifest["preprocess"]["benchmark"] = number
    (made / "manifest.json").write_text(json.dumps(manifest))
    return made


def worker(address: str, folder: str) -> None:
    """Be one worker: load the models, wait for a line, and work until nothing waits."""
    with Archive.open(address) as archive:
        bundle = Bundle.open(folder)
        bundle.embed_images([np.zeros((64, 64), np.uint8)])
        bundle.embed_texts(["ready"])
        print("ready", flush=True)
        sys.stdin.readline()
        done = work(archive, bundle, pause=lambda: time.sleep(0.05))
        print(json.dumps({"units": done.units, "lost": done.lost}), flush=True)


def measure(setting: Setting, folder: Path, processes: int) -> tuple[float, float, float]:
    """Re-index with so many workers: wall-clock and CPU seconds of all processes, and the share of other programs."""
    command = [sys.executable, "-m", "benchmarks.workers", "--role", str(setting.address), str(folder)]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(processes)]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
    with Archive.open(setting.address) as archive:
        queue_reindex(archive, Bundle.open(folder).id)
    before = processor_seconds()
    start = time.perf_counter()
    for process in running:  # all at once: `communicate` waits for the end of one
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.communicate()
    seconds = time.perf_counter() - start
    after = processor_seconds()
    assert all(process.returncode == 0 for process in running)
    with Archive.open(setting.address) as archive:
        assert archive.bundle_id == Bundle.open(folder).id
    return seconds, after[1] - before[1], others_share(before, after)


def alone(setting: Setting, folder: Path) -> float:
    """Re-index in this process without a queue: wall-clock seconds."""
    bundle = Bundle.open(folder)
    bundle.embed_images([np.zeros((64, 64), np.uint8)])
    with Archive.open(setting.address) as archive:
        start = time.perf_counter()
        reindex(archive, bundle)
        return time.perf_counter() - start


def table(near: Address, port: int, bundles: Sequence[Path], repeats: int) -> str:
    """Measure everything, and the section of the document."""
    rows, others = [], []
    with Archive.open(near) as archive:
        count = archive.stats()["embeddings"]
    turn = 0
    for round_trip in ROUND_TRIPS:
        with _setting(near, port, round_trip) as setting:
            name = f"{1000 * round_trip:.0f} ms, {RATE / 1e6:.0f} Mbit/s" if round_trip else "loopback"
            for processes in (0, *PROCESSES):
                runs = []
                for _ in range(repeats):
                    turn += 1
                    folder = bundles[turn % 2]
                    if processes:
                        seconds, _, share = measure(setting, folder, processes)
                        others.append(share)
                    else:
                        seconds = alone(setting, folder)
                    runs.append(seconds)
                rows.append((name, processes, median(runs)))
                print(rows[-1], flush=True)
    first = {name: seconds for name, processes, seconds in rows if processes == 1}
    lines = [
        f"| {name} | {processes or 'none: `kindred reindex`'} | {seconds:.1f} | {count / seconds:.0f} | "
        f"{first[name] / seconds:.2f} x |"
        for name, processes, seconds in rows
    ]
    return (
        f"{processor()}, {os.cpu_count()} cores, on which the server and the proxy run too; other programs used "
        f"{100 * median(others):.0f} % of them (median). The sample archive, {count:,} embeddings, is re-indexed by "
        f"workers whose models are loaded; from the first unit until the archive is bound to the new models; "
        f"{'medians of ' + str(repeats) + ' runs' if repeats > 1 else 'one run each'}. The network is a proxy that "
        "adds half a round trip to each direction. `python -m benchmarks.workers`\n\n"
        "| network (round trip) | workers | seconds | embeddings a second | beside one worker |\n"
        "|---|---:|---:|---:|---:|\n" + "\n".join(lines) + f"\n\n{GAIN}"
    )


@contextmanager
def _setting(near: Address, port: int, round_trip: float) -> Iterator[Setting]:
    if not round_trip:
        yield Setting(0.0, near)
        return
    with slow(port, round_trip, RATE) as proxy:
        yield Setting(round_trip, replace(near, host="127.0.0.1", port=proxy))


def kills(address: Address, bundles: Sequence[Path], number: int, seed: int) -> str:
    """Kill workers that re-index and import in turn at seeded moments, and say what is lost and doubled in the end."""
    generator = random.Random(seed)
    with Archive.open(address) as archive:
        before = {table: archive.stats()[table] for table in ("cases", "images", "reports", "embeddings")}
        moves = len(archive.audit())
        models = {folder: Bundle.open(folder).id for folder in bundles}
        killed = {IMPORT: 0, REINDEX: 0}
        while sum(killed.values()) < number:
            kind = IMPORT if killed[IMPORT] < killed[REINDEX] else REINDEX
            folder = next(one for one, its in models.items() if (its == archive.bundle_id) == (kind == IMPORT))
            if kind == IMPORT:
                archive.delete(archive.case_ids()[::5])
                job, _ = queue_import(archive, models[folder], resource_path("sample-archive"))
            else:
                job, _ = queue_reindex(archive, models[folder])
                moves += 1
            most = min(KILLS_OF_JOB, number - sum(killed.values()))
            killed[kind] += _kill_some(archive, job, address, folder, most, generator)
            print(f"killed {killed}", flush=True)
    with Archive.open(address) as archive:
        stats = archive.stats()
        lost = sum(max(0, count - stats[table]) for table, count in before.items())
        doubled = sum(max(0, stats[table] - count) for table, count in before.items())
        problems = archive.problems(deep=True) + archive.audit_problems()
        jobs = archive.work.jobs()
        undone = sum(job.units - job.done for job in jobs)
        adopted = sum(row["action"] == "moved to another model" for row in archive.audit())
    return (
        f"Two workers re-index the sample archive with other models, and import what was deleted of it, in turn "
        f"({len(jobs)} jobs of {jobs[0].units} units or so). One of them is ended by SIGKILL within {UNITS_APART} "
        f"finished units, {KILLS_OF_JOB} times a job, and started again; a lease is {LEASE:.0f} s. "
        f"`python -m benchmarks.workers --kills {number}`, seed {seed}\n\n"
        "| kills while re-indexing, while importing | rows lost | rows doubled | units undone | "
        "changes of models: wanted, found | damage |\n|---:|---:|---:|---:|---:|---:|\n"
        f"| {killed[REINDEX]}, {killed[IMPORT]} | {lost} | {doubled} | {undone} | {moves}, {adopted} | "
        f"{len(problems)} |"
    )


def _kill_some(archive: Archive, job: int, address: Address, bundle: Path, most: int, generator: random.Random) -> int:
    """Let two workers do a job, kill one of them now and then, and return how often that was."""

    def done() -> int:
        return next(state.done for state in archive.work.jobs() if state.job_id == job)

    running = [_started(address, bundle) for _ in range(2)]
    killed = 0
    while killed < most:
        enough = done() + generator.randint(1, UNITS_APART)
        while done() < enough and any(process.poll() is None for process in running):
            time.sleep(LOOK_EVERY)
        time.sleep(generator.uniform(0.0, 1.0))  # into the middle of a unit
        victim = generator.randrange(2)
        if running[victim].poll() is not None:
            break  # the job is done
        running[victim].send_signal(signal.SIGKILL)
        running[victim].wait()
        running[victim] = _started(address, bundle)
        killed += 1
    assert [process.wait() for process in running] == [0, 0]
    return killed


def _started(address: Address, folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "desktop", "worker", "--archive", str(address), "--bundle", str(folder)]
    return subprocess.Popen([*command, "--lease", str(LEASE)], stdout=subprocess.DEVNULL)


def main() -> None:
    """Measure, or kill, and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--kills", type=int, default=0, metavar="N", help="kill workers N times, and measure nothing")
    options.add_argument("--archive", type=Path, metavar="FOLDER", help="the sample archive, imported already")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to this file")
    options.add_argument("--role", nargs=2, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.role:
        worker(*chosen.role)
        return
    with tempfile.TemporaryDirectory(prefix="kindred-workers-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server has a user of its own
        os.environ["KINDRED_HOME"] = str(folder / "home")
        server = DepartmentServer(folder / "server")
        try:
            address = replace(server.empty_database(), host="127.0.0.1")
            bundles = [other_bundle(folder, number) for number in (1, 2)]
            made = chosen.archive or folder / "archive"
            if chosen.archive is None:
                with Archive.create(made) as archive:
                    import_path(archive, Bundle.open(bundles[0]), resource_path("sample-archive"))
            with Archive.open(made) as archive:
                archive.copy_to(address)
            if chosen.kills:
                title, text = KILLS_TITLE, kills(address, bundles, chosen.kills, chosen.seed)
            else:
                title, text = TITLE, table(address, server.port, bundles, chosen.repeats)
        finally:
            server.stop()
    print(f"\n{text}")
    if chosen.markdown:
        put(chosen.markdown, title, text)


if __name__ == "__main__":
    main()
