"""Wires states, views and commands into the running app: the only place that does. Holds no logic of its own."""

import argparse
import gc
import getpass
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from desktop import errors, theme
from desktop.actions import Actions
from desktop.desk import Desk
from desktop.views.window import MainWindow

YOUNG, RARELY = (700, 10), 200
"""Python's own limits for young garbage, and twenty times its own for old: a look through all that an import of
thousands of cases keeps stops every thread for 100 ms and more."""


@dataclass(frozen=True)
class App:
    """A desk with its window and commands."""

    desk: Desk
    window: MainWindow
    actions: Actions

    def close(self) -> None:
        self.window.close()
        self.desk.close()


def build(workspace: Path | None = None, who: str = "") -> App:
    """Everything wired, nothing shown or started yet; needs a QApplication."""
    desk = Desk(workspace, who)
    desk.restore()
    follow_theme(desk)
    window = MainWindow(desk)
    actions = Actions(desk, window)
    desk.settings.changed.connect(partial(follow_theme, desk, actions))
    return App(desk, window, actions)


def follow_theme(desk: Desk, actions: Actions | None = None) -> None:
    """Give the app the theme of the settings; what shows colours of its own is told to show them anew."""
    qt, wanted = QApplication.instance(), desk.settings.now.theme
    if wanted == theme.current.name or not isinstance(qt, QApplication):
        return
    theme.apply(qt, wanted)
    if actions is not None:
        actions.show_icons()
    for changed in (desk.messages.changed, desk.search.changed, desk.search.selected_case.changed, desk.report.changed,
                    desk.report.page_changed, desk.report.draft_changed):  # fmt: skip
        changed.emit()


def make_application(arguments: Sequence[str] = ()) -> QApplication:
    """The QApplication in the theme of Kindred."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([sys.argv[0], *arguments])
    if app is not existing:
        gc.freeze()  # what was imported stays: looking through it for garbage again and again stops all threads
        gc.set_threshold(*YOUNG, RARELY)
    app.setApplicationName("kindred")
    app.setApplicationDisplayName("Kindred")
    app.setWindowIcon(QIcon(theme.icon("similar")))
    theme.apply(app)
    return app


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="kindred", description="Opens the Kindred desktop app. Not for diagnostic use.")
    made.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="DICOM file, folder or zip to open")
    made.add_argument("--archive", type=Path, metavar="DIR", help="archive to search in")
    made.add_argument("--bundle", type=Path, metavar="DIR", help="bundle of models; default: the starter bundle")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the desktop app until its window is closed; returns the exit status."""
    options = parser().parse_args(list(arguments))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    qt = make_application()
    app = build(who=getpass.getuser())
    errors.install(app.desk.messages.show)
    app.window.show()
    app.desk.begin(options.paths, options.archive, options.bundle)
    status = qt.exec()
    app.desk.close()
    return status
