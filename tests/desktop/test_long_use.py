"""Long use: opening, showing, searching and closing again leaks no objects."""

import gc
import shutil
from collections import Counter
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

from desktop.actions import COMMANDS
from desktop.app import App
from engine.bundle import Bundle
from tests.desktop.conftest import settle
from tests.desktop.test_every_command import asked, cases, everything, show_stack, stack, windows

__all__ = ["asked", "cases", "stack"]
COUNTED = ("desktop", "engine", "PySide6.QtWidgets")
OF_THE_REPORT = ("engine.reports.document.", "engine.reports.draft.", "engine.reports.links.")
"""Plain values that a report keeps: each use drafts and inserts once more, and each version can be undone."""


def alive() -> Counter[str]:
    """Number of live objects of each class of the app, and of Qt's widgets."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    kinds = Counter(map(type, gc.get_objects())).items()
    names = {f"{kind.__module__}.{kind.__qualname__}": count for kind, count in kinds}
    counted = (name for name in names if name.startswith(COUNTED) and not name.startswith(OF_THE_REPORT))
    return Counter({name: names[name] for name in counted})


def use(qtbot: QtBot, app: App, stack: Path, archive: Path, bundle: Bundle) -> None:
    """Run every command once with data to work on, then empty the report and close everything."""
    for command in COMMANDS:
        if not app.desk.studies.studies:
            everything(qtbot, app, stack, archive, bundle)
        show_stack(qtbot, app)
        if app.actions.actions[command.name].isEnabled():
            app.actions.actions[command.name].trigger()
        settle(qtbot, app)
        app.window.show()  # after Quit
        for window in windows(app):
            window.close()
    if app.desk.report.page is not None and not app.desk.report.page.closed:
        app.desk.report.edit("")  # else it would be longer, and have more to check, after each use
    app.desk.studies.close_all()
    if app.desk.space.visible:  # toggled once in each use
        app.desk.space.toggle()
    settle(qtbot, app)


def test_repeating_every_command_leaks_no_objects(
    qtbot: QtBot, app: App, stack: Path, cases: Path, starter_bundle: Bundle, asked: list[str], tmp_path: Path
) -> None:
    archive = shutil.copytree(cases, tmp_path / "archive")
    use(qtbot, app, stack, archive, starter_bundle)
    use(qtbot, app, stack, archive, starter_bundle)
    for _ in range(3):  # what a timer has yet to show is one more after one use; a leak is one more after each
        before = alive()
        use(qtbot, app, stack, archive, starter_bundle)
        grown = alive() - before
        if not grown:
            break
    assert grown == Counter()
