"""Takes the screenshots of docs/screens from the real app, one per screen and state. Uses no test doubles.

    python -m desktop.screens [--out docs/screens] [--archive DIR] [--only NAME ...]

Each screenshot follows the commands that a user would give, on real studies and the sample archive. Those at 200 %
scaling are taken in a second process. On a machine without a display, set QT_QPA_PLATFORM=offscreen.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid
from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from desktop import demo, errors
from desktop.app import App, build, make_application
from desktop.state.first_steps import sample
from desktop.state.studies.studies import identify
from desktop.views.similar.case_view import CaseWindow
from desktop.views.upkeep.server_dialog import EXAMPLE, ServerDialog
from desktop.views.viewer.measurement_list import MeasurementList
from desktop.views.viewer.tag_browser import TagBrowser
from engine.errors import UserError
from engine.retrieval.hit import Hit

SIZE = (1440, 900)
LOOP = "color3d_jpeg_baseline.dcm"
MORE = ("examples_ybr_color.dcm", "examples_overlay.dcm", "OBXXXX1A.dcm")
"""Files of pydicom-data in addition to those of the demo."""
Screen = QWidget | None
"""What to take a screenshot of; None is the main window."""


def run(app: App, *names: str) -> None:
    """Run commands by name, one after the other, and wait for each."""
    for name in names:
        app.actions.actions[name].trigger()
        settle(app)


def real_file(name: str) -> Path:
    """A file of pydicom-data."""
    return Path(str(get_testdata_file(name, download=False)))


def settle(app: App) -> None:
    """Wait until no background work is left."""
    desk = app.desk
    demo.wait(desk.background.idle, [desk.background.ended], "Background work", 120)
    QCoreApplication.processEvents()  # actions are refreshed in the next turn of the event loop


def drag(app: App, tool: str, start: QPoint, end: QPoint) -> None:
    """Drag with a tool between two places of the active viewport, and take the window tool again."""
    run(app, tool)
    view = app.window.viewport
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    settle(app)
    run(app, "tool_window")


def select_hit(app: App, wanted: Callable[[Hit], bool]) -> None:
    """Select the first hit that is wanted, if there is one."""
    search = app.desk.search
    search.select(next(filter(wanted, search.hits), search.selected))
    settle(app)


def full(app: App) -> None:
    """One viewport, reset."""
    run(app, "grid_1x1")
    app.desk.viewport.reset()


def fill(app: App) -> None:
    """Show an open series in each viewport and activate the first."""
    series = [identify(study, one) for study in app.desk.studies.studies for one in study.series]
    for viewport, series_id in zip(app.desk.layout.viewports, series):
        app.desk.show_series_in(viewport, series_id)
        settle(app)
    app.desk.layout.activate(app.desk.layout.viewports[0])
    settle(app)


def compare(app: App) -> None:
    """Four series side by side with reference lines."""
    run(app, "grid_2x2")
    fill(app)


def dark_compare(app: App) -> None:
    """The same, back in the dark theme."""
    run(app, "light_theme")
    compare(app)


def measure(app: App) -> None:
    """A length and an ellipse, drawn with the mouse."""
    full(app)
    center = app.window.viewport.rect().center()
    for tool, start, end in (("tool_length", (-190, -60), (40, 90)), ("tool_ellipse", (60, -120), (210, 10))):
        drag(app, tool, center + QPoint(*start), center + QPoint(*end))


def measurements(app: App) -> Screen:
    """The list of measurements."""
    run(app, "list_measurements")
    return app.window.findChild(MeasurementList)


def damaged(app: App) -> None:
    """A truncated file and a text file among the real ones: they are rejected without a dialog."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "notes.txt").write_text("no image")
        whole = sample.sample_studies()[0].read_bytes()
        (Path(folder) / "truncated.dcm").write_bytes(whole[:1000])
        app.desk.studies.open([Path(folder)])
        settle(app)


def rejected(app: App) -> Screen:
    """The list of rejected files."""
    run(app, "show_rejected")
    return app.window.dialogs.rejected


def chooser(*names: str) -> Callable[[App], Screen]:
    """The chooser that the last of these commands opens."""

    def show(app: App) -> Screen:
        run(app, *names)
        return app.window.chooser

    return show


def archive_window(app: App) -> Screen:
    """What the archive holds."""
    run(app, "archive_screen")
    return app.window.dialogs.archive


def server_dialog(app: App) -> Screen:
    """The question for the address of an archive on a server."""
    run(app, "open_server")
    dialog: ServerDialog | None = app.window.findChild(ServerDialog)
    if dialog is not None:
        dialog.address.setText(EXAMPLE)
    return dialog


def model_window(app: App) -> Screen:
    """The figures of the models, and the picture of the space."""
    run(app, "model_screen")
    window = app.window.dialogs.model
    if window is not None:
        window.pages.setCurrentIndex(1)
    return window


def case(app: App) -> Screen:
    """The selected case in its window."""
    run(app, "open_selected_case")
    return app.window.findChild(CaseWindow)


def comparison(app: App) -> None:
    """The first hit with an image beside the current image, its report below."""
    select_hit(app, lambda hit: hit.kind == "image")
    run(app, "grid_1x1", "compare_hit")


def hit_map(app: App) -> None:
    """The hits as a map around the query."""
    run(app, "compare_hit", "hit_map")  # closes the comparison


def hit_grid(app: App) -> None:
    """The hits as a grid of pictures."""
    run(app, "hit_grid")  # instead of the map


def tags(app: App) -> Screen:
    """The list of DICOM tags."""
    run(app, "hit_grid", "dicom_tags")  # the list of hits again
    return app.window.findChild(TagBrowser)


def detached(app: App) -> Screen:
    """The detached viewer."""
    run(app, "detach_viewer")
    return app.window.detached_viewer


def filled_grid(app: App) -> None:
    """Nine real series in the largest layout."""
    run(app, "detach_viewer", "grid_3x3")
    app.desk.messages.dismiss()
    app.desk.studies.open([real_file(name) for name in MORE])
    settle(app)
    fill(app)


def grid(app: App) -> Screen:
    """The viewports alone, without the rest of the window."""
    return app.window.viewport.parentWidget()


def slab(folder: Path) -> list[Path]:
    """The ten slices of a real MR file without positions, as a derived stack with positions and 1 mm pixel spacing."""
    source = dcmread(real_file(sample.STUDIES[-1]))
    slices, study, series = source.pixel_array, generate_uid(), generate_uid()
    files = []
    for number, stored in enumerate(slices):
        source.SOPInstanceUID = source.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        source.StudyInstanceUID, source.SeriesInstanceUID = study, series
        source.StudyDescription, source.SeriesDescription = "Derived for this screenshot", "Head, positions derived"
        source.InstanceNumber, source.NumberOfFrames = number + 1, 1
        source.PixelSpacing, source.ImageOrientationPatient = [1, 1], [1, 0, 0, 0, 1, 0]
        source.ImagePositionPatient = [0, 0, float(source.SpacingBetweenSlices) * number]
        source.PixelData = stored.tobytes()
        files.append(folder / f"{number}.dcm")
        source.save_as(files[-1])
    return files


def mpr(app: App) -> Screen:
    """MPR: the three planes of a stack beside the stack."""
    run(app, "grid_1x1")
    with tempfile.TemporaryDirectory() as folder:
        files = slab(Path(folder))
        app.desk.studies.open(files)
        settle(app)
        demo.show_series_of(app, files[0])
        settle(app)
        run(app, "mpr")
    return grid(app)


def damaged_loop(app: App) -> Screen:
    """A truncated cine loop, at a frame that is missing."""
    run(app, "mpr", "grid_1x1")  # leaves MPR
    with tempfile.TemporaryDirectory() as folder:
        cut = Path(folder) / "loop.dcm"
        whole = real_file(LOOP).read_bytes()
        cut.write_bytes(whole[: len(whole) // 2])
        app.desk.studies.open([cut])
        settle(app)
        demo.show_series_of(app, cut)
        settle(app)
        app.desk.viewport.go_to(app.desk.viewport.count - 1)
        settle(app)
    return grid(app)


STATES: dict[str, Callable[[App], object]] = {
    "full": full,
    "light": lambda app: run(app, "light_theme"),
    "compare": dark_compare,
    "measure": measure,
    "measurements": measurements,
    "hidden-patient-data": lambda app: run(app, "hide_patient_data"),
    "palette": lambda app: chooser("hide_patient_data", "command_palette")(app),
    "shortcuts": chooser("keyboard_shortcuts"),
    "archive": archive_window,
    "server": server_dialog,
    "model": model_window,
    "selected-case": case,
    "hit-comparison": comparison,
    "hit-map": hit_map,
    "hit-grid": hit_grid,
    "tags": tags,
    "problem": damaged,
    "rejected": rejected,
    "detached": detached,
    "grid": filled_grid,
    "mpr": mpr,
    "failed": damaged_loop,
}
"""In order; each starts from the window as the previous one left it. Keys are the file names."""
BEFORE = ("empty", "loading")
LARGE = ("full", "palette")
"""Also taken at 200 % scaling."""


def save(widget: QWidget, path: Path) -> None:
    """Save a screenshot of a widget.

    Raises:
        UserError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    QTest.qWait(50)  # a dialog is painted in the next turn of the event loop
    if not widget.grab().toImage().save(str(path), quality=78):
        raise UserError(f"Cannot save the screenshot as {path}; choose another folder.")
    click.echo(path.name)


def take(app: App, archive: Path, folder: Path, only: Sequence[str], suffix: str) -> None:
    """Take the screenshots whose names are in `only`."""
    if "empty" in only:
        save(app.window, folder / f"empty{suffix}.jpg")
    if "loading" in only:
        app.desk.report.open_workspace()
        app.desk.studies.open(sample.sample_studies())
        demo.wait(lambda: bool(app.desk.studies.studies), [app.desk.studies.changed], "Opening", 60)
        save(app.window, folder / f"loading{suffix}.jpg")
        settle(app)
    demo.drive(app, sample.sample_studies(), archive, None)
    for name, prepare in STATES.items():
        screen = prepare(app)
        settle(app)
        shown = screen if isinstance(screen, QWidget) else app.window
        if name in only:
            save(shown, folder / f"{name}{suffix}.jpg")
        if shown.isWindow() and shown is not app.window and shown is not app.window.detached_viewer:
            shown.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the screenshots; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m desktop.screens", description="Take the screenshots of docs/screens."
    )
    parser.add_argument("--out", type=Path, default=Path("docs/screens"))
    parser.add_argument("--archive", type=Path, help="archive folder; default: the sample archive")
    parser.add_argument("--only", nargs="+", choices=[*BEFORE, *STATES], default=[*BEFORE, *STATES])
    parser.add_argument("--suffix", default="", help="appended to each file name")
    options = parser.parse_args(arguments)
    make_application()
    with tempfile.TemporaryDirectory() as workspace:
        app = build(Path(workspace))
        errors.install(app.desk.messages.show)
        app.window.resize(*SIZE)
        app.window.show()
        try:
            take(app, options.archive or sample.sample_folder(), options.out, options.only, options.suffix)
        except UserError as error:
            click.echo(str(error), err=True)
            return 2
        finally:
            app.close()
    if not options.suffix and set(LARGE) & set(options.only):
        again = ["--out", str(options.out), "--only", *(n for n in LARGE if n in options.only), "--suffix", "-200"]
        archive = ["--archive", str(options.archive)] if options.archive else []
        command = [sys.executable, "-m", "desktop.screens", *again, *archive]
        return subprocess.run(command, env={**os.environ, "QT_SCALE_FACTOR": "2"}).returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
