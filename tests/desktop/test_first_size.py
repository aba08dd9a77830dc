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


def test_the_first_window_is_no_taller_than_the_screen(tmp_path: Path) -> None:
    """Stacked panels would need 600 logical pixels; Qt's virtual screen has 533 at this scale."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": "1.5"}
    ended = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path)], capture_output=True, text=True, env=environment, check=True
    )
    window, screen = map(int, ended.stdout.split())
    assert screen < 600
    assert window <= screen
