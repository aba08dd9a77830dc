"""The command `kindred delete`. Leaves all work to the archive."""

from pathlib import Path

import click

from engine.archive import Archive
from engine.cli.options import ARCHIVE, json_option, print_result
from engine.cli.output import SHOWN
from engine.errors import Cancelled, UserError
from engine.store.address import Address
from engine.store.backup.backup import backups_of
from engine.store.backup.source import archive_source
from engine.text.words import counted


@click.command("delete", epilog="Example: kindred delete --archive ~/kindred --case 12 --case 13")
@click.option("--archive", "place", type=ARCHIVE, required=True, help="The archive.")
@click.option("--case", "cases", multiple=True, type=int, metavar="N", help="A case to delete; can be repeated.")
@click.option("--patient", metavar="ID", help="Delete all cases of the patient with this Patient ID.")
@click.option("--whole-patient", is_flag=True, help="Also delete the other cases of each patient.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def delete_command(
    place: Path | Address, cases: tuple[int, ...], patient: str | None, whole_patient: bool, yes: bool, as_json: bool
) -> None:
    """Delete cases, or all cases of a patient, from an archive.

    Nothing of their reports, images and vectors is left in the files of the archive. Backups and the reports that the
    app keeps of its open studies are not changed.
    """
    if bool(cases) == bool(patient):
        raise UserError("Give the cases to delete with --case, or a patient with --patient.")
    with Archive.open(place) as archive:
        chosen = set(cases) or archive.cases_of_patient(patient)
        if not chosen:
            raise UserError("The archive has no case of this patient.")
        if whole_patient:
            chosen = {one for case_id in chosen for one in archive.cases_of_same_patient(case_id)}
        deleted = sorted(chosen)
        ids = [*map(str, deleted[:SHOWN]), *["..."][: len(deleted) > SHOWN]]
        named = f"{counted(len(deleted), 'case')} ({', '.join(ids)})"
        if not yes and not click.confirm(f"Delete {named} from {place}? This cannot be undone.", err=True):
            raise Cancelled
        archive.delete(deleted)
        left = archive.stats()["cases"]
    lines = [f"Deleted {named}; {counted(left, 'case')} left."]
    held = len(backups_of(archive_source(place))) if isinstance(place, Path) else 0
    if held:
        lines.append(f"{counted(held, 'backup')} may hold them; to drop: kindred backup --archive {place} --replace")
    if isinstance(place, Path):
        kept = "Backups made with --to and folders that a restore set aside"
        lines.append(f"{kept} are not changed; delete them yourself.")
    else:
        lines.append("Backups of the server are not changed; its administrator deletes them.")
    print_result({"deleted": deleted, "cases": left, "backups": held}, lines, as_json)
