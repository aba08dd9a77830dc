"""Films a walk through the real app, from an open study to a signed report: docs/walk.webp. Uses no test doubles.

    python -m desktop.walk [--out docs/walk.webp] [--stills docs/screens] [--archive DIR]

Each step does what a user would do, on a real radiograph and the sample archive, and is told below the window with its
key. The sample archive must be there: `./do run` imports it. On a machine without a display, run it under xvfb.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from PIL import Image
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from desktop import demo, errors, theme
from desktop.app import App, build, make_application
from desktop.screens import comparison, drag, hit_map, run, select_hit, settle
from desktop.state.first_steps import sample
from desktop.views.report.sign_dialog import SignDialog
from engine.errors import UserError

SIZE = (1280, 760)
STRIP = 44
"""Height of the line below the window, in pixels."""
QUALITY = 70
AUTHOR = "Example"


@dataclass(frozen=True)
class Step:
    """One picture of the walk."""

    told: str
    do: Callable[[App], QWidget | None]
    """Returns a dialog that is shown over the window."""
    seconds: float = 4.0
    still: str = ""
    """Name of the file in docs/screens that shows it too."""


def _drag(app: App, tool: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag between two places of the viewport, as shares of its width and height."""
    view = app.window.viewport
    one, other = (QPoint(int(x * view.width()), int(y * view.height())) for x, y in (start, end))
    drag(app, tool, one, other)


def _ask(app: App, words: str) -> None:
    panel = app.window.search_panel
    panel.text.setFocus()
    panel.text.clear()
    QTest.keyClicks(panel.text, words)
    QTest.keyClick(panel.text, Qt.Key.Key_Return)
    settle(app)


def _region(app: App) -> None:
    run(app, "hit_map")
    _drag(app, "tool_search_roi", (0.55, 0.5), (0.85, 0.8))


def _template(app: App) -> None:
    run(app, "edit_report")
    QTest.keyClick(app.window.report_panel.editor, Qt.Key.Key_Tab)
    settle(app)


def _type(app: App, *fields: str) -> None:
    """Go from field to field and fill each."""
    editor = app.window.report_panel.editor
    editor.setFocus()
    for words in fields:
        QTest.keyClick(editor, Qt.Key.Key_Tab)
        QTest.keyClicks(editor, words)
    settle(app)


def _measured(app: App) -> None:
    _drag(app, "tool_length", (0.33, 0.56), (0.43, 0.6))
    run(app, "insert_into_report")


def _taken(app: App) -> None:
    select_hit(app, lambda hit: "nodul" in hit.text)
    run(app, "insert_case_text")


def _sign(app: App) -> QWidget | None:
    app.window.report_panel.ask_to_sign()
    settle(app)
    dialog = app.window.findChild(SignDialog)
    if dialog is not None:
        dialog.name.setText(AUTHOR)
    return dialog


def _signed(app: App) -> None:
    dialog = app.window.findChild(SignDialog)
    if dialog is not None:
        dialog.sign.click()
    settle(app)


def _steps() -> list[Step]:
    return [
        Step("A study is open: drop a folder on the window, or Ctrl+O", lambda app: run(app, "reset_view")),
        Step("Find similar cases: Ctrl+E", lambda app: run(app, "find_similar"), 5),
        Step(
            "Say what else counts, and move the share of the words", partial(_ask, words="multiple nodules"), 5, "words"
        ),
        Step("This one is relevant: Ctrl+L moves the query", lambda app: run(app, "mark_relevant")),
        Step("Compare a case with the image: Shift+E", comparison, 5),
        Step("The hits as a map around the query: Ctrl+Shift+S", hit_map),
        Step("Search by a region: Shift+S, then drag", _region, 5),
        Step("A draft, if the archive has grounds for one: Ctrl+D", lambda app: run(app, "draft_report")),
        Step("Begin with a template: Tab", _template, still="template"),
        Step("Write; Tab goes from field to field", lambda app: _type(app, "", "", "Round opacities in both lungs, ")),
        Step("Measure, and put the length into the text: D, then F9", _measured),
        Step(
            "The other fields",
            lambda app: _type(app, "No effusion.", "Normal in size.", "", "", "Multiple pulmonary nodules. "),
        ),
        Step("Take over words of a similar case, marked until they are edited: Ctrl+Shift+V", _taken, 5),
        Step("Checks before signing: F8 goes from one to the next", lambda app: run(app, "review_checks"), 5, "checks"),
        Step("Sign with your name: Ctrl+Return", _sign, still="sign"),
        Step("Signed. It goes out as PDF, DICOM SR, FHIR or HL7: Ctrl+Alt+R", _signed, 5),
    ]


def picture(app: App, told: str, dialog: QWidget | None) -> Image.Image:
    """The window with a dialog over it, and what is told below."""
    QTest.qWait(50)  # painted in the next turn of the event loop
    window = app.window.grab()
    if dialog is not None:
        over = QPainter(window)
        over.fillRect(window.rect(), QColor(0, 0, 0, 120))
        shown: QPixmap = dialog.grab()
        over.drawPixmap((window.width() - shown.width()) // 2, (window.height() - shown.height()) // 2, shown)
        over.end()
    image = QImage(window.width(), window.height() + STRIP, QImage.Format.Format_RGB888)
    image.fill(QColor(theme.current.window))
    painter = QPainter(image)
    painter.drawPixmap(0, 0, window)
    font = painter.font()
    font.setPixelSize(20)
    painter.setFont(font)
    painter.setPen(QColor(theme.current.text))
    painter.drawText(QRect(16, window.height(), window.width() - 32, STRIP), Qt.AlignmentFlag.AlignVCenter, told)
    painter.end()
    return Image.frombytes(
        "RGB", (image.width(), image.height()), bytes(image.constBits()), "raw", "RGB", image.bytesPerLine()
    )


def film(app: App, archive: Path, out: Path, stills: Path) -> None:
    """Take every step and write the film, and single pictures without what is told below them."""
    demo.begin(app, sample.sample_studies()[:1], archive, None)
    steps, pictures = _steps(), []
    for step in steps:
        dialog = step.do(app)
        settle(app)
        pictures.append(picture(app, step.told, dialog))
        if step.still:
            whole = pictures[-1]
            whole.crop((0, 0, whole.width, whole.height - STRIP)).save(stills / f"{step.still}.jpg", quality=80)
        click.echo(step.told)
    first, *rest = pictures
    durations = [round(1000 * step.seconds) for step in steps]
    first.save(out, save_all=True, append_images=rest, duration=durations, loop=0, quality=QUALITY, method=6)


def main(arguments: Sequence[str] | None = None) -> int:
    """Film the walk; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m desktop.walk", description="Film a walk through the app.")
    parser.add_argument("--out", type=Path, default=Path("docs/walk.webp"))
    parser.add_argument("--stills", type=Path, default=Path("docs/screens"))
    parser.add_argument("--archive", type=Path, help="archive folder; default: the sample archive")
    options = parser.parse_args(arguments)
    make_application()
    with tempfile.TemporaryDirectory() as folder:
        app = build(Path(folder) / "workspace")
        errors.install(app.desk.messages.show)
        app.window.resize(*SIZE)
        app.window.show()
        app.window.activateWindow()
        try:
            archive = Path(folder) / "archive"
            shutil.copytree(options.archive or sample.sample_folder(), archive)  # the walk signs into it
            film(app, archive, options.out, options.stills)
        except UserError as error:
            click.echo(str(error), err=True)
            return 2
        finally:
            app.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
