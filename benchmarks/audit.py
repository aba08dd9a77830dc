"""Changes audits by hand and counts which changes are found: `./do bench audit`, some minutes on two cores.

Claim: what is changed in SQL without the key is found by `kindred audit verify`, and nothing else is blamed. Changes of
an archive and of a workspace are drawn by seed, each on a fresh copy that this account has opened before. *doctor* is
`kindred doctor --deep`, which compares the rows of an archive with their checksums. The table says what is not found,
which docs/backups.md explains. The exit status is 1 if a change that must be found was not, or if there was a false
alarm. Last, the time to verify a long audit.
"""

import argparse
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks._audit_changes import KINDS, MEMORY, Change, Kind
from benchmarks._fault_cases import Doubles
from benchmarks._section import put
from benchmarks._timing import processor
from engine.archive import Archive
from engine.reports.workspace import Workspace
from engine.store.backup.backup import backups_of
from engine.store.backup.making import make
from engine.store.backup.restore import restore_archive
from engine.store.backup.restore_workspace import restore_workspace
from engine.store.backup.source import archive_source, workspace_source
from engine.store.case import NewCase, NewReport
from engine.store.folder.local_database import LocalDatabase
from engine.store.identity import load_key, own_key
from engine.store.safety.audit_chain import ARCHIVE, WORKSPACE, AuditChain
from engine.store.shared_sql import insert, now

TITLE = "Changes of the audit by hand"
CHANGES, UNTOUCHED, ROWS = 200, 100, 100_000
NOT_FOUND = (
    "an earlier copy put back, and what the account remembers removed",
    "the chain made anew with the key, and what the account remembers removed",
    "text of a report that is not signed changed",
    "text of an archived report changed",
    "a case deleted without a row in the audit",
)
"""Kinds that `kindred audit verify` need not find."""
DATABASES = {"archive": "archive.db", "workspace": "workspace.db"}
MODELS = Doubles()


@dataclass
class Row:
    """One line of the table."""

    name: str
    done: int = 0
    found: int = 0
    deep: int = 0
    """Of an archive, found by its checksums."""
    archives: int = 0
    surprise: bool = False
    """Whether a change was not found that must be."""


def fill_archive(folder: Path) -> None:
    """An archive whose audit has rows of several kinds."""
    with Archive.create(folder, MODELS.id) as archive:
        for number in range(16):
            add(archive, number)
        archive.delete([1])
        archive.merge([2, 3])
        for number in range(4, 9):
            archive.set_report(number, NewReport(f"Report {number}", MODELS.embed_texts(["x"])[0]), "corrected")
        archive.delete([10])


def add(archive: Archive, number: int) -> None:
    """Add a case of a report of its own; those of one patient can be merged."""
    text = "No effusion." if number < 3 else f"Case {number}."
    report = NewReport(text, MODELS.embed_texts([text])[0])
    archive.add_case(NewCase(str(number), report=report, patient="P" if number < 3 else str(number)), MODELS.id)


def fill_workspace(folder: Path) -> None:
    """A workspace with reports that were changed, signed, exported and added to."""
    with Workspace.open(folder) as workspace:
        for number in range(4):
            sign(workspace, number)
        workspace.save_edit("1.2.100", "Not signed.")


def sign(workspace: Workspace, number: int) -> None:
    """Write, sign, export and add to one report."""
    uid = f"1.2.{number}"
    workspace.save_edit(uid, f"Report {number}.", "reader")
    workspace.sign(uid, f"Name {number}")
    workspace.record_export(uid, "sr")
    workspace.save_addendum(uid, "Addendum.")
    workspace.sign_addendum(uid, f"Name {number}")


def go_on(of: str, folder: Path) -> None:
    """Use it some more, which adds rows to the audit."""
    if of == "archive":
        with Archive.open(folder) as archive:
            add(archive, 100)
            archive.delete([12])
    else:
        with Workspace.open(folder) as workspace:
            sign(workspace, 50)


def verify(of: str, folder: Path) -> tuple[bool, bool]:
    """Whether `kindred audit verify`, and the checksums of an archive, find something."""
    if of == "workspace":
        with Workspace.open(folder) as workspace:
            return bool(workspace.audit_problems()), False
    with Archive.open(folder) as archive:
        return bool(archive.audit_problems()), bool(archive.problems(deep=True))


def in_sql(path: Path, change: Change, dice: random.Random) -> None:
    """Change a database as somebody with a tool would."""
    with closing(sqlite3.connect(path)) as db:
        change(db, dice)
        db.commit()


def copied(of: str, templates: Path, to: Path) -> Path:
    """A fresh copy, with an account of its own."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(templates / of, to / "data")
    os.environ["KINDRED_HOME"] = str(to / "home")
    return to / "data"


def changed(kind: Kind, of: str, templates: Path, to: Path, dice: random.Random, row: Row) -> None:
    """Do one change, and count whether it is found."""
    change = kind.archive if of == "archive" else kind.workspace
    assert change is not None
    folder = copied(of, templates, to)
    path = folder / DATABASES[of]
    earlier = path.read_bytes()
    go_on(of, folder)
    verify(of, folder)  # and the account remembers it
    if kind.whole_file:
        path.write_bytes(earlier)
    in_sql(path, change, dice)
    if kind.forgotten:
        (to / "home" / MEMORY).unlink()
    found, deep = verify(of, folder)
    row.done += 1
    row.found += found
    row.deep += deep
    row.archives += of == "archive"


def back_and_forth(of: str, folder: Path) -> None:
    """Back up, go on, restore."""
    source = archive_source(folder) if of == "archive" else workspace_source(folder)
    root = folder.parent / "backups"
    make(source, root)
    go_on(of, folder)
    verify(of, folder)
    (backup,) = backups_of(source, root)
    (restore_archive if of == "archive" else restore_workspace)(backup, folder)


def upgrade(of: str, folder: Path) -> None:
    """Make it one of before the chain, which the next opening upgrades."""
    with closing(sqlite3.connect(folder / DATABASES[of])) as db:
        for table in ("audit_chain", "audit_head"):
            db.execute(f"DROP TABLE {table}")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'create_audit_chain'")
        db.commit()


def merge_and_delete(of: str, folder: Path) -> None:
    """Merge and delete cases, or edit and export reports."""
    if of == "workspace":
        with Workspace.open(folder) as workspace:
            workspace.save_edit("1.2.100", "Changed.")
            workspace.record_export("1.2.100", "txt")
        return
    with Archive.open(folder) as archive:
        archive.delete([5, 6])
        archive.set_report(7, NewReport("Another", MODELS.embed_texts(["y"])[0]), "corrected")


def move(of: str, folder: Path) -> None:
    """Open it in another place, and put it back."""
    folder.rename(folder.with_name("elsewhere"))
    verify(of, folder.with_name("elsewhere"))
    folder.with_name("elsewhere").rename(folder)


USES: dict[str, Callable[[str, Path], object]] = {
    "opened again": verify,
    "used": go_on,
    "merged, deleted, corrected, exported": merge_and_delete,
    "backed up, used, restored": back_and_forth,
    "upgraded from before the chain": upgrade,
    "moved and put back": move,
}


def untouched(templates: Path, to: Path, dice: random.Random) -> list[str]:
    """The uses after which an audit that nobody changed was blamed."""
    blamed = []
    for number in range(UNTOUCHED):
        of, name = dice.choice(list(DATABASES)), list(USES)[number % len(USES)]
        folder = copied(of, templates, to)
        verify(of, folder)
        USES[name](of, folder)
        if any(verify(of, folder)):
            blamed.append(f"{of}: {name}")
    return blamed


def seconds_for(of: str, rows: int, folder: Path) -> float:
    """Seconds to verify an audit of so many rows."""
    archive = of == "archive"
    (fill_archive if archive else fill_workspace)(folder)
    with Archive.open(folder) if archive else Workspace.open(folder) as store:
        key = load_key(folder) if archive else own_key(folder / "audit.key")
        database = LocalDatabase(folder / DATABASES[of])
        database.chain = AuditChain(key.audit, ARCHIVE if archive else WORKSPACE)
        with database.write() as db:
            for number in range(rows - len(store.audit())):
                if archive:
                    insert(db, "audit", at=now(), action="report set", case_id=number, detail="corrected")
                else:
                    text = "The lungs are clear. No effusion or pneumothorax. " * 6
                    insert(db, "audit", at=now(), study_uid=f"1.3.{number}", state="edited", who="reader", text=text)
        database.close()
        started = time.monotonic()
        assert store.audit_problems() == []
        return time.monotonic() - started


def table(rows: list[Row], blamed: list[str], times: dict[str, float], seed: int) -> str:
    """The section of the document."""
    lines = [
        f"| {row.name} | {row.done} | {row.found} | {f'{row.deep} of {row.archives}' if row.archives else '-'} |"
        for row in rows
    ]
    took = ", ".join(f"{of} {seconds:.1f} s" for of, seconds in times.items())
    head = ["| done by hand | times | found by `audit verify` | by `doctor --deep` |", "|---|---:|---:|---:|"]
    return (
        f"{sum(row.done for row in rows)} changes in SQL of archives and workspaces, seed {seed}; `./do bench audit` "
        f"prints this table, `python -m benchmarks.audit --seed {seed} --markdown docs/benchmarks.md` writes it. "
        "*Doctor*: the archive's rows against their checksums, which take no key. What is not found, and why, is in "
        "[backups and the audit](backups.md).\n\n"
        + "\n".join([*head, *lines])
        + f"\n\nFalse alarms: {len(blamed)} of {UNTOUCHED} ({', '.join(USES)}). {ROWS:,} rows are verified in: {took} "
        f"({processor()})."
    )


def main() -> None:
    """Change, count and time; exit status 1 for a surprise."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to this file")
    chosen = options.parse_args()
    pairs = [(kind, of) for kind in KINDS for of in DATABASES if getattr(kind, of) is not None]
    rows = {kind.name + str(number): Row(kind.name) for number, kind in enumerate(KINDS)}
    dice = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as name:
        templates, to = Path(name) / "templates", Path(name) / "work"
        os.environ["KINDRED_HOME"] = str(Path(name) / "home")
        fill_archive(templates / "archive")
        fill_workspace(templates / "workspace")
        for number in range(CHANGES):
            kind, of = pairs[number % len(pairs)]
            changed(kind, of, templates, to, dice, rows[kind.name + str(KINDS.index(kind))])
        blamed = untouched(templates, to, dice)
        times = {of: seconds_for(of, ROWS, Path(name) / f"long {of}") for of in DATABASES}
    for row in rows.values():
        row.surprise = row.found < row.done and row.name not in NOT_FOUND
    text = table(list(rows.values()), blamed, times, chosen.seed)
    print(text, *blamed, sep="\n")
    if chosen.markdown:
        put(chosen.markdown, TITLE, text)
    sys.exit(1 if blamed or any(row.surprise for row in rows.values()) else 0)


if __name__ == "__main__":
    main()
