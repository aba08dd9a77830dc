"""Kills desks, imports and the server of a department's archive: `./do bench department_faults`, some minutes.

Claim: whatever the moment, every case and report that was acknowledged is in the archive once, a report that could not
be delivered waits in the workspace of its desk and is delivered later, and no half case is left.

In each round some processes use one archive on a PostgreSQL server that flushes as it does by default (fsync). At a
moment that is drawn, some of them get SIGKILL, or the server does. Then every row is compared with its checksum and the
audit with its hashes, what was acknowledged is looked for, everyone finishes, and all is looked at again. The exit
status is 1 if anything was lost, doubled or broken.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

if __name__ == "__main__":  # before numpy is imported: a fork must not inherit its threads
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from benchmarks._department_cases import MODELS, Desk, Importing, check
from benchmarks._processes import End, Process, run
from benchmarks._section import put
from engine.archive import Archive
from engine.store.address import Address
from tools.department_server import DepartmentServer

TITLE = "Kills in a department"
KILLS = 200
ROUNDS = 10
"""In one database, so that a check reads few cases."""
LONGEST = 0.35
"""Seconds from the first acknowledgment to the kill, at most."""
BAD = ("lost", "doubled", "broken")


def kill_server(server: DepartmentServer, processes: list[Process], address: Address) -> None:
    """End the server as a power cut would, start it again, and give those who use it a moment."""
    server.kill()
    server.wait_for_end()
    server.start()
    time.sleep(0.1)
    kill_processes(server, processes, address)


def kill_backend(server: DepartmentServer, processes: list[Process], address: Address) -> None:
    """Kill one process of the server, upon which it ends all connections and recovers by itself."""
    found = server.processes(address.database)
    if found:
        os.kill(found[0], signal.SIGKILL)
        server.wait_for_recovery()
        time.sleep(0.1)
    kill_processes(server, processes, address)


def kill_processes(server: DepartmentServer, processes: list[Process], address: Address) -> None:
    """Kill everyone who uses it."""
    for process in processes:
        process.kill()


@dataclass(frozen=True)
class Victim:
    """Who works, and what is killed."""

    name: str
    parts: tuple[type[Importing] | type[Desk], ...]
    """Those that work at once, a process each."""
    kill: Callable[[DepartmentServer, list[Process], Address], None] = kill_processes


VICTIMS = (
    Victim("an import", (Importing,)),
    Victim("three desks and an import at once", (Desk, Desk, Desk, Importing)),
    Victim("the server, under two desks and an import", (Desk, Desk, Importing), kill_server),
    Victim("a desk that delivers reports", (Desk,)),
    Victim("one process of the server, under the same", (Desk, Desk, Importing), kill_backend),
)


@dataclass
class Row:
    """One line of the table."""

    name: str
    kills: int = 0
    ended: int = 0
    """Rounds in which all had ended before the kill."""
    acknowledged: list[int] = field(default_factory=list)
    """Cases and reports that were archived or signed in each round."""
    unreachable: int = 0
    """How often someone was told that the server is not there, and went on."""
    bad: dict[str, list[str]] = field(default_factory=lambda: {word: [] for word in BAD})

    def add(self, end: End) -> None:
        """Count what a process said."""
        for line in end.said:
            word, _, rest = line.partition(" ")
            if word in self.bad:
                self.bad[word].append(rest)
            self.unreachable += word == "unreachable"
        if end.refused or end.bug:
            self.bad["broken"].append(end.refused or end.bug)


class Department:
    """A server with one archive after the other."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Start it."""
        self.folder, self.dice = folder, random.Random(seed)
        self.server = DepartmentServer(folder / "server")
        self.number = 0
        self.address: Address | None = None
        self.texts: list[str] = []

    def round(self, victim: Victim, row: Row) -> None:
        """Let the processes of a victim work, kill, and check."""
        if self.number % ROUNDS == 0:
            self._next_archive()
        assert self.address is not None
        self.number += 1
        here = self.folder / f"round {self.number}"
        parts = [
            part(self.address, here / str(index), 10 * self.number + index) for index, part in enumerate(victim.parts)
        ]
        for part in parts:
            part.prepare()
        moment = self.dice.uniform(0, LONGEST)
        processes = [Process(part.work) for part in parts]
        for process in processes:
            process.wait()
        time.sleep(moment)
        victim.kill(self.server, processes, self.address)
        ends = [process.end() for process in processes]
        said = [line for end in ends for line in end.said]
        killed = victim.kill is not kill_processes or any("done" not in end.said for end in ends)
        row.kills += killed
        row.ended += not killed
        for end in ends:
            row.add(end)
        row.acknowledged.append(sum(line.startswith(("archived ", "signed ")) for line in said))
        found = run(check(self.address, parts, said, self.texts))
        row.add(found)
        self.texts = [line[5:] for line in found.said if line.startswith("text ")]
        shutil.rmtree(here)

    def _next_archive(self) -> None:
        if self.address is not None:
            self.server.drop(self.address)
        self.address, self.texts = self.server.empty_database(), []
        address = self.address
        os.environ["KINDRED_HOME"] = str(self.folder / f"home {self.number}")
        run(lambda _: Archive.create(address, MODELS.id).close())


def kill_all(kills: int, seed: int, folder: Path) -> list[Row]:
    """Kill so many times, each victim in turn."""
    rows = [Row(victim.name) for victim in VICTIMS]
    department = Department(folder, seed)
    try:
        for number in range(kills):
            which = number % len(VICTIMS)
            wanted = rows[which].kills + 1
            while rows[which].kills < wanted:
                department.round(VICTIMS[which], rows[which])
    finally:
        department.server.stop()
    return rows


def table(rows: list[Row], seconds: float, seed: int) -> str:
    """The section of the document."""
    lines = [
        f"| {row.name} | {row.kills} | {median(row.acknowledged or [0]):.0f} | {row.unreachable} | "
        f"{' | '.join(str(len(row.bad[word])) for word in BAD)} |"
        for row in rows
    ]
    return (
        f"{sum(row.kills for row in rows)} kills and {sum(row.ended for row in rows)} imports that ended before "
        f"theirs, seed {seed}, {seconds:.0f} s, PostgreSQL on the same machine with "
        "fsync on. `./do bench department_faults` prints this table, `python -m benchmarks.department_faults --seed "
        f"{seed} --markdown docs/benchmarks.md` writes it. *Acknowledged*: median of the cases that an import or a "
        "desk was told are archived, and of the reports that a desk was told are signed, in a round. *Told*: how often "
        "a desk or an import was told that the server cannot be reached, and went on. *Lost*: not in the archive, or "
        "not after the desk has delivered what waited. *Broken*: rows that differ from their checksums, an audit that "
        "differs from its hashes, an error that is none of ours.\n\n"
        + "\n".join(
            [
                "| SIGKILL of | kills | acknowledged | told | lost | doubled | broken |",
                "|---|---:|---:|---:|---:|---:|---:|",
                *lines,
            ]
        )
    )


def main() -> None:
    """Kill, print the table and what was wrong; exit status 1 if anything was."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--kills", type=int, default=KILLS)
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to this file")
    chosen = options.parse_args()
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="kindred-faults-"))
    try:
        rows = kill_all(chosen.kills, chosen.seed, folder)
    finally:
        shutil.rmtree(folder)
    for row in rows:
        for word, found in row.bad.items():
            for line in found[:5]:
                print(f"{row.name}: {word} {line}")
    text = table(rows, time.monotonic() - started, chosen.seed)
    print(f"\n{text}")
    if chosen.markdown:
        put(chosen.markdown, TITLE, text)
    sys.exit(1 if any(found for row in rows for found in row.bad.values()) else 0)


if __name__ == "__main__":
    main()
