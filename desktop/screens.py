"""Takes the pictures of docs/screens from the real app: every screen and state. Knows no doubles.

    python -m desktop.screens [--out docs/screens] [--archive DIR] [--only NAME ...]

Each picture is what the window shows after the commands that a user would give, on real studies and the sample archive.
The large ones run in a process of their own, at 200 %. On a machine without a display set QT_QPA_PLATFORM=offscreen.
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
from desktop.state.studies.studies import identify
from desktop.views.similar.case_view import CaseWindow
from desktop.views.viewer.measurement_list import MeasurementList
from desktop.views.viewer.tag_browser import TagBrowser
from engine.errors import UserError

SIZE = (1440, 900)
LOOP = "color3d_jpeg_baseline.dcm"
MORE = ("examples_ybr_color.dcm", "examples_overlay.dcm", "OBXXXX1A.dcm")
"""Real files of pydicom-data beside those of the demo."""
Shown = QWidget | None


def run(app: App, *names: str) -> None:
    """Give commands by name, one after the other, each until its work is done."""
    for name in names:
        app.actions.actions[name].trigger()
        settle(app)


def real_file(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def settle(app: App) -> None:
    desk = app.desk
    demo.wait(desk.background.idle, [desk.background.ended], "Background work", 120)
    QCoreApplication.processEvents()  # commands look at the states in the next turn of the event loop


def full(app: App) -> None:
    run(app, "grid_1x1")
    app.desk.viewport.reset()


def fill(app: App) -> None:
    """A series of what is open in each viewport; the first one stays in use."""
    series = [identify(study, one) for study in app.desk.studies.studies for one in study.series]
    for viewport, series_id in zip(app.desk.layout.viewports, series):
        app.desk.show_series_in(viewport, series_id)
        settle(app)
    app.desk.layout.activate(app.desk.layout.viewports[0])
    settle(app)


def compare(app: App) -> None:
    """Four series beside each other, with lines where they cut each other."""
    run(app, "grid_2x2")
    fill(app)


def dark_compare(app: App) -> None:
    run(app, "light_theme")
    compare(app)


def measure(app: App) -> None:
    """A length and an ellipse, drawn with the mouse."""
    full(app)
    view = app.window.viewport
    middle = view.rect().center()
    for tool, start, end in (("tool_length", (-190, -60), (40, 90)), ("tool_ellipse", (60, -120), (210, 10))):
        app.actions.actions[tool].trigger()
        QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=middle + QPoint(*start))
        QTest.mouseMove(view, middle + QPoint(*end))
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=middle + QPoint(*end))
    run(app, "tool_window")


def measurements(app: App) -> Shown:
    run(app, "list_measures")
    return app.window.findChild(MeasurementList)


def damaged(app: App) -> None:
    """A truncated file and one that is none beside the real ones: a quiet line, and the list when it is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "notes.txt").write_text("no image")
        whole = demo.sample_studies()[0].read_bytes()
        (Path(folder) / "truncated.dcm").write_bytes(whole[:1000])
        app.desk.studies.open([Path(folder)])
        settle(app)


def left_out(app: App) -> Shown:
    run(app, "show_rejected")
    return app.window.dialogs.rejected


def chooser(*names: str) -> Callable[[App], Shown]:
    def show(app: App) -> Shown:
        run(app, *names)
        return app.window.chooser

    return show


def case(app: App) -> Shown:
    run(app, "open_case")
    return app.window.findChild(CaseWindow)


def tags(app: App) -> Shown:
    run(app, "tags")
    return app.window.findChild(TagBrowser)


def detached(app: App) -> Shown:
    run(app, "detach")
    return app.window.detached_viewer


def filled_grid(app: App) -> None:
    """Nine real series, every cell of the largest grid."""
    run(app, "detach", "grid_3x3")
    app.desk.messages.dismiss()
    app.desk.studies.open([real_file(name) for name in MORE])
    settle(app)
    fill(app)


def grid(app: App) -> Shown:
    """The viewports alone, where the rest of the window is as in the other pictures."""
    return app.window.viewport.parentWidget()


def slab(folder: Path) -> list[Path]:
    """The ten slices of a real MR, which does not say where they lie, as a stack that does: derived, 1 mm a pixel."""
    source = dcmread(real_file(demo.STUDIES[-1]))
    slices, study, series = source.pixel_array, generate_uid(), generate_uid()
    made = []
    for number, stored in enumerate(slices):
        source.SOPInstanceUID = source.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        source.StudyInstanceUID, source.SeriesInstanceUID = study, series
        source.StudyDescription, source.SeriesDescription = "Derived for this picture", "Head, places derived"
        source.InstanceNumber, source.NumberOfFrames = number + 1, 1
        source.PixelSpacing, source.ImageOrientationPatient = [1, 1], [1, 0, 0, 0, 1, 0]
        source.ImagePositionPatient = [0, 0, float(source.SpacingBetweenSlices) * number]
        source.PixelData = stored.tobytes()
        made.append(folder / f"{number}.dcm")
        source.save_as(made[-1])
    return made


def planes(app: App) -> Shown:
    """The three planes of a stack and the stack itself."""
    run(app, "grid_1x1")
    with tempfile.TemporaryDirectory() as folder:
        files = slab(Path(folder))
        app.desk.studies.open(files)
        settle(app)
        demo.choose(app, files[0])
        settle(app)
        run(app, "planes")
    return grid(app)


def damaged_loop(app: App) -> Shown:
    """A cine loop that was cut short, at a frame that is not there any more."""
    run(app, "planes", "grid_1x1")  # the planes are left
    with tempfile.TemporaryDirectory() as folder:
        cut = Path(folder) / "loop.dcm"
        whole = real_file(LOOP).read_bytes()
        cut.write_bytes(whole[: len(whole) // 2])
        app.desk.studies.open([cut])
        settle(app)
        demo.choose(app, cut)
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
    "no-identity": lambda app: run(app, "identity"),
    "palette": lambda app: chooser("identity", "palette")(app),
    "shortcuts": chooser("shortcuts"),
    "case": case,
    "elements": tags,
    "problem": damaged,
    "left-out": left_out,
    "detached": detached,
    "grid": filled_grid,
    "planes": planes,
    "failed": damaged_loop,
}
"""In this order, each from where the one before left the window; a widget that is given back is shown instead of it."""
BEFORE = ("empty", "loading")
LARGE = ("full", "palette")
"""Also at 200 %."""


def keep(shown: QWidget, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    QTest.qWait(50)  # a dialog is painted in the next turn of the event loop
    if not shown.grab().toImage().save(str(path), quality=78):
        raise UserError(f"The picture cannot be saved as {path}; choose another place.")
    click.echo(path.name)


def take(app: App, archive: Path, folder: Path, only: Sequence[str], suffix: str) -> None:
    """Every state that is wanted, in order."""
    if "empty" in only:
        keep(app.window, folder / f"empty{suffix}.jpg")
    if "loading" in only:
        app.desk.report.open_workspace()
        app.desk.studies.open(demo.sample_studies())
        demo.wait(lambda: bool(app.desk.studies.studies), [app.desk.studies.changed], "Opening", 60)
        keep(app.window, folder / f"loading{suffix}.jpg")
        settle(app)
    demo.drive(app, demo.sample_studies(), archive, None)
    for name, prepare in STATES.items():
        given = prepare(app)
        settle(app)
        shown = given if isinstance(given, QWidget) else app.window
        if name in only:
            keep(shown, folder / f"{name}{suffix}.jpg")
        if shown.isWindow() and shown is not app.window and shown is not app.window.detached_viewer:
            shown.close()


def main(arguments: Sequence[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog="python -m desktop.screens", description="Takes the pictures of docs/screens.")
    made.add_argument("--out", type=Path, default=Path("docs/screens"))
    made.add_argument("--archive", type=Path, help="archive folder; default: the sample archive")
    made.add_argument("--only", nargs="+", choices=[*BEFORE, *STATES], default=[*BEFORE, *STATES])
    made.add_argument("--suffix", default="", help="put after each name")
    options = made.parse_args(arguments)
    make_application()
    with tempfile.TemporaryDirectory() as workspace:
        app = build(Path(workspace))
        errors.install(app.desk.messages.show)
        app.window.resize(*SIZE)
        app.window.show()
        try:
            take(app, options.archive or demo.sample_folder(), options.out, options.only, options.suffix)
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
