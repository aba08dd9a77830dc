"""Wires states, views and commands into the running app; the only module that does. Contains no other logic."""

import argparse
import gc
import getpass
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from desktop import errors, theme
from desktop.actions import Actions
from desktop.desk import Desk
from desktop.display import why_no_window
from desktop.views.window import MainWindow

GC_THRESHOLD = (700, 10, 200)
"""Python's defaults for the young generations, and twenty times the default for the oldest: collecting the objects that
an import of thousands of cases keeps alive stops every thread for 100 ms and more."""
GIL_INTERVAL = 0.001
"""Seconds after which a worker gives the interpreter lock to whoever waits for it, a fifth of Python's default, since
several workers may come before the UI thread (docs/stalls.md)."""


@dataclass(frozen=True)
class App:
    """The states of the app with their window and actions."""

    desk: Desk
    window: MainWindow
    actions: Actions

    def close(self) -> None:
        """Close the window, stop the workers and store what was typed and drawn."""
        self.window.close()
        self.desk.close()


def build(workspace: Path | None = None, user: str = "") -> App:
    """Create and wire the whole app without showing or starting anything; needs a QApplication."""
    desk = Desk(workspace, user)
    desk.restore()
    follow_theme(desk)
    window = MainWindow(desk)
    actions = Actions(desk, window)
    desk.settings.changed.connect(partial(follow_theme, desk, actions))
    return App(desk, window, actions)


def follow_theme(desk: Desk, actions: Actions | None = None) -> None:
    """Apply the theme of the settings; views that set colors themselves get their signals again to update."""
    qt, name = QApplication.instance(), desk.settings.now.theme
    if name == theme.current.name or not isinstance(qt, QApplication):
        return
    theme.apply(qt, name)
    if actions is not None:
        actions.show_icons()
    for changed in (
        desk.messages.changed,
        desk.search.changed,
        desk.search.selected_case.changed,
        desk.report.changed,
        desk.report.page_changed,
        desk.report.draft_changed,
    ):
        changed.emit()


def make_application(arguments: Sequence[str] = ()) -> QApplication:
    """The QApplication, created if there is none, in the dark theme."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([sys.argv[0], *arguments])
    if app is not existing:
        gc.freeze()  # imported modules stay alive; scanning them again and again stops all threads
        gc.set_threshold(*GC_THRESHOLD)
        sys.setswitchinterval(GIL_INTERVAL)
    app.setApplicationName("kindred")
    app.setApplicationDisplayName("Kindred")
    app.setWindowIcon(QIcon(theme.icon("similar")))
    theme.apply(app)
    return app


def parser() -> argparse.ArgumentParser:
    """The parser of the app's command line."""
    options = argparse.ArgumentParser(
        prog="kindred", description="Open the Kindred desktop app. Not for diagnostic use."
    )
    options.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="DICOM file, folder or ZIP file to open")
    options.add_argument("--archive", metavar="DIR", help="archive to search, a folder or an address")
    options.add_argument("--bundle", type=Path, metavar="DIR", help="model bundle; default: the starter bundle")
    return options


def main(arguments: Sequence[str]) -> int:
    """Run the desktop app until its window is closed; return the exit status."""
    options = parser().parse_args(list(arguments))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    if reason := why_no_window():
        click.echo(reason, err=True)
        return 2
    qt = make_application()
    app = build(user=getpass.getuser())
    errors.install(app.desk.messages.show)
    app.window.show()
    app.desk.begin(options.paths, options.archive, options.bundle)
    status = qt.exec()
    if not app.desk.close():
        os._exit(status)  # a worker that does not end would keep the process alive, without a window
    return status
