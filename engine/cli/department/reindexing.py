"""The command `kindred reindex`: here, by workers, or on a Ray cluster. Leaves all work to the engine."""

import time
from pathlib import Path

import click

from engine.archive import Archive
from engine.bundle import Bundle
from engine.cli.department.work import print_queued
from engine.cli.options import ARCHIVE, ARCHIVE_HELP, bundle_option, json_option, print_result
from engine.cli.output import progress_line
from engine.errors import UserError
from engine.importing.reindex import reindex
from engine.importing.work.on_ray import reindex_on_ray
from engine.importing.work.queueing import queue_reindex
from engine.store.address import Address
from engine.text.words import counted


@click.command("reindex", epilog="Example: kindred reindex --archive ~/kindred --bundle ~/new-models")
@click.option("--archive", "place", type=ARCHIVE, required=True, help=ARCHIVE_HELP)
@click.option("--queue", is_flag=True, help="Only queue it, for workers (archive on a server).")
@click.option(
    "--ray", metavar="ADDRESS", help="Do it on a Ray cluster: ray://HEAD:10001, auto, or local (archive on a server)."
)
@bundle_option
@json_option
def reindex_command(place: Path | Address, queue: bool, ray: str | None, bundle: Path | None, as_json: bool) -> None:
    """Re-index an archive with another bundle.

    Its stored images and reports are embedded again; until all are done, the archive can be searched with the old
    bundle. An interrupted run can be resumed.
    """
    if queue and ray is not None:
        raise UserError("Give either --queue or --ray: the cluster starts workers of its own.")
    with Archive.open(place) as archive:
        models = Bundle.open(bundle)
        started = time.perf_counter()
        if queue:
            job, count = queue_reindex(archive, models.id)
            print_queued(place, job, counted(count, "embedding"), as_json)
            return
        with progress_line() as progress:
            if ray is None:
                total = reindex(archive, models, progress).total
            else:
                total = reindex_on_ray(archive, models, ray, progress)
    seconds = round(time.perf_counter() - started, 2)
    line = f"The archive {place} has {counted(total, 'embedding')} of the bundle {models.id} ({seconds} s)."
    print_result({"vectors": total, "bundle_id": models.id, "seconds": seconds}, [line], as_json)
