"""Runs a search and a draft in the real window and saves a screenshot. Uses no test doubles and no fixed delays.

    python -m desktop.demo --out SHOT.png [--archive DIR] [--study PATH ...] [--bundle DIR] [--size 1440x900]
    python -m desktop.demo --keep-open       the same, then keeps the window open

Without --archive it uses the sample archive, importing it first if necessary. Does not know what the archive contains.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from PySide6.QtCore import QEventLoop, QTimer, SignalInstance

from desktop import errors
from desktop.app import App, build, make_application
from desktop.background import Job
from desktop.state.first_steps import sample
from desktop.state.studies.studies import identify
from engine.archive import Archive
from engine.cli.output import draft_lines
from engine.errors import UserError
from engine.reports.draft import NOTICE
from engine.store.address import Address, place_of
from engine.text.words import counted


def wait(until: Callable[[], bool], signals: Sequence[SignalInstance], what: str, seconds: int) -> None:
    """Run the event loop until `until()` holds; it is checked after each of the signals.

    Raises:
        UserError: it took longer than `seconds`; `what` names the step.
    """
    if until():
        return
    loop = QEventLoop()
    limit = QTimer()
    limit.setSingleShot(True)
    limit.timeout.connect(lambda: loop.exit(1))

    def check(*_: object) -> None:
        if until():
            loop.quit()

    for signal in signals:
        signal.connect(check)
    limit.start(seconds * 1000)
    timed_out = loop.exec()
    for signal in signals:
        signal.disconnect(check)
    if timed_out:
        raise UserError(f"{what} took longer than {seconds} seconds; close other programs and try again.")


def fill_archive(app: App, place: Path | Address) -> None:
    """Open the archive, or create it and import the sample archive that ships with Kindred.

    A sample archive of older models is re-indexed with the current ones; any other archive is not.
    """
    state, background = app.desk.archive, app.desk.background
    if Archive.exists(place):
        state.open(place)
    else:
        state.create(place)
    settled = [state.changed, background.ended]
    wait(lambda: state.archive is not None and state.bundle is not None, settled, "Opening the archive", 120)
    shipped, finished = sample.shipped_cases(), sample.imported_mark()
    own = place == sample.sample_folder()
    wait(background.idle, [background.ended], "Counting the cases", 120)  # also finds the models of the archive
    if own and not app.desk.reindex.why_not():
        click.echo(f"Re-indexing the sample archive in {place} with the current models")
        app.desk.reindex.start()
        wait(background.idle, [background.ended], "Re-indexing the sample archive", 1800)
    known = finished.exists() if own else bool(state.stats.get("cases", 0))
    if known or not shipped.exists():
        return
    click.echo(f"Importing the sample archive into {place}")
    state.import_into(shipped)
    job = state.importing
    if job is not None:
        printed: set[int] = {0}
        job.progressed.connect(lambda: _show_progress(job, printed))
    wait(lambda: state.importing is None, settled, "Importing the sample archive", 1800)
    wait(background.idle, [background.ended], "Counting the cases", 60)
    result = app.desk.upkeep.importing.result
    if own and result is not None and not result.cancelled:  # an interrupted import continues next time
        finished.touch()


def _show_progress(job: Job, printed: set[int]) -> None:
    """Print a line for each tenth of the work."""
    tenth = 10 * job.done // job.total if job.total else 0
    if tenth not in printed:
        printed.add(tenth)
        click.echo(f"  {job.done} of {job.total}", err=True)


def show_series_of(app: App, path: Path) -> None:
    """Show the series that a file belongs to."""
    for study in app.desk.studies.studies:
        for series in study.series:
            if series.frames[0].image.origin.file == path:
                app.desk.studies.select(identify(study, series))


def drive(app: App, studies: Sequence[Path], archive: Path | Address, bundle: Path | None) -> None:
    """Open the studies and the archive, search by image, draft the report, and wait for the results."""
    begin(app, studies, archive, bundle)
    desk, ended = app.desk, [app.desk.background.ended]
    app.actions.actions["find_similar"].trigger()
    wait(lambda: not desk.search.searching, ended, "Searching", 120)
    app.actions.actions["draft_report"].trigger()
    wait(lambda: not desk.report.drafting, ended, "Drafting", 120)
    wait(desk.background.idle, ended, "Finishing", 120)


def begin(app: App, studies: Sequence[Path], archive: Path | Address, bundle: Path | None) -> None:
    """Open the studies and the archive, and show the first image."""
    desk = app.desk
    desk.report.open_workspace()
    desk.archive.load_bundle(bundle)
    desk.studies.open(studies)
    ended = [desk.background.ended]
    wait(lambda: desk.viewport.picture is not None, ended, "Showing the first image", 60)
    show_series_of(app, studies[0])
    fill_archive(app, archive)
    wait(lambda: desk.viewport.picture is not None and not desk.viewport.loading, ended, "Showing the image", 60)
    app.actions.actions["auto_window"].trigger()  # the default window of the file is far wider than its pixel values
    wait(desk.background.idle, ended, "Showing the image", 60)


def print_results(app: App) -> None:
    """Print the studies, the hits and the draft, without patient names."""
    desk = app.desk
    for study in desk.studies.studies:
        click.echo(f"Study  {study.date or '????????'} {study.description or '-'}")
        for series in study.series:
            click.echo(f"       {series.modality}: {counted(len(series.frames), 'image')}, {series.description or '-'}")
    click.echo(f"\nSimilar to {desk.search.answered}:")
    for rank, hit in enumerate(desk.search.hits[:10], 1):
        click.echo(f"  {rank:2}. {hit.kind:6} {hit.score:6.2f}  {hit.text[:90]}")
    page = desk.report.page
    click.echo(f"\nDraft ({NOTICE}):")
    for line in draft_lines(page.draft) if page and page.draft else ():
        click.echo(f"  {line}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m desktop.demo", description="Run a search and a draft on real studies and save a screenshot."
    )
    parser.add_argument("--out", type=Path, help="file for the screenshot (PNG)")
    parser.add_argument("--archive", type=place_of, help="archive folder or address; default: the sample archive")
    parser.add_argument("--study", type=Path, nargs="+", help="DICOM files or folders; default: files of pydicom")
    parser.add_argument("--bundle", type=Path, help="bundle folder; default: the starter bundle")
    parser.add_argument("--size", default="1440x900", help="size of the window in logical pixels")
    parser.add_argument("--keep-open", action="store_true", help="keep the window open afterwards")
    options = parser.parse_args(arguments)
    qt = make_application()
    app = build()
    errors.install(app.desk.messages.show)
    width, height = (int(side) for side in options.size.split("x"))
    app.window.resize(width, height)
    app.window.show()
    try:
        archive = options.archive or sample.sample_folder()
        drive(app, options.study or sample.sample_studies(), archive, options.bundle)
        print_results(app)
        message = app.desk.messages.message
        if message is not None:
            click.echo(message.text, err=True)
        if options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            if not app.window.grab().save(str(options.out)):
                raise UserError(f"Cannot save the screenshot as {options.out}; choose another folder.")
            click.echo(f"\nScreenshot: {options.out}")
    except UserError as error:
        message = app.desk.messages.message
        click.echo(f"{error}\n{message.text if message else ''}", err=True)
        if not options.keep_open:
            app.close()
            return 2
    if options.keep_open:
        qt.exec()
    app.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
