"""The commands `kindred worker` and `kindred work`, and what `--queue` prints. Leave all work to the engine."""

import time
from pathlib import Path

import click

from engine.archive import Archive
from engine.bundle import Bundle
from engine.cli.options import ARCHIVE, ARCHIVE_HELP, bundle_option, json_option, print_result
from engine.cli.output import SHOWN, progress_line
from engine.errors import UserError
from engine.importing.work.worker import LEASE, Worked, work
from engine.store.address import Address
from engine.text.words import counted


@click.command("worker", epilog="Example: kindred worker --archive postgresql://anna@archive.example.org/kindred")
@click.option("--archive", "place", type=ARCHIVE, required=True, help=ARCHIVE_HELP)
@click.option("--stay", is_flag=True, help="Wait for more when nothing is left to do.")
@click.option(
    "--lease",
    type=click.FloatRange(min=1),
    default=LEASE,
    show_default=True,
    metavar="SECONDS",
    help="After so long without a sign of this worker, another one takes over its unit.",
)
@bundle_option
@json_option
def worker_command(place: Path | Address, stay: bool, lease: float, bundle: Path | None, as_json: bool) -> None:
    """Do what was queued by `kindred import --queue` or `kindred reindex --queue`, until nothing is left.

    Start as many as you like, on any computer that reaches the archive and, for an import, its folder under the same
    path. One that is stopped or killed can be started again; its work is taken over.
    """
    started = time.perf_counter()
    with Archive.open(place) as archive:
        models = Bundle.open(bundle)
        with progress_line() as progress:
            done = work(archive, models, stay, lease, progress)
    seconds = round(time.perf_counter() - started, 2)
    document = {
        **{"units": done.units, "failed": done.failed, "lost": done.lost, "counts": dict(done.counts)},
        **{"rejected": [one.as_dict() for one in done.rejected], "seconds": seconds},
    }
    print_result(document, _lines(done, seconds), as_json)


def _lines(done: Worked, seconds: float) -> list[str]:
    said = ", ".join(f"{count:,} {name}" for name, count in done.counts.items() if count)
    lines = [f"Did {counted(done.units, 'unit')} of work in {seconds} s{': ' if said else ''}{said}."]
    if done.failed:
        lines.append(f"{counted(done.failed, 'unit')} failed; `kindred work` says why.")
    lines += [f"  rejected: {one.path}: {one.reason}" for one in done.rejected[:SHOWN]]
    return lines


@click.command("work", epilog="Example: kindred work --archive postgresql://anna@archive.example.org/kindred")
@click.option("--archive", "place", type=ARCHIVE, required=True, help=ARCHIVE_HELP)
@click.option("--retry", is_flag=True, help="Let workers try again what has failed.")
@click.option("--drop", type=int, metavar="JOB", help="Remove a job from the list; what was done of it stays.")
@json_option
def work_command(place: Path | Address, retry: bool, drop: int | None, as_json: bool) -> None:
    """List what was queued for an archive: how far it is, and why parts of it failed."""
    with Archive.open(place) as archive:
        queue = archive.work
        if drop is not None and not queue.drop(drop):
            raise UserError(f"There is no job {drop}; `kindred work` lists them.")
        if retry:
            queue.retry()
        jobs = [(job, queue.reasons(job.job_id)) for job in queue.jobs()]
    lines = [] if jobs else ["Nothing is queued."]
    document = []
    for job, reasons in jobs:
        state = f"{job.done:,} of {counted(job.units, 'unit')} done, {job.leased:,} in work, {job.failed:,} failed"
        lines += [f"{job.job_id}  {job.kind}, queued {job.created[:16]}: {state}"]
        lines += [f"   {count:,} x {reason}" for reason, count in reasons]
        values = {"job": job.job_id, "kind": job.kind, "queued": job.created, "units": job.units, "done": job.done}
        values |= {"leased": job.leased, "failed": job.failed, "reasons": dict(reasons)}
        document.append(values)
    print_result({"jobs": document}, lines, as_json)


def print_queued(place: Path | Address, job: int, what: str, as_json: bool) -> None:
    """Print that a job was queued."""
    line = f"Queued {what} as job {job}. Start workers: kindred worker --archive {place}"
    print_result({"job": job, "queued": what}, [line], as_json)
