"""The command `kindred import`, and what `--dry-run` prints. Leaves all work to the engine."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from engine.archive import Archive
from engine.bundle import Bundle
from engine.cli.department.work import print_queued
from engine.cli.options import ARCHIVE, FILE, bundle_option, json_option, print_result
from engine.cli.output import SHOWN, import_lines, progress_line
from engine.errors import Cancelled, UserError, exists, missing
from engine.importing.importer import import_path
from engine.importing.preview import preview_import
from engine.importing.work.queueing import queue_import
from engine.store.address import Address
from engine.text.words import counted


@click.command("import", epilog="Example: kindred import ~/studies --archive ~/kindred --reports reports.csv")
@click.argument("path", type=FILE)
@click.option("--archive", "place", type=ARCHIVE, required=True, help="The archive; created if it does not exist.")
@click.option(
    "--reports",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Reports for the studies: CSV with a column text and one to match on, DICOM SR, FHIR, HL7; can be repeated.",
)
@click.option("--link-sources", is_flag=True, help="Keep the local path of each case in a private file.")
@click.option("--keep-text", is_flag=True, help="Keep text burned into the images, which is blacked out otherwise.")
@click.option("--queue", is_flag=True, help="Only queue it, for workers that reach PATH too (archive on a server).")
@click.option("--dry-run", is_flag=True, help="Only list which reports and studies would be joined.")
@bundle_option
@json_option
def import_command(
    path: Path,
    place: Path | Address,
    reports: tuple[Path, ...],
    link_sources: bool,
    keep_text: bool,
    queue: bool,
    dry_run: bool,
    bundle: Path | None,
    as_json: bool,
) -> None:
    """Import PATH into an archive.

    PATH is DICOM, an image folder with cases.csv, image files, or reports. Reports are joined to their studies by study
    UID, accession number, or patient and date, also if the other comes later. Text burned into the images
    is blacked out, except for single letters such as R and L. Nothing is imported twice.

    Columns of CSV files to match on: study_uid, accession, case_id, image, or patient_id and study_date (YYYY-MM-DD).
    """
    if not exists(path):
        raise missing(path)
    if dry_run:
        _print_preview(place, path, reports, as_json)
        return
    models = Bundle.open(bundle)
    if queue:
        if link_sources:
            raise UserError("--link-sources keeps paths beside an archive in a folder; leave it out with --queue.")
        with opened_or_created(place) as archive, progress_line() as progress:
            job, count = queue_import(archive, models.id, path, reports, keep_text, progress)
        print_queued(place, job, counted(count, "case"), as_json)
        return
    started = time.perf_counter()
    with opened_or_created(place) as archive, progress_line() as progress:
        result = import_path(archive, models, path, reports, progress, link_sources=link_sources, keep_text=keep_text)
        stats = archive.stats()
    seconds = round(time.perf_counter() - started, 2)
    print_result(
        {**result.as_dict(), "archive": stats, "seconds": seconds}, import_lines(result, stats, seconds), as_json
    )


def _print_preview(place: Path | Address, path: Path, reports: tuple[Path, ...], as_json: bool) -> None:
    """Print what an import would join; nothing is written, and the archive need not exist.

    Raises:
        UserError: as an import.
    """
    opened = Archive.open(place) if Archive.exists(place) else nullcontext()
    with opened as archive, progress_line() as progress:
        preview = preview_import(archive, path, reports, progress)
    print_result(preview.as_dict(), preview.lines(SHOWN), as_json)


@contextmanager
def opened_or_created(place: Path | Address) -> Iterator[Archive]:
    """The archive in a folder or on a server.

    A folder that was created here is removed when the import fails before any case is archived, unless another process
    has opened it.

    Raises:
        UserError: the archive can neither be opened nor created.
    """
    created = not Archive.exists(place)
    was_there = isinstance(place, Path) and exists(place)
    archive = Archive.create(place) if created else Archive.open(place)
    try:
        with archive:
            yield archive
    except (UserError, Cancelled):
        if created and isinstance(place, Path) and archive.is_unused():
            shutil.rmtree(place)
            if was_there:
                place.mkdir()
        raise
    finally:
        archive.close()
