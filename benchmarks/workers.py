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
from engine.importing.work.queueing import queue_import, queue_reindex
from engine.importing.work.worker import work
from engine.resources import resource_path
from engine.store.address import Address
from tools.department_server import DepartmentServer

TITLE, KILLS_TITLE = "Workers", "Kills of workers"
PROCESSES = (1, 2, 4)
ROUND_TRIPS = (0.0, 0.005, 0.020)
"""Seconds; 0 is loopback without a proxy."""
RATE = 100e6
"""Bits a second."""
LEASE = 3.0
"""Seconds, for the kills: a killed worker is missed so soon."""


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
    for process in running:
        process.communicate("go\n")
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
        "|---|---:|---:|---:|---:|\n" + "\n".join(lines)
    )


@contextmanager
def _setting(near: Address, port: int, round_trip: float) -> Iterator[Setting]:
    if not round_trip:
        yield Setting(0.0, near)
        return
    with slow(port, round_trip, RATE) as proxy:
        yield Setting(round_trip, replace(near, host="127.0.0.1", port=proxy))


def kills(address: Address, bundles: Sequence[Path], number: int, seed: int) -> str:
    """Kill workers that re-index and import at seeded moments, and say what is lost and doubled in the end."""
    generator = random.Random(seed)
    source = resource_path("sample-archive")
    with Archive.open(address) as archive:
        before = {table: archive.stats()[table] for table in ("cases", "images", "reports", "embeddings")}
        moves = len(archive.audit())
    jobs = killed = 0
    models = {folder: Bundle.open(folder).id for folder in bundles}
    while killed < number:
        with Archive.open(address) as archive:
            bound = archive.bundle_id
            folder = next(one for one, its in models.items() if its != bound)
            if jobs % 3 == 2:
                folder = next(one for one, its in models.items() if its == bound)
                deleted = archive.case_ids()[jobs % 7 :: 5]
                archive.delete(deleted)
                queue_import(archive, models[folder], source)
            else:
                queue_reindex(archive, models[folder])
                moves += 1
        jobs += 1
        running = [_started(address, folder) for _ in range(2)]
        while any(process.poll() is None for process in running):
            time.sleep(generator.uniform(1.0, 10.0))
            victim = generator.randrange(2)
            if running[victim].poll() is None and killed < number:
                running[victim].send_signal(signal.SIGKILL)
                running[victim].wait()
                running[victim] = _started(address, folder)
                killed += 1
                print(f"killed {killed}", flush=True)
        assert all(process.returncode == 0 for process in running)
    with Archive.open(address) as archive:
        stats = archive.stats()
        lost = sum(max(0, count - stats[table]) for table, count in before.items())
        doubled = sum(max(0, stats[table] - count) for table, count in before.items())
        problems = archive.problems(deep=True) + archive.audit_problems()
        units = sum(job.units for job in archive.work.jobs())
        undone = sum(job.units - job.done for job in archive.work.jobs())
        adopted = sum(row["action"] == "moved to another model" for row in archive.audit())
    return (
        f"Two workers re-index the sample archive with other models, or import what was deleted of it ({jobs} jobs, "
        f"{units:,} units), and one is ended by SIGKILL 1 to 10 s later and started again; a lease is {LEASE:.0f} s. "
        f"`python -m benchmarks.workers --kills {number}`, seed {seed}\n\n"
        "| kills | rows lost | rows doubled | units undone | changes of models: wanted, found | damage |\n"
        "|---:|---:|---:|---:|---:|---:|\n"
        f"| {killed} | {lost} | {doubled} | {undone} | {moves}, {adopted} | {len(problems)} |"
    )


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
