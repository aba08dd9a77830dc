"""A radiologist's whole day in the real window with the shipped models, by keys and mouse, a kill included."""

import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.views.chooser import Chooser
from desktop.views.report.sign_dialog import SignDialog
from engine.bundle import Bundle
from engine.image.archived import is_archived
from tests.desktop.read_back import READ_BACK
from tests.desktop.reading import PRIOR, STUDY, Hands, archive_to_search, study_to_read
from tests.paths import ROOT

WRONG, RIGHT = "left middle lobe", "right middle lobe"
FINDING = "Nodule in the left upper lobe"
ADDED = " on either side."
LATE = " Control in six months."
ADDENDUM = "Discussed with the referring physician."
NAME = "Ada Byron"


def test_one_window_serves_a_whole_day(
    qtbot: QtBot, launch: Callable[..., App], starter_bundle: Bundle, chosen: dict[str, Any], tmp_path: Path
) -> None:
    chosen["Open archive folder"] = archive_to_search(tmp_path / "archive", starter_bundle)
    chosen["Open folder with DICOM files"] = studies = study_to_read(tmp_path / "studies")
    until = partial(qtbot.waitUntil, timeout=60_000)
    app = launch()
    hands = Hands(app, until)
    hands.press("Ctrl+Shift+A", "Ctrl+Shift+O")
    assert [study.uid for study in app.desk.studies.studies] == [STUDY, PRIOR]
    search(hands, app)
    compare(hands, app)
    write(hands, app)
    decide(hands, app)
    before = app.desk.report.page
    app.close()
    is_killed(tmp_path / "workspace", studies)

    app = launch([studies])
    hands = Hands(app, until)
    after = app.desk.report.page
    assert before is not None
    assert after is not None
    assert after.text.startswith(before.text + LATE)
    assert after.document.marks == before.document.marks
    assert after.document.links[:-1] == before.document.links[:-1]  # what was typed last is in the impression
    assert [one.kind for one in app.desk.measurements.of_study()] == ["length", "ellipse"]
    hands.press("Ctrl+R", "Ctrl+End", *["Backspace"] * (len(after.text) - len(before.text)))
    check(hands, app)
    sign(hands, app)
    export(hands, app, chosen, tmp_path)
    reopen(hands, app)


def search(hands: Hands, app: App) -> None:
    """By the image, by words, by a region of it, by a case, and with feedback."""
    state, panel = app.desk.search, app.window.search_panel
    hands.press("Ctrl+E")
    assert {hit.case_id for hit in state.hits[:3]} == {1, 2, 3}
    assert state.strengths[0].word == "Strong"
    hands.click(panel.with_image)
    hands.press("Ctrl+F")
    hands.type("fracture of the femur")
    hands.press("Return")
    assert state.answered is not None
    assert (state.answered.text, state.answered.frame) == ("fracture of the femur", "")
    assert "fracture" in state.hits[0].text.lower()
    hands.press("F6", "Shift+S")
    hands.drag(app.window.viewport, (-150, -200), (150, 100))
    assert state.answered.roi is not None
    hands.press("W", "Ctrl+E")
    first = state.hits[0].case_id
    hands.press("Ctrl+G")
    assert state.answered.frame == f"case {first}"
    hands.press("Alt+Left")
    assert state.answered.frame.startswith("CT")
    hands.press("Ctrl+F", "Down", "Ctrl+L")
    liked = state.selected
    hands.press("Down", "Down", "Down", "Ctrl+U")
    assert liked is not None
    assert state.feedback.liked == (liked.case_id,)
    assert len(state.feedback.unliked) == 1
    assert "elevan" in panel.refinement.moved.text()


def compare(hands: Hands, app: App) -> None:
    """A hit beside the image, then the prior."""
    hands.press("Ctrl+E", "Shift+E")
    left, right = app.desk.layout.viewports
    assert left.study is not None
    assert left.study.uid == STUDY
    assert is_archived(right.series)
    hands.press("F6", "Esc", "Shift+V")
    left, right = app.desk.layout.viewports
    assert right.study is not None
    assert right.study.uid == PRIOR
    hands.press("Alt+1")


def write(hands: Hands, app: App) -> None:
    """The template with a measurement in it, and a mistake."""
    hands.press("Ctrl+R", "Tab", "Tab", "Tab", "Tab")  # begins with the template; then to the field of the lungs
    hands.type(f"{FINDING}, ")
    hands.press("F6", "D")
    hands.drag(app.window.viewport, (-80, 0), (80, 0))
    hands.press("W", "F9", "Ctrl+R")
    hands.type(f". The {WRONG} is clear.")
    for text in ("Normal.", "Normal.", "Normal.", "", "", f"{FINDING}."):
        hands.press("Tab")
        hands.type(text)
    page = app.desk.report.page
    assert page is not None
    assert f"Lungs: {FINDING}, length " in page.text
    assert f" mm, image 1/5. The {WRONG} is clear.\n" in page.text
    assert "Comparison: 2025-02-11" in page.text


def decide(hands: Hands, app: App) -> None:
    """Of three proposals the first is accepted, the second edited, the third dismissed."""
    report = app.desk.report
    hands.press("Ctrl+D")
    effusion, _, fracture = (row.proposal.sentence.text for row in report.rows)
    hands.press("Ctrl+J", "Return", "E", "Right", "Backspace")
    hands.type(ADDED)
    hands.press("Ctrl+J", "D")
    assert report.page is not None
    assert effusion in report.page.text
    assert f"pneumothorax{ADDED}" in report.page.text
    assert fracture not in report.page.text
    assert [row.status for row in report.rows] == ["unchanged", "edited"]
    assert report.can_sign


def is_killed(workspace: Path, studies: Path) -> None:
    """Another process goes on with the report and is killed while typing."""
    command = [sys.executable, "-m", "tests.desktop.typing_until_killed", str(workspace), str(studies), LATE]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None
    assert child.stdout.read(1) == b"."
    child.send_signal(signal.SIGKILL)
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL


def check(hands: Hands, app: App) -> None:
    """The mistake is told, gone to, and mended."""
    panel = app.window.report_panel
    hands.until(lambda: [one.message for one in app.desk.checking.listed] == ["The left lung has no middle lobe."])
    hands.press("F8", "Return")
    assert panel.editor.textCursor().selectedText() == WRONG
    hands.type(RIGHT)
    hands.wait()
    hands.until(panel.checks.isHidden)


def sign(hands: Hands, app: App) -> None:
    """With a name; the report goes into the archive."""
    cases = app.desk.archive.stats["cases"]
    hands.press("F6", "K", "Ctrl+Return")
    assert isinstance(QApplication.activeWindow(), SignDialog)
    hands.type(NAME)
    hands.press("Return")
    page = app.desk.report.page
    assert page is not None
    assert page.signed
    assert page.destination.startswith(f"Signed, {NAME}")
    assert app.desk.archive.stats["cases"] == cases + 1


def export(hands: Hands, app: App, chosen: dict[str, Any], folder: Path) -> None:
    """In every format, each read back."""
    for choice in app.desk.export.choices():
        path = folder / f"{choice.name.replace(' ', '-')}{choice.suffix}"
        chosen["Export report"] = (str(path), choice.filter)
        hands.press("Ctrl+Alt+R")
        found = " ".join(READ_BACK[choice.name](path).split())
        expected = app.desk.viewport.picture.ref.image.sop_uid if choice.name == "ko" else ADDED.strip()  # type: ignore[union-attr]
        assert expected in found, choice.name


def reopen(hands: Hands, app: App) -> None:
    """The signed report is there again, and gets an addendum."""
    hands.press("Ctrl+Shift+W", "Ctrl+Shift+R")
    assert isinstance(QApplication.activeWindow(), Chooser)
    hands.press("Return")
    page = app.desk.report.page
    assert page is not None
    assert page.signed
    assert RIGHT in page.text
    hands.press("Ctrl+Shift+Return")
    hands.type(ADDENDUM)
    hands.press("Ctrl+Return")
    hands.type(NAME)
    hands.press("Return")
    assert ADDENDUM in app.window.report_panel.editor.toPlainText()
