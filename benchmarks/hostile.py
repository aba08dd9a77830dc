"""Measures what hostile files do to an import: `./do bench hostile`, some minutes; `--count 100000` takes hours.

Claim: no file crashes, hangs or floods what reads it, and no other file of the import is lost by it.

Each file that once did (`_hostile_inputs`) is imported in a folder with a sound one. Damaged files of each kind are
read, guided by coverage (`_fuzz_targets`), in processes with a limit of memory and of time. Counted: bugs (any
exception but UserError), crashes (a process ended by a signal), and what is over the budget of 10 s and 1 GB beyond the
pixels. The exit status is 1 if there was one.
"""

import argparse
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":  # before numpy is imported: a fork must not inherit its threads
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", QT_QPA_PLATFORM="offscreen")

from benchmarks import _fault_cases as cases
from benchmarks._fuzz_targets import TARGETS, Fuzzer
from benchmarks._hostile_inputs import HOSTILE, NAMES, PIXELS, READ, SAMPLES
from benchmarks._processes import Say, Work, run
from benchmarks._section import put
from engine.archive import Archive
from engine.cli.import_cases import opened_or_created
from engine.importing.importer import import_path

TITLE = "Hostile files"
SECONDS, MEMORY = 10.0, 1 << 30
SLACK = 10
"""Seconds after which a process is ended, as multiples of the budget."""
BATCH = 500
"""Damaged files a process: each begins with the seeds again."""


@dataclass
class Known:
    """What one known file did."""

    name: str
    reason: str = ""
    seconds: float = 0.0
    megabytes: int = 0
    """Of memory, beyond its pixels and what the same import takes without the file."""
    wrong: str = ""
    """Why this is a failure."""


@dataclass
class Kind:
    """What the damaged files of one kind did."""

    name: str
    ends: Counter[str] = field(default_factory=Counter)
    """"read", "told", "bug", "crash", "over budget", each with its count."""
    lines: int = 0
    """Of the engine, reached in the process that reached the most."""
    kept: int = 0
    """Damaged files that reached new lines."""
    findings: list[str] = field(default_factory=list)

    @property
    def failures(self) -> int:
        """Bugs, crashes and what is over budget."""
        return sum(self.ends[end] for end in ("bug", "crash", "over budget"))


def importing(source: Path, archive: Path) -> Work:
    """Import a folder; says what was rejected, and how much memory that took, with its helper processes."""

    def work(say: Say) -> None:
        started = time.monotonic()
        with opened_or_created(archive) as opened:
            result = import_path(opened, cases.Doubles(), source)
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        say(f"took {time.monotonic() - started:.1f} {peak >> 10} {result.added}")
        for rejected in result.rejected:
            say(f"rejected {rejected.reason}")

    return work


def known(folder: Path) -> list[Known]:
    """Import each of the known files beside a sound one."""
    found = []
    usual = 0
    for number, (name, make) in enumerate({"none": None, **HOSTILE}.items()):
        source = folder / f"known {number}"
        source.mkdir()
        shutil.copy(SAMPLES / "JPEG2000.dcm", source / "sound.dcm")
        if make is not None:
            make(source / NAMES.get(name.split()[0], "hostile"))
        end = run(importing(source, folder / f"archive {number}"))
        row = Known(name, wrong=end.bug or end.refused)
        if not row.wrong:
            took, peak, added = end.said[0].split()[1:]
            row.seconds, row.megabytes = float(took), int(peak) - usual - (PIXELS.get(name, 0) >> 20)
            row.reason = "; ".join(line.removeprefix("rejected ") for line in end.said[1:])
            if row.seconds > SECONDS or row.megabytes > MEMORY >> 20:
                row.wrong = "over budget"
            elif make is not None and not row.reason and name not in READ:
                row.wrong = "not refused"
            with Archive.open(folder / f"archive {number}") as archive:
                if not archive.case_ids(limit=10) or not int(added):
                    row.wrong = "the sound file was lost"
        if make is None:
            usual = row.megabytes
        else:
            found.append(row)
            print(f"{row.name}: {row.seconds:.1f} s, {row.megabytes} MB, {row.reason[:200]} {row.wrong}", flush=True)
        shutil.rmtree(source)
    return found


def fuzzing(name: str, seed: int, count: int, folder: Path) -> Work:
    """Read so many damaged files, one after another; says how each ended."""

    def work(say: Say) -> None:
        fuzzer = Fuzzer(TARGETS[name], seed, folder)
        in_use = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (in_use + 2 * MEMORY, resource.RLIM_INFINITY))  # pixels: up to 1 GB
        for _ in range(count):
            read = fuzzer.one()
            signal.alarm(int(SLACK * SECONDS))
            started = time.monotonic()
            end = read()
            signal.alarm(0)
            say(end if time.monotonic() - started <= SECONDS else "over budget")
        say(f"lines {fuzzer.lines} {fuzzer.kept}")

    return work


def fuzzed(name: str, count: int, folder: Path, seed: int) -> Kind:
    """Read damaged files of one kind. A failure ends its process, and its file is kept beside the others."""
    row, batch = Kind(name), 0
    folder.mkdir()
    while (left := count - row.ends.total()) > 0:
        batch += 1
        end = run(fuzzing(name, seed * 1_000_003 + batch, min(BATCH, left), folder))
        for line in end.said:
            if line.startswith("lines"):
                lines, kept = (int(number) for number in line.split()[1:])
                row.lines, row.kept = max(row.lines, lines), row.kept + kept
            else:
                row.ends[line] += 1
        if end.bug or end.refused:
            hang = end.bug == f"signal {int(signal.SIGALRM)}"
            row.ends["over budget" if hang else "crash" if end.bug.startswith("signal") else "bug"] += 1
            row.findings.append(f"{name}, batch {batch} of seed {seed}: {end.bug or end.refused}")
    print(f"{name}: {dict(row.ends)}, {row.lines} lines, {row.kept} kept", *row.findings[:5], sep="\n", flush=True)
    return row


def table(rows: list[Known], kinds: list[Kind], seconds: float, seed: int) -> str:
    """The section of the document."""
    inputs = [
        f"| {row.name} | {row.reason.split(';')[0].rstrip('.') or 'read'} | {row.seconds:.1f} | "
        f"{max(0, row.megabytes)} | {row.wrong.splitlines()[-1] if row.wrong else ''} |"
        for row in rows
    ]
    counts = [
        f"| {row.name} | {row.ends.total():,} | {row.ends['read']:,} | {row.ends['told']:,} | {row.kept:,} | "
        f"{row.lines:,} | {row.ends['bug']} | {row.ends['crash']} | {row.ends['over budget']} |"
        for row in kinds
    ]
    return (
        f"Seed {seed}, {seconds:.0f} s. `./do bench hostile` prints these tables, `python -m benchmarks.hostile "
        "--markdown docs/reliability.md` writes them, `--count 100000` damages that many. The budget is 10 s and 1 GB "
        "beyond the pixels for any one file. Each known input is imported in a folder with a sound file, which must be "
        "archived (of a CSV file, a sound row); memory is the peak of the app or its helper process beyond that of the "
        "sound file alone.\n\n"
        "| known input | told | seconds | MB | failure |\n|---|---|---:|---:|---|\n" + "\n".join(inputs) + "\n\n"
        "Damaged files, guided by coverage: *kept* reached lines of the engine that none of their process had reached, "
        "and were damaged further.\n\n"
        "| damaged | files | read | told | kept | lines | bugs | crashes | over budget |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n" + "\n".join(counts)
    )


def main() -> None:
    """Run all, print the tables; exit status 1 if there was a failure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2500, help="damaged files in all")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables to this file")
    chosen = options.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["KINDRED_HOME"] = str(folder / "home")
        each = -(-chosen.count // len(TARGETS))
        kinds = [fuzzed(kind, each, folder / f"kind {number}", chosen.seed) for number, kind in enumerate(TARGETS)]
        rows = known(folder)
    text = table(rows, kinds, time.monotonic() - started, chosen.seed)
    print(f"\n{text}")
    if chosen.markdown:
        put(chosen.markdown, TITLE, text)
    sys.exit(1 if any(row.wrong for row in rows) or any(row.failures for row in kinds) else 0)


if __name__ == "__main__":
    main()
