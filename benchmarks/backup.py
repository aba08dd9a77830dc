"""Kills backups and restores at random moments while another process writes: `./do bench backup`, some minutes.

Claim: whatever the moment, nothing that was acknowledged is lost, a backup is whole or absent, and after a restore
there is the old archive or workspace or the new one.

Each round copies an archive or a workspace, lets one process write to it and another one back it up or restore it, and
sends SIGKILL to that at a moment drawn from the time that it takes, then to the writer. A third process opens what is
left, compares every row with its checksum and the audit with its hashes, and looks for each case, report and signature
that the writer was told is stored: in the archive or workspace, or in what a restore set aside. Every backup is
restored into an empty folder. The exit status is 1 if anything was lost, doubled or broken.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

if __name__ == "__main__":  # before numpy is imported: a fork must not inherit its threads
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from benchmarks import _backup_cases as cases
from benchmarks._processes import End, Process, Work, run
from benchmarks._section import put
from engine.store.backup.backup import backups_of

TITLE = "Kills during backup and restore"
KILLS = 200
PROBES = 5
"""Runs that are not killed, to learn how long one takes while another process writes."""
BAD = ("lost", "doubled", "broken")


@dataclass
class Row:
    """One line of the table."""

    name: str
    times: list[float] = field(default_factory=list)
    """Seconds of the runs that were not killed."""
    kills: int = 0
    ended: int = 0
    """Runs that ended before the kill."""
    writes: list[int] = field(default_factory=list)
    """Acknowledged writes of each round."""
    states: Counter[str] = field(default_factory=Counter)
    """What was there afterwards."""
    bad: dict[str, list[str]] = field(default_factory=lambda: {word: [] for word in BAD})

    def add(self, end: End) -> None:
        """Count what a check said."""
        for line in end.said:
            word, _, rest = line.partition(" ")
            if word in self.bad:
                self.bad[word].append(rest)
        if end.refused or end.bug:
            self.bad["broken"].append(end.refused or end.bug)


@dataclass(frozen=True)
class Round:
    """A copy of an archive or workspace with one backup of it."""

    kind: cases.Kind
    folder: Path
    root: Path
    """Of the backups."""
    kill_after: float | None
    """Seconds; None lets it end."""

    def killed(self, work: Work, row: Row) -> list[str]:
        """What was there and what a writer was told is stored while `work` ran, to its end or to its kill."""
        held = run(cases.listing(self.kind, self.folder)).said
        writer = Process(self.kind.write(self.folder, 1000))
        writer.wait()
        started = time.monotonic()
        process = Process(work)
        if self.kill_after is not None:
            process.kill(self.kill_after)
        end = process.end()
        writer.kill()
        said = writer.end()
        if self.kill_after is None:
            row.times.append(time.monotonic() - started)
        else:
            row.kills += "done" not in end.said
            row.ended += "done" in end.said
            row.writes.append(len(said.said))
        row.bad["broken"] += filter(None, (end.refused, end.bug, said.refused, said.bug))
        return held + said.said

    def back_up(self, row: Row) -> None:
        """Back up, and look at the source and at every backup."""
        held = run(cases.listing(self.kind, self.folder)).said
        (first,) = backups_of(self.kind.source(self.folder), self.root)
        written = self.killed(cases.backing_up(self.kind.source(self.folder), self.root), row)
        row.add(run(cases.check_folder(self.kind, self.folder, written)))
        self._count(row, run(cases.check_backups(self.kind, self.root, self.folder, first.path.name, held)))

    def restore(self, row: Row) -> None:
        """Restore the backup, and look at what is there and what was set aside."""
        run(lambda _: self.kind.change(self.folder))
        (backup,) = backups_of(self.kind.source(self.folder), self.root)
        written = self.killed(cases.restoring(self.kind, backup, self.folder), row)
        self._count(row, run(cases.check_folder(self.kind, self.folder, written)))

    def _count(self, row: Row, end: End) -> None:
        row.add(end)
        if self.kill_after is not None:
            row.states[next((line[6:] for line in end.said if line.startswith("state ")), "unknown")] += 1


def rounds(kind: cases.Kind, what: str, kills: int, folder: Path, dice: random.Random) -> Row:
    """Some runs to their end, then kills."""
    row = Row(f"{what} of {kind.name}")
    run(lambda _: kind.prepare(folder / "template"))
    for number in range(PROBES + 3 * kills):
        if row.kills == kills:
            break
        here = folder / f"{number}"
        moment = None if number < PROBES else dice.uniform(0, median(row.times))
        one = Round(kind, here / "data", here / "backups", moment)
        shutil.copytree(folder / "template", one.folder)
        os.environ["KINDRED_HOME"] = str(here / "home")
        run(cases.backing_up(kind.source(one.folder), one.root))
        (one.back_up if what == "backup" else one.restore)(row)
        shutil.rmtree(here)
    return row


def table(rows: list[Row], seconds: float, seed: int) -> str:
    """The section of the document."""
    lines = [
        f"| {row.name} | {row.kills} | {1000 * median(row.times):.0f} | {median(row.writes or [0]):.0f} | "
        f"{', '.join(f'{name} {count}' for name, count in sorted(row.states.items()))} | "
        f"{' | '.join(str(len(row.bad[word])) for word in BAD)} |"
        for row in rows
    ]
    kills, ended = sum(row.kills for row in rows), sum(row.ended for row in rows)
    head = "| SIGKILL during | kills | takes, ms | writes meanwhile | afterwards | lost | doubled | broken |"
    return (
        f"{kills} kills and {ended} runs that ended before theirs, seed {seed}, {seconds:.0f} s. `./do bench backup` "
        f"prints this table, `python -m benchmarks.backup --seed {seed} --markdown docs/benchmarks.md` writes it. "
        "Another process adds cases, or types and signs reports, all the time, and is killed after; *writes meanwhile* "
        "is the median of what it was told is stored. *Lost*: neither there nor set aside. *Broken*: what does not "
        "open, or differs from its checksums, its hashes or the settings of its time; a backup that is not whole; "
        "files that were left. The moment between the two renames of a restore is too short to be drawn: "
        "`tests/engine/store/backup/kills.py` kills at each touch of the disk.\n\n"
        + "\n".join([head, "|---|---:|---:|---:|---|---:|---:|---:|", *lines])
    )


def main() -> None:
    """Kill, print the table and what was wrong; exit status 1 if anything was."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--kills", type=int, default=KILLS)
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to this file")
    chosen = options.parse_args()
    started, rows = time.monotonic(), []
    with tempfile.TemporaryDirectory() as name:
        for number, kind in enumerate((cases.ARCHIVE, cases.WORKSPACE)):
            for what in ("backup", "restore"):
                dice = random.Random(f"{chosen.seed} {number} {what}")
                rows.append(rounds(kind, what, chosen.kills // 4, Path(name) / f"{what} {number}", dice))
                bad = {word: found[:3] for word, found in rows[-1].bad.items() if found}
                print(
                    f"{time.monotonic() - started:5.0f} s  {rows[-1].name}: {rows[-1].kills} kills, {bad}", flush=True
                )
    text = table(rows, time.monotonic() - started, chosen.seed)
    print(f"\n{text}")
    if chosen.markdown:
        put(chosen.markdown, TITLE, text)
    sys.exit(1 if any(found for row in rows for found in row.bad.values()) else 0)


if __name__ == "__main__":
    main()
