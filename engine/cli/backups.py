"""The commands `kindred backup`, `kindred restore` and `kindred salvage`. Leave all work to engine/store/backup."""

from pathlib import Path
from typing import Any

import click

from engine.archive import Archive
from engine.cli.options import FOLDER, json_option, print_result
from engine.cli.output import progress_line
from engine.errors import UserError
from engine.store.backup.backup import Backup, backups_of
from engine.store.backup.location import backup_folder, choose_folder
from engine.store.backup.making import Making, forget, make
from engine.store.backup.restore import find, restore_archive
from engine.store.backup.restore_workspace import restore_workspace
from engine.store.backup.salvage import salvage
from engine.store.backup.source import Source, archive_source, workspace_source
from engine.store.safety.salvaged import MARKER
from engine.text.words import counted

NOUN = {"archive": ("case",), "workspace": ("report",)}


@click.command("backup", epilog="Example: kindred backup --archive ~/kindred --to /media/disk/backups")
@click.option("--archive", "folder", type=FOLDER, help="An archive to back up too.")
@click.option("--to", "target", type=FOLDER, help="Folder of the backups. Default: the one that the app uses.")
@click.option("--keep-in", "chosen", type=FOLDER, help="Let the app and this command use another folder from now on.")
@click.option("--list", "listed", is_flag=True, help="List the backups and make none.")
@click.option("--replace", is_flag=True, help="Drop all earlier ones, which may hold cases that were deleted since.")
@json_option
def backup_command(
    folder: Path | None, target: Path | None, chosen: Path | None, listed: bool, replace: bool, as_json: bool
) -> None:
    """Back up the reports and settings of this account, and an archive.

    Nothing is copied when nothing changed since the newest backup. The app does the same every hour; the newest of 24
    hours, 7 days and 4 weeks are kept. Backups are as confidential as what they are made of.
    """
    if chosen is not None:
        choose_folder(chosen)
    sources = [workspace_source()]
    if folder is not None:
        if not Archive.exists(folder):
            raise UserError(f"{folder} is not a Kindred archive; choose another folder.", folder)
        sources.append(archive_source(folder))
    root = target or backup_folder()
    lines: list[str] = []
    made: list[Backup] = []
    for source in sources:
        if source.path.is_file() and not listed:
            with progress_line() as progress:
                backup = make(source, root, Making(always=replace, progress=progress))
            if backup is not None:
                made.append(backup)
            if backup is not None and replace:
                forget(source, root, but=backup)
        lines += _lines(source, root, made, listed)
    found = [one for source in sources for one in backups_of(source, root)]
    document = {"made": [_described(one) for one in made], "backups": [_described(one) for one in found]}
    print_result(document, lines, as_json)


@click.command("restore", epilog="Example: kindred restore BACKUP --archive ~/kindred")
@click.argument("path", type=FOLDER, metavar="BACKUP")
@click.option("--archive", "folder", type=FOLDER, help="The folder of the archive; needed for a backup of one.")
@json_option
def restore_command(path: Path, folder: Path | None, as_json: bool) -> None:
    """Restore an archive, or the reports and settings of this account, from BACKUP.

    BACKUP is a folder that `kindred backup --list` names, or a folder of backups, of which the newest is taken. What is
    there now is set aside under another name. Close the app before.
    """
    backup = find(path)
    with progress_line() as progress:
        aside = restore_workspace(backup) if folder is None else restore_archive(backup, folder, progress)
    where = folder or workspace_source().folder
    lines = [f"Restored {_content(backup)} of {backup.made:%Y-%m-%d %H:%M} UTC to {where}."]
    if aside is not None:
        lines.append(f"What was there is in {aside}; delete it when you no longer need it.")
        if folder is not None:
            lines.append("Cases that were deleted since then are back; delete them again.")
    document = {"restored": str(where), "rows": backup.rows, "aside": str(aside) if aside else None}
    print_result(document, lines, as_json)


@click.command("salvage", epilog="Example: kindred salvage --archive ~/kindred --to ~/salvaged")
@click.option("--archive", "folder", type=FOLDER, required=True, help="The damaged archive; it is not changed.")
@click.option("--to", "target", type=FOLDER, required=True, help="A new folder for what can be read of it.")
@json_option
def salvage_command(folder: Path, target: Path, as_json: bool) -> None:
    """Write what can be read of a damaged archive into a new one, which is read-only.

    Restore a backup instead if there is one that is recent enough: it holds everything of its time.
    """
    if target.exists():
        raise UserError(f"{target} exists already; choose a new folder.", target)
    with progress_line() as progress:
        _, found = salvage(folder, target, progress)
    lines = [
        f"{counted(found.cases, 'case')} of {folder} can be searched in {target}; {counted(found.lost, 'row')} lost.",
        f"Delete {target / MARKER} to use it as an archive that can be changed.",
    ]
    print_result({"folder": str(target), "cases": found.cases, "lost": found.lost}, lines, as_json)


def _lines(source: Source, root: Path, made: list[Backup], listed: bool) -> list[str]:
    what = "reports and settings" if source.kind == "workspace" else f"archive {source.folder}"
    found = backups_of(source, root)
    if not source.path.is_file() and not found:
        return [f"There is no backup of {what}." if listed else f"There is nothing to back up of {what}."]
    if listed:
        head = f"{counted(len(found), 'backup')} of {what}:" if found else f"There is no backup of {what}."
        return [head, *(f"  {one.path}  {one.age()} old, {_content(one)}, {_size(one)}" for one in reversed(found))]
    if found and found[-1].path in [one.path for one in made]:
        return [f"Backed up {_content(found[-1])} ({_size(found[-1])}) to {found[-1].path}."]
    return [f"Nothing changed in {what} since the backup {found[-1].path}."]


def _content(backup: Backup) -> str:
    return counted(backup.rows, *NOUN[backup.kind])


def _size(backup: Backup) -> str:
    return f"{max(0.1, backup.size / 1e6):,.1f} MB"


def _described(backup: Backup) -> dict[str, Any]:
    return {
        "path": str(backup.path),
        "kind": backup.kind,
        "made": backup.made.isoformat(),
        "of": str(backup.of),
        "rows": backup.rows,
        "bytes": backup.size,
    }
