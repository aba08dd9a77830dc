"""What the processes of `benchmarks.backup` do, and what must hold of archive, workspace and backups afterwards.

A check says "lost", "doubled" or "broken" with what it is about, and "state" with what is there now.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks._fault_cases import Doubles, words
from benchmarks._processes import Say, Work
from engine.archive import Archive
from engine.errors import UserError
from engine.reports.workspace import Workspace
from engine.store.backup.backup import Backup, backups_in, check
from engine.store.backup.making import Making, make
from engine.store.backup.restore import ASIDE, restore_archive
from engine.store.backup.restore_workspace import restore_workspace
from engine.store.backup.source import Source, archive_source, workspace_source
from engine.store.case import NewCase, NewImage, NewReport

MODELS = Doubles()
CASES, PICTURES = 40, 20
"""Of the archive; each picture takes 65 kB, so that copying takes longer than the rest."""
REPORTS = 200
MARK = "1.2.0"
"""The study whose report says, as the settings do, whether the workspace is the old one or the restored one."""


@dataclass(frozen=True)
class Kind:
    """An archive or a workspace, and how it is used and looked at."""

    name: str
    source: Callable[[Path], Source]
    prepare: Callable[[Path], object]
    """Fills a new folder."""
    change: Callable[[Path], object]
    """Makes the folder differ from its backup."""
    write: Callable[[Path, int], Work]
    """Writes without end, numbered from here on, and says what was acknowledged."""
    restore: Callable[[Backup, Path], object]
    asides: Callable[[Path], list[Path]]
    """The folders that a restore has set aside."""
    look: Callable[[Path, Say], Counter[str]]
    """Opens a folder, says what is wrong with it, and returns what it holds, as `write` says it."""


def backing_up(source: Source, root: Path) -> Work:
    """Make a backup."""

    def work(say: Say) -> None:
        make(source, root, Making(always=True))
        say("done")

    return work


def restoring(kind: Kind, backup: Backup, folder: Path) -> Work:
    """Restore, again and again until no other process is in the way."""

    def work(say: Say) -> None:
        while True:
            try:
                kind.restore(backup, folder)
            except UserError as error:
                if "nother program" not in str(error) and "is being restored" not in str(error):
                    raise
            else:
                say("done")
                return

    return work


def check_folder(kind: Kind, folder: Path, acknowledged: Sequence[str]) -> Work:
    """Open a folder, and look in it and in what was set aside for what was acknowledged."""

    def work(say: Say) -> None:
        there = kind.look(folder, say)
        held = set(there)
        for aside in kind.asides(folder):
            held |= set(kind.look(aside, say))
        for line in set(acknowledged) - held:
            say(f"lost {line}")
        for line in [one for one, times in there.items() if times > 1]:
            say(f"doubled {line}")
        for left in [*folder.parent.glob(f"{folder.name}.rest*"), *folder.glob("rest*")]:
            say(f"broken {left.name} was left")

    return work


def listing(kind: Kind, folder: Path) -> Work:
    """Say all that a folder holds."""

    def work(say: Say) -> None:
        for line in kind.look(folder, lambda _: None):
            say(line)

    return work


def check_backups(kind: Kind, root: Path, folder: Path, first: str, held: Sequence[str]) -> Work:
    """Restore every folder that has the name of a backup into an empty one, and look for what it must hold."""

    def work(say: Say) -> None:
        backups, scratch = root / kind.source(folder).name, root / "scratch"
        found = backups_in(backups)
        for path in backups.iterdir():
            if path.suffix != ".new" and path not in [one.path for one in found]:
                say(f"broken {path.name} is no backup")
        if not found:
            say("broken there is no backup any more")
        for number, backup in enumerate(found):
            check(backup)
            kind.restore(backup, scratch / str(number))
            for line in set(held) - set(kind.look(scratch / str(number), lambda line: _unless_state(line, say))):
                say(f"lost {line} in {backup.path.name}")
        say(f"state {'absent' if [one.path.name for one in found] == [first] else 'whole'}")

    return work


def _unless_state(line: str, say: Say) -> None:
    if not line.startswith("state"):
        say(line)


def _add(archive: Archive, number: int, picture: bool = False) -> None:
    dice = np.random.default_rng(number)
    grays = [dice.integers(0, 256, (256, 256), np.uint8)] if picture else []
    images = tuple(NewImage(gray, MODELS.embed_images([gray])[0], str(number)) for gray in grays)
    report = NewReport(words(number), MODELS.embed_texts([words(number)])[0])
    archive.add_case(NewCase(str(number), images=images, report=report), MODELS.id)


def _fill_archive(folder: Path) -> None:
    with Archive.create(folder, MODELS.id) as archive:
        for number in range(CASES):
            _add(archive, number, number < PICTURES)
        archive.delete([CASES])


def _change_archive(folder: Path) -> None:
    with Archive.open(folder) as archive:
        archive.delete([1])


def _write_archive(folder: Path, first: int) -> Work:
    def work(say: Say) -> None:
        dice, number = random.Random(first), first
        while True:
            try:
                with Archive.open(folder) as archive:
                    for _ in range(dice.randrange(1, 4)):
                        _add(archive, number)
                        say(words(number))
                        number += 1
            except UserError:  # it is being restored
                continue

    return work


def _look_at_archive(folder: Path, say: Say) -> Counter[str]:
    with Archive.open(folder) as archive:
        for problem in [*archive.problems(deep=True), *archive.audit_problems()]:
            say(f"broken {folder.name}: {problem}")
        ids = archive.case_ids(limit=100_000)
        say("state restored" if any(row["action"] == "restored" for row in archive.audit()) else "state old")
        return Counter(archive.reports_of(ids).values())


def _fill_workspace(folder: Path) -> None:
    (folder / "templates").mkdir(parents=True)
    with Workspace.open(folder) as workspace:
        for number in range(1, REPORTS):
            workspace.save_edit(f"1.2.{number}", words(number) * 10)
    _mark(folder, "as in the backup")


def _mark(folder: Path, text: str) -> None:
    with Workspace.open(folder) as workspace:
        workspace.save_edit(MARK, text)
    (folder / "settings.json").write_text(text)
    (folder / "templates" / "own.html").write_text(text)


def _write_workspace(folder: Path, first: int) -> Work:
    def work(say: Say) -> None:
        with Workspace.open(folder) as workspace:
            number = first
            while True:
                number += 1
                try:
                    workspace.save_edit(f"1.2.{number}", words(number))
                    say(f"edited {number}")
                    workspace.sign(f"1.2.{number}", "reader")
                    say(f"signed {number}")
                except UserError:  # the report that was typed was set aside before it could be signed
                    continue

    return work


def _look_at_workspace(folder: Path, say: Say) -> Counter[str]:
    with Workspace.open(folder) as workspace:
        for problem in workspace.audit_problems():
            say(f"broken {folder.name}: {problem}")
        marked = workspace.load(MARK)
        text = marked.text if marked else ""
        for path in (folder / "settings.json", folder / "templates" / "own.html"):
            if path.read_text() != text:
                say(f"broken {folder.name}: {path.name} is not of the time of the reports")
        rows = workspace.audit()
        say("state restored" if any(row["state"] == "restored" for row in rows) else "state old")
        uids = {str(row["study_uid"]) for row in rows if row["study_uid"]} - {MARK}
        found = [(uid.rpartition(".")[2], report.state) for uid in uids if (report := workspace.load(uid)) is not None]
        signed = [row["study_uid"].rpartition(".")[2] for row in rows if row["state"] == "signed"]
        edited = Counter(f"edited {number}" for number, _ in found)
        return edited + Counter(f"signed {number}" for number in signed if (number, "signed") in found)


ARCHIVE = Kind(
    "an archive",
    archive_source,
    _fill_archive,
    _change_archive,
    _write_archive,
    restore_archive,
    lambda folder: list(folder.parent.glob(f"{folder.name}.{ASIDE}-*")),
    _look_at_archive,
)
WORKSPACE = Kind(
    "the workspace",
    workspace_source,
    _fill_workspace,
    lambda folder: _mark(folder, "later"),
    _write_workspace,
    restore_workspace,
    lambda folder: list(folder.glob(f"{ASIDE}-*")),
    _look_at_workspace,
)
