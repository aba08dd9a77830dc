"""Typed text is on the disk within two seconds, also when the process is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.report.report import ReportState
from desktop.state.report.report_store import SAVE_MS
from engine.reports.workspace import Workspace
from tests.desktop.conftest import dicom, settle

TYPIST = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from desktop.app import build, make_application
qt = make_application()
app = build(Path(sys.argv[1]))
app.desk.report.open_workspace()
app.desk.studies.open([Path(sys.argv[2])])
editor = app.window.report_panel.editor
def key():
    if app.desk.report.page is not None and app.desk.report.page.loaded:
        editor.insertPlainText("x")
        if app.desk.report.page.stored is not None:
            print(len(app.desk.report.page.stored.text), app.desk.report.page.study, flush=True)
keys = QTimer()
keys.timeout.connect(key)
keys.start(10)
qt.exec()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_what_was_typed_without_a_pause_survives_a_kill(tmp_path: Path) -> None:
    """The child types every 10 ms and never pauses; it is killed once it has written some of it."""
    command = [sys.executable, "-c", TYPIST, str(tmp_path), str(dicom("CT_small.dcm"))]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "KINDRED_HOME": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        written, study = child.stdout.readline().split()
        child.kill()
    assert child.returncode == -signal.SIGKILL
    with Workspace.open(tmp_path) as workspace:
        stored = workspace.load(study)
    assert stored is not None
    assert len(stored.text) >= int(written) > 0


def test_typing_is_written_soon_without_a_step_in_the_audit(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    assert SAVE_MS <= 1000
    state.edit("N")
    state.edit("Normal.")
    timer = state._store._typing
    assert timer.isActive()
    timer.timeout.emit()
    settle(qtbot, app)
    assert state.page is not None
    with Workspace.open(tmp_path / "workspace") as workspace:
        assert workspace.load(state.page.study).text == "Normal."  # type: ignore[union-attr]
        assert workspace.history(state.page.study) == ()
        state.save()
        settle(qtbot, app)
        assert [row.text for row in workspace.history(state.page.study)] == ["Normal."]


def test_nothing_is_written_over_a_report_that_was_not_read(qtbot: QtBot, app: App, state: ReportState) -> None:
    page = state.page
    assert page is not None
    page.loaded = False
    state.edit("Typed.")
    state._store.save_typed()
    assert not page.loaded  # it is read again first
    settle(qtbot, app)
    assert page.loaded
    assert page.text == "Typed."
