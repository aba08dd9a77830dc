"""The first window fits on a screen that is small in logical pixels, such as one at 200 % scaling."""

import os
import subprocess
import sys
from pathlib import Path

START = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from desktop import theme
from desktop.app import build
qt = QApplication([])
theme.apply(qt)
app = build(Path(sys.argv[1]))
app.window.show()
qt.processEvents()
print(app.window.height(), app.window.screen().availableSize().height())
app.close()
"""


SMALL = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from desktop import theme
from desktop.app import build
from desktop.views.settings.settings_dialog import SettingsDialog
qt = QApplication([])
theme.apply(qt)
app = build(Path(sys.argv[1]))
app.window.show()
app.desk.first_steps.show()
app.desk.set_grid(3, 3)
app.actions.actions["settings"].trigger()
app.actions.actions["command_palette"].trigger()
app.actions.actions["list_measurements"].trigger()
app.actions.actions["archive_screen"].trigger()
app.actions.actions["teach"].trigger()
app.actions.actions["pacs_settings"].trigger()
app.window.dialogs.pacs_settings.add.click()
app.window.dialogs.pacs_settings.form.connection.setCurrentText("DICOM, C-MOVE")
qt.processEvents()
room = app.window.screen().availableSize()
shown = [one for one in qt.topLevelWidgets() if one.isVisible()]
title = 16  # the room that is left of 384 logical lines, those of a screen of 1366 x 768, for the title bar
rooms = {one: room.height() if one is app.window else 384 - title for one in shown}
print([type(one).__name__ for one in shown if one.height() > rooms[one]], len(shown))
app.close()
"""


def test_windows_fit_a_screen_at_twice_the_size(tmp_path: Path) -> None:
    """In height, of which 1366 x 768 has least: Qt's virtual screen has 400 x 400 logical pixels at this scale."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": "2"}
    ended = subprocess.run(
        [sys.executable, "-c", SMALL, str(tmp_path)], capture_output=True, text=True, env=environment, check=True
    )
    large, shown = ended.stdout.rsplit(" ", 1)
    assert large == "[]"
    assert int(shown) >= 8


def test_the_first_window_is_no_taller_than_the_screen(tmp_path: Path) -> None:
    """Stacked panels would need 600 logical pixels; Qt's virtual screen has 533 at this scale."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": "1.5"}
    ended = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path)], capture_output=True, text=True, env=environment, check=True
    )
    window, screen = map(int, ended.stdout.split())
    assert screen < 600
    assert window <= screen
