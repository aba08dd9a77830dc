"""Measures what faults of storage do to an archive and a workspace: `./do bench faults`, about 7 minutes on two cores.

Claim: no kill, no full disk, no second process, no damage and no read-only disk loses what was acknowledged, gives a
wrong answer, or ends in a traceback.

Each event runs in a process of its own (`_processes.py`). After it, another process checks that everything that was
said to be done is there, and compares every row with its checksum. Counted: lost (acknowledged and gone, or damaged and
unnoticed) and tracebacks. The exit status is 1 if there was one. `--scale 0.1` runs a tenth of the events. At the end
the real app is typed into and killed (`_fault_typing.py`): no key older than 2 s may be lost.
"""

import argparse
import importlib
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":  # before numpy is imported: a fork must not inherit its threads
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from benchmarks import _fault_cases as cases
from benchmarks import _fault_damage as damage
from benchmarks import _fault_typing as app_kills
from benchmarks._processes import End, Say, Work, at_once, run
from benchmarks._section import put
from engine.archive import Archive

TITLE = "Faults of storage"
NOBODY = 65534


@dataclass
class Row:
    """One line of the table."""

    name: str
    events: int = 0
    refused: int = 0
    """Events that ended with one sentence for the user."""
    lost: list[str] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)

    def add(self, end: End) -> End:
        """Count what a process said that must not be."""
        self.lost += [line for line in end.said if line.startswith(("lost", "damaged", "wrong", "unseen", "changed"))]
        self.bugs += [end.bug] if end.bug else []
        self.refused += bool(end.refused)
        return end

    def check(self, work: Work) -> None:
        """Run a check, which must not be refused."""
        end = self.add(run(work))
        if end.refused:
            self.refused -= 1
            self.lost.append(f"cannot be read: {end.refused}")


def last(end: End, word: str) -> int:
    """The last number that a process said after a word."""
    return max((int(line.split()[1]) for line in end.said if line.startswith(f"{word} ")), default=0)


def kills(count: int, folder: Path, source: Path, dice: random.Random) -> Iterator[Row]:
    """Kill imports, re-indexings, signatures and writes of small files at random moments."""
    row = Row("kill during an import")
    known, n = 0, 0
    for _ in range(count // 2):
        archive = folder / f"import {n}"
        end = row.add(run(cases.importing(archive, source), dice.randrange(1, cases.TOTAL + 1)))
        known, row.events = max(known, last(end, "case")), row.events + 1
        row.check(cases.check_archive(archive, known))
        if "all" in end.said or dice.random() < 0.2:
            row.add(run(cases.importing(archive, source)))
            row.check(cases.check_archive(archive, 0, complete=True))
            shutil.rmtree(archive)
            n, known = n + 1, 0
    yield row
    row = Row("kill during re-indexing")
    archive = folder / "reindex"
    run(cases.importing(archive, source))
    for index in range(count // 6):
        end = row.add(run(cases.reindexing(archive, f"model {index // 3}"), dice.randrange(1, 40)))
        row.events += 1
        row.check(cases.check_archive(archive, 0, complete=True))
    yield row
    row = Row("kill while reports are typed and signed")
    for index in range(count // 6):
        end = row.add(run(cases.signing(folder / "workspace", 100 * index), dice.randrange(1, 24)))
        row.events += 1
        row.check(cases.check_workspace(folder / "workspace", end.said))
    yield row
    row = Row("kill while settings are saved")
    for index in range(count // 6):
        end = row.add(run(cases.saving(folder / f"settings {index}"), dice.randrange(1, 60)))
        row.events += 1
        row.check(cases.check_saved(folder / f"settings {index}", end.said))
    yield row


def full_disk(count: int, folder: Path, source: Path, dice: random.Random) -> Iterator[Row]:
    """Let writes fail beyond a random size of a file."""
    row = Row("full disk during an import")
    for index in range(count):
        archive = folder / f"full {index // 5}"
        end = row.add(run(limited(cases.importing(archive, source), dice.randrange(200_000))))
        row.events += 1
        if Archive.exists(archive):
            row.check(cases.check_archive(archive, last(end, "case")))
        if index % 5 == 4:
            row.check(cases.importing(archive, source))
            row.check(cases.check_archive(archive, 0, complete=True))
    yield row
    row = Row("full disk while reports are signed")
    for index in range(count // 4):
        work = limited(cases.signing(folder / "full workspace", 100 * index), dice.randrange(100_000))
        end = row.add(run(work))
        row.events += 1
        row.check(cases.check_workspace(folder / "full workspace", end.said))
    yield row


def limited(work: Work, size: int) -> Work:
    """The function in a process whose files cannot grow beyond `size` bytes."""

    def inside(say: Say) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        work(say)

    return inside


def two_at_once(count: int, folder: Path, source: Path, dice: random.Random) -> Iterator[Row]:
    """Let two processes do the same at the same moment."""
    rows: dict[str, Callable[[Path], list[Work]]] = {
        "two create one archive and import into it": lambda at: [cases.importing(at, source)] * 2,
        "one searches while another imports": lambda at: [cases.importing(at, source), search_often(at)],
        "two re-index one archive": lambda at: [cases.reindexing(at, "other"), cases.reindexing(at, "other")],
        "two sign in one workspace": lambda at: [cases.signing(at, 0), cases.signing(at, 100)],
    }
    for number, (name, works) in enumerate(rows.items()):
        row = Row(name)
        for index in range(count // 4):
            at = folder / f"both {number} {index}"
            if number in (1, 2):
                run(cases.importing(at, source))
            ends = [row.add(end) for end in at_once(works(at))]
            row.events += 1
            row.lost += [f"refused: {end.refused}" for end in ends if end.refused]
            if number == 3:
                row.check(cases.check_workspace(at, [line for end in ends for line in end.said]))
            else:
                row.check(cases.check_archive(at, 0, complete=True))
            shutil.rmtree(at)
        yield row


def search_often(folder: Path) -> Work:
    """Open an archive and read it, several times."""

    def work(say: Say) -> None:
        for _ in range(5):
            cases.check_archive(folder, 0)(say)

    return work


def damages(count: int, folder: Path, source: Path, dice: random.Random) -> Iterator[Row]:
    """Damage files, and see whether a reader is told."""
    intact = folder / "intact"
    run(cases.importing(intact, source))
    right = run(damage.reading(intact))
    kinds: dict[str, tuple[Callable[[Path, random.Random], None], int]] = {
        "one byte of the database": (damage.flip, count // 2),
        "a sector of zeros in the database": (damage.run_of_zeros, count // 8),
        "two pages swapped": (damage.swap, count // 8),
        "database cut off": (damage.cut, count // 12),
        "key changed, cut or missing": (damage.key, count // 12),
        "index or score scale": (damage.derived, count // 12),
        "database of another program": (damage.foreign, count // 24),
    }
    for name, (change, times) in kinds.items():
        row = Row(f"damage: {name}")
        for index in range(times):
            copy = folder / "damaged" / f"{row.name.split(':')[1]} {index}"
            shutil.copytree(intact, copy)
            change(copy, dice)
            before = {path.name: path.read_bytes() for path in copy.iterdir()}
            end = row.add(run(damage.reading(copy)))
            row.events += 1
            told = bool(end.refused) or any(line.startswith("seen") for line in end.said)
            if not told and end.said != right.said:
                row.lost.append(f"unseen: {copy.name}")
            if change is damage.foreign and before != {path.name: path.read_bytes() for path in copy.iterdir()}:
                row.lost.append(f"changed: {copy.name}")
            row.refused += told and not end.refused
            shutil.rmtree(copy)
        yield row
    row = Row("damage: manifest of a bundle")
    (folder / "bundle").mkdir()
    for _ in range(count // 4):
        row.add(run(damage.bundle_work(folder / "bundle", dice)))
        row.events += 1
    yield row


def read_only(count: int, folder: Path, source: Path, dice: random.Random) -> Iterator[Row]:
    """Search an archive that cannot be written, and try to import into it."""
    row = Row("read-only disk")
    shared = folder / "read-only"
    run(cases.importing(shared, source))
    right = run(damage.reading(shared))
    for path in shared.iterdir():
        path.chmod(0o444)
    shared.chmod(0o555)
    before = {path.name: path.read_bytes() for path in shared.iterdir()}
    for _ in range(count // 2):
        end = row.add(run(as_nobody(damage.reading(shared))))
        if end.refused or end.said != right.said:
            row.lost.append(f"wrong answer: {end.refused}")
        if not row.add(run(as_nobody(cases.importing(shared, source)))).refused:
            row.lost.append("changed: an import was not refused")
        row.events += 2
    if before != {path.name: path.read_bytes() for path in shared.iterdir()}:
        row.lost.append("changed: files of the archive")
    shared.chmod(0o755)
    yield row


def as_nobody(work: Work) -> Work:
    """The function in a process without the rights of root, which no mode stops."""

    def inside(say: Say) -> None:
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        work(say)

    return inside


PARTS = ((kills, 150), (full_disk, 80), (two_at_once, 80), (damages, 160), (read_only, 30))


TYPING_RUNS = 3
"""Kills of the app at each moment."""


def typed_text(scale: float) -> tuple[Row, str]:
    """Kill the app while, and after, somebody types into its report; also a table of what was lost."""
    found = app_kills.kills_while_typing(max(1, round(TYPING_RUNS * scale)))
    row = Row("kill of the app while, or after, a report is typed")
    row.events = sum(len(one.kills) for one in found)
    row.lost = [line for one in found for line in one.broken]
    return row, app_kills.table(found)


def table(rows: list[Row], seconds: float, seed: int, typed: str) -> str:
    """The section of the document."""
    total = [sum(values) for values in zip(*((row.events, row.refused, len(row.lost), len(row.bugs)) for row in rows))]
    lines = [f"| {row.name} | {row.events} | {row.refused} | {len(row.lost)} | {len(row.bugs)} |" for row in rows]
    return (
        f"{total[0]:,} events, seed {seed}, {seconds:.0f} s. `./do bench faults` prints this table, "
        "`python -m benchmarks.faults --markdown docs/reliability.md` writes it. After each event everything that was "
        "acknowledged is looked for, and every row compared with its checksum. *Told*: ended with one sentence for the "
        "user, or found by `kindred doctor --deep`. *Lost*: acknowledged and gone, damaged and unnoticed, or a wrong "
        "answer. What is neither told nor lost made no difference to any answer.\n\n"
        + "\n".join(["| event | events | told | lost | tracebacks |", "|---|---:|---:|---:|---:|", *lines])
        + f"\n| **all** | {total[0]:,} | {total[1]:,} | {total[2]} | {total[3]} |"
        + "\n\nTyped text: the real app (offscreen, with the models loaded) gets a key every "
        f"{app_kills.INTERVAL_MS} ms in its report and SIGKILL; then the workspace is opened and compared. A key must "
        f"be on the disk {app_kills.PROMISED:g} s after it was typed.\n\n{typed}"
    )


def tell(row: Row, started: float) -> None:
    """Print what was found, as soon as it is."""
    told = f"{row.events} events, {row.refused} told, {len(row.lost)} lost, {len(row.bugs)} tracebacks"
    print(f"{time.monotonic() - started:5.0f} s  {row.name}: {told}", flush=True)
    print(*row.lost[:3], *row.bugs[:2], sep="\n", end="", flush=True)


def main() -> None:
    """Run all events, print the table and what was lost; exit status 1 if anything was."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--scale", type=float, default=1.0, help="share of the events")
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to this file")
    chosen = options.parse_args()
    started, rows = time.monotonic(), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        os.environ["KINDRED_HOME"] = str(folder / "home")
        source = cases.write_source(folder / "source")
        importlib.import_module("encodings.utf_8_sig")  # without rights, Python's files may be unreadable
        for part, count in PARTS:
            dice = random.Random(chosen.seed)
            for row in part(max(24, round(count * chosen.scale)), folder, source, dice):
                rows.append(row)
                tell(row, started)
    row, typed = typed_text(chosen.scale)  # last, since it starts threads, which a fork must not inherit
    rows.append(row)
    tell(row, started)
    text = table(rows, time.monotonic() - started, chosen.seed, typed)
    print(f"\n{text}")
    if chosen.markdown:
        put(chosen.markdown, TITLE, text)
    sys.exit(1 if any(row.lost or row.bugs for row in rows) else 0)


if __name__ == "__main__":
    main()
