"""Drives the real window through one search and one draft, and takes its picture. Knows no doubles and no sleeping.

    python -m desktop.demo --out SHOT.png [--archive DIR] [--study PATH ...] [--bundle DIR] [--size 1440x900]
    python -m desktop.demo --keep-open       the same, then leaves the window to the user

Without --archive it uses the sample archive, which it imports first if that was not done before.
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
from desktop.state.studies.studies import identify
from engine.archive import Archive
from engine.errors import UserError
from engine.resources import resource_path, user_folder

STUDIES = ("RG1_UNCR.dcm", "RG3_UNCR.dcm", "693_UNCR.dcm", "MR2_UNCR.dcm", "US1_UNCR.dcm", "emri_small.dcm")
"""Real files of pydicom-data; the first is the one on screen."""
FALLBACK = "CT_small.dcm"


def sample_studies() -> list[Path]:
    """Real DICOM files that are installed with the app's demonstration data, without any download."""
    from pydicom.data import get_testdata_file

    found = [get_testdata_file(name, download=False) for name in (*STUDIES, FALLBACK)]
    paths = [Path(str(path)) for path in found if path]
    return paths[: len(STUDIES)]


def wait(until: Callable[[], bool], signals: Sequence[SignalInstance], what: str, seconds: int) -> None:
    """Run the event loop until a condition holds that one of the signals may have changed.

    Raises:
        UserError: it took longer than `seconds`.
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


def sample_folder() -> Path:
    """Where the sample archive is kept once it is imported."""
    return user_folder() / "sample-archive"


def fill_archive(app: App, folder: Path) -> None:
    """Open the archive, or make it from the sample archive that ships with Kindred.

    A sample archive of earlier models is moved to those that ship now; one that the user named is left as it is.
    """
    state, background = app.desk.archive, app.desk.background
    if Archive.exists(folder):
        state.open(folder)
    else:
        state.create(folder)
    settled = [state.changed, background.ended]
    wait(lambda: state.archive is not None and state.bundle is not None, settled, "Opening the archive", 120)
    sample, finished = resource_path("sample-archive"), user_folder() / "sample-archive-imported"
    own = folder == sample_folder()
    wait(background.idle, [background.ended], "Counting the cases", 120)  # tells whose models made the archive as well
    if own and not app.desk.reindex.why_not():
        click.echo(f"Moving the sample archive in {folder} to the models that ship now")
        app.desk.reindex.start()
        wait(background.idle, [background.ended], "Moving the sample archive", 1800)
    known = finished.exists() if own else bool(state.stats.get("cases", 0))
    if known or not sample.exists():
        return
    click.echo(f"Importing the sample archive into {folder}")
    state.import_into(sample)
    job = state.importing
    if job is not None:
        told: set[int] = {0}
        job.progressed.connect(lambda: _show_progress(job, told))
    wait(lambda: state.importing is None, settled, "Importing the sample archive", 1800)
    wait(background.idle, [background.ended], "Counting the cases", 60)
    if own:
        finished.touch()  # an import that was cut short goes on next time


def _show_progress(job: Job, told: set[int]) -> None:
    """A line for every tenth part."""
    part = 10 * job.done // job.total if job.total else 0
    if part not in told:
        told.add(part)
        click.echo(f"  {job.done} of {job.total}", err=True)


def choose(app: App, path: Path) -> None:
    """Show the series that a file belongs to."""
    for study in app.desk.studies.studies:
        for series in study.series:
            if series.frames[0].image.origin.file == path:
                app.desk.studies.select(identify(study, series))


def drive(app: App, studies: Sequence[Path], archive: Path, bundle: Path | None) -> None:
    """Open the studies and the archive, search by the image, draft the report, and wait for all of it."""
    desk = app.desk
    desk.report.open_workspace()
    desk.archive.load_bundle(bundle)
    desk.studies.open(studies)
    ended = [desk.background.ended]
    wait(lambda: desk.viewport.picture is not None, ended, "Showing the first image", 60)
    choose(app, studies[0])
    fill_archive(app, archive)
    wait(lambda: desk.viewport.picture is not None and not desk.viewport.loading, ended, "Showing the image", 60)
    app.actions.actions["auto_window"].trigger()  # the sample's own window is far wider than its range
    wait(desk.background.idle, ended, "Showing the image", 60)
    app.actions.actions["search_image"].trigger()
    wait(lambda: not desk.search.searching, ended, "Searching", 120)
    app.actions.actions["draft"].trigger()
    wait(lambda: not desk.report.drafting, ended, "Drafting", 120)
    wait(desk.background.idle, ended, "Finishing", 120)


def tell(app: App) -> None:
    """Print the studies, the hits and the draft, without the patients' names."""
    desk = app.desk
    for study in desk.studies.studies:
        click.echo(f"Study  {study.date or '????????'} {study.description or '-'}")
        for series in study.series:
            click.echo(f"       {series.modality}: {len(series.frames)} image(s), {series.description or '-'}")
    click.echo(f"\nSimilar to {desk.search.answered}:")
    for rank, hit in enumerate(desk.search.hits[:10], 1):
        click.echo(f"  {rank:2}. {hit.kind:6} {hit.score:6.2f}  {hit.text[:90]}")
    page = desk.report.page
    click.echo("\nDraft (research draft, not for clinical use):")
    for sentence in desk.report.sentences:
        sure = "" if sentence.confidence is None else f" (confidence {sentence.confidence:.2f})"
        cases = ", ".join(str(evidence.case_id) for evidence in sentence.evidence)
        click.echo(f"  {sentence.text}{sure} {f'similar wording in cases {cases}' if cases else 'no similar wording'}")
    if page and page.draft and page.draft.note:
        click.echo(f"  {page.draft.note}")


def main(arguments: Sequence[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog="python -m desktop.demo", description="Shows Kindred on a real study.")
    made.add_argument("--out", type=Path, help="where to save the picture of the window (PNG)")
    made.add_argument("--archive", type=Path, help="archive folder; default: the sample archive")
    made.add_argument("--study", type=Path, nargs="+", help="DICOM files or folders; default: pydicom's real ones")
    made.add_argument("--bundle", type=Path, help="bundle folder; default: the starter bundle")
    made.add_argument("--size", default="1440x900", help="of the window, logical pixels")
    made.add_argument("--keep-open", action="store_true", help="leave the window to the user afterwards")
    options = made.parse_args(arguments)
    qt = make_application()
    app = build()
    errors.install(app.desk.messages.show)
    width, height = (int(side) for side in options.size.split("x"))
    app.window.resize(width, height)
    app.window.show()
    try:
        archive = options.archive or sample_folder()
        drive(app, options.study or sample_studies(), archive, options.bundle)
        tell(app)
        message = app.desk.messages.message
        if message is not None:
            click.echo(message.text, err=True)
        if options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            if not app.window.grab().save(str(options.out)):
                raise UserError(f"The picture cannot be saved as {options.out}; choose another place.")
            click.echo(f"\nPicture of the window: {options.out}")
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
