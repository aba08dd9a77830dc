"""A stack of slices in MPR, and its commands."""

from collections.abc import Sequence
from pathlib import Path

from pytestqt.qtbot import QtBot

from desktop.app import App
from tests.desktop.conftest import open_paths, settle
from tests.engine.dicom_samples import derive_stack


def open_mpr(qtbot: QtBot, app: App, folder: Path, positions: Sequence[float], at: int) -> App:
    """The app with a stack of slices at these positions in mm, shown in MPR from one of them on."""
    derive_stack(folder, list(positions), FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, folder)
    app.desk.viewport.go_to(at)
    run(qtbot, app, "mpr")
    assert app.desk.mpr.shown
    return app


def run(qtbot: QtBot, app: App, *names: str) -> None:
    """Run commands one after the other, each as soon as it can be, and wait for it."""
    for name in names:
        qtbot.waitUntil(app.actions.actions[name].isEnabled)
        app.actions.actions[name].trigger()
        settle(qtbot, app)
