"""Makes backups, and drops those that the policy does not keep. Knows no table and restores nothing (restore.py).

A backup is made under another name, checked, flushed and renamed, so that a folder with the name of a backup is whole;
only then are older ones dropped.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import UserError, missing
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.backup.backup import (
    UNFINISHED,
    UPGRADE,
    Backup,
    backups_in,
    backups_of,
    free_path,
    stamp,
    write_manifest,
)
from engine.store.backup.copying import copy_database, copy_file, count_rows, digest
from engine.store.backup.location import backup_folder, chosen_folder
from engine.store.backup.policy import POLICY, Policy
from engine.store.backup.source import Source
from engine.store.safety.whole_file import LEFT, flush, flush_folder

SPARE = 64 << 20
"""Bytes that a disk must have left after a backup."""


@dataclass(frozen=True, slots=True)
class Making:
    """How a backup is made."""

    reason: str = ""
    """UPGRADE, or ""."""
    always: bool = False
    """Also when nothing changed since the newest one."""
    policy: Policy = POLICY
    """Which older ones are kept."""
    progress: Progress = ignore
    """Hears of the pages of the database."""
    cancelled: IsCancelled = never
    """Ends it; nothing is left."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def make(source: Source, root: Path | None = None, making: Making = Making()) -> Backup | None:
    """Make a backup, then drop those that the policy does not keep. None when nothing changed since the newest one.

    Args:
        source: what is backed up.
        root: the folder of all backups; None for the chosen or default one.
        making: how.

    Raises:
        UserError: the database is missing or damaged, or the folder cannot be written, has too little space or is on a
            drive that is not connected. All earlier backups are still there.
        Cancelled: it was ended.
    """
    if not source.path.is_file():
        raise missing(source.path)
    root = root or backup_folder()
    if root == chosen_folder() and not root.is_dir():  # not made: it may be where a drive is mounted
        raise UserError(f"The folder of backups {root} is missing; connect its drive or choose another folder.", root)
    folder = root / source.name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_unfinished(folder)
        return _make(source, folder, making)
    except OSError as error:
        raise UserError(
            f"The backup cannot be written to {folder}: {error.strerror}. Check the drive, or choose another folder.",
            folder,
        ) from error


def _make(source: Source, folder: Path, making: Making) -> Backup | None:
    state = source.state()  # before the copy: what is written meanwhile is a change
    newest = next(reversed(backups_in(folder)), None)
    if newest is not None and newest.state == state and not making.always:
        return None
    _require_space(source, folder)
    temporary = Path(tempfile.mkdtemp(UNFINISHED, "", folder))  # mode 0700
    try:
        made = _fill(source, temporary, state, making)
        if newest is not None and newest.files == made.files and not making.always:
            shutil.rmtree(temporary)
            write_manifest(replace(newest, state=state))
            return None
        flush_folder(temporary)
        final = free_path(folder / "-".join(filter(None, (stamp(made.made), made.reason))))
        temporary.rename(final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    flush(folder)
    drop_old(folder, making.policy)
    return replace(made, path=final)


def _fill(source: Source, folder: Path, state: list[list[object]], making: Making) -> Backup:
    """Copy everything into an empty folder, check it and write its manifest."""
    names = [source.database]
    for path in source.beside():  # first: the key is among them, with which the copy is checked
        (folder / path).parent.mkdir(mode=0o700, exist_ok=True)
        copy_file(source.folder / path, folder / path)
        names.append(path.as_posix())
    copy_database(source.path, folder / source.database, making.progress, making.cancelled)
    rows = count_rows(folder / source.database, "cases" if source.kind == "archive" else "reports")
    files = {name: digest(folder / name) for name in names}
    at = making.now()
    made = Backup(folder, source.kind, at, source.folder.absolute(), rows, files, state, making.reason)
    write_manifest(made)
    return made


def drop_old(folder: Path, policy: Policy = POLICY) -> None:
    """Drop the backups that the policy does not keep; the newest one of before an upgrade stays. Raises OSError."""
    found = backups_in(folder)
    stay = policy.kept([one.made for one in found], [one.size for one in found])
    upgrades = [at for at, one in enumerate(found) if one.reason == UPGRADE]
    for at, one in enumerate(found):
        if at not in stay and at not in upgrades[-1:]:
            drop(one)


def drop(backup: Backup) -> None:
    """Delete a backup; a kill on the way leaves an unfinished one, not a damaged one. Raises OSError."""
    going = backup.path.with_name(f"{backup.path.name}{UNFINISHED}")
    backup.path.rename(going)
    shutil.rmtree(going)


def forget(source: Source, root: Path | None = None, *, but: Backup) -> None:
    """Drop all backups of a source but one, such as those that hold what was deleted since.

    Raises:
        UserError: one cannot be deleted.
    """
    for one in backups_of(source, root):
        if one.path != but.path:
            try:
                drop(one)
            except OSError as error:
                raise UserError(f"The backup {one.path} cannot be deleted: {error.strerror}.", one.path) from error


def _require_space(source: Source, folder: Path) -> None:
    needed, free = source.path.stat().st_size + SPARE, shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"The backup of {source.folder} needs {needed >> 20:,} MB in {folder}, which has {free >> 20:,} MB left; "
            "free some space or choose another folder.",
            folder,
        )


def _remove_unfinished(folder: Path) -> None:
    """Remove what a killed process has left. Raises OSError."""
    for path in folder.iterdir():
        if path.suffix == UNFINISHED and time.time() - path.stat().st_mtime > LEFT:
            shutil.rmtree(path, ignore_errors=True)
