"""The app in a process of its own: draws and types on an open report, says when that is stored, and goes on typing.

python -m tests.desktop.typing_until_killed WORKSPACE STUDY TEXT
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop

from desktop.app import build, make_application
from tests.desktop.reading import Hands


def main(workspace: str, study: str, text: str) -> None:
    """Begin with an ellipse and `text` at the end of the stored report; write "." once they are stored."""
    qt = make_application()
    app = build(Path(workspace))

    def until(holds: Callable[[], bool]) -> None:
        while not holds():
            qt.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    app.window.resize(1440, 900)
    app.window.show()
    app.desk.begin([Path(study)])
    hands = Hands(app, until)
    page = app.desk.report.page
    assert page is not None
    hands.press("E")
    hands.drag(app.window.viewport, (-60, -60), (60, 20))
    hands.press("Ctrl+R", "Ctrl+End")
    hands.type(text)
    until(lambda: not page.dirty)
    hands.wait()
    os.write(1, b".")
    while True:
        hands.type("x")


if __name__ == "__main__":
    main(*sys.argv[1:])
