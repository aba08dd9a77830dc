"""Measures unexpected errors under random use of the app: `python -m benchmarks.random_use --seed 1`.

Claim: no order of commands, clicks and keys breaks the app.

Uses the real window with real studies and part of the sample archive. Each step is one of: a command, a wheel turn, a
drag with any button (possibly interrupted by a command), a key press in the focused widget, opening files, closing or
selecting a study, resizing the window or the cache, or waiting until the workers are idle. Dialogs are answered with
Cancel. Counted: messages of unexpected errors. The exit status is 1 if there was one. The same seed takes the same
steps, but workers may finish in another order.
"""

import argparse
import os
import random
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path

from pydicom.data import get_testdata_file
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtPrintSupport import QPrintDialog
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QMenu, QWidget

from benchmarks._section import put
from benchmarks.sample_archive import smaller
from benchmarks.viewer_data import SYNTAXES, write_series
from desktop import errors
from desktop.app import App, build, make_application
from desktop.demo import wait
from desktop.errors import BUG, Message
from desktop.views.viewer.viewport import ViewportView
from engine.resources import HOME, resource_path

TITLE = "Random use"
CASES, SLICES, TIMEOUT = 60, 12, 120
FILES = (
    *("CT_small.dcm", "MR_small.dcm", "emri_small.dcm", "examples_ybr_color.dcm", "examples_palette.dcm"),
    *("examples_overlay.dcm", "OBXXXX1A.dcm", "JPEG2000.dcm", "SC_rgb.dcm", "vlut_04.dcm", "mlut_18.dcm"),
    *("693_UNCR.dcm", "RG3_UNCR.dcm", "US1_UNCR.dcm", "color3d_jpeg_baseline.dcm", "rtdose_1frame.dcm"),
    *("parametric_map_float.dcm", "badVR.dcm", "liver_1frame.dcm"),
)
"""Of pydicom and pydicom-data: many modalities, sizes and pixel formats, and one damaged file."""
BUTTONS = (*[Qt.MouseButton.LeftButton] * 4, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton)
NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
KEYS = (
    *(Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Escape, Qt.Key.Key_Return),
    *(Qt.Key.Key_Delete, Qt.Key.Key_Space, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown),
    *map(Qt.Key, range(Qt.Key.Key_0, Qt.Key.Key_9)),
    *map(Qt.Key, range(Qt.Key.Key_A, Qt.Key.Key_Z)),
)


def cancel_every_dialog() -> None:
    """Replace the modal dialogs of Qt by ones that return at once as if cancelled."""
    for name in ("getOpenFileName", "getSaveFileName"):
        setattr(QFileDialog, name, staticmethod(lambda *_: ("", "")))
    QFileDialog.getOpenFileNames = staticmethod(lambda *_: ([], ""))  # type: ignore[method-assign,assignment]
    QFileDialog.getExistingDirectory = staticmethod(lambda *_: "")  # type: ignore[method-assign,assignment]
    QInputDialog.getText = staticmethod(lambda *_: ("", False))  # type: ignore[method-assign,assignment]
    QInputDialog.getInt = staticmethod(lambda *_: (0, False))  # type: ignore[method-assign,assignment]
    QPrintDialog.exec = lambda _: 0  # type: ignore[method-assign]


class RandomUser:
    """Takes random steps in one window and records each unexpected error with the steps before it."""

    def __init__(self, app: App, files: Sequence[Path], seed: int) -> None:
        self.app, self.files, self.dice = app, files, random.Random(seed)
        self.done: Counter[str] = Counter()
        self.bugs: list[str] = []
        self._trail: deque[str] = deque(maxlen=8)
        self._commands = [name for name in app.actions.actions if name not in ("quit", "user_guide")]
        app.desk.messages.changed.connect(self._record_message)

    def record(self, message: Message) -> None:
        """Keep the message if it reports an unexpected error."""
        if message.kind == BUG:
            self.bugs.append(f"after {', '.join(self._trail)}:\n{message.details}")

    def _record_message(self) -> None:
        if self.app.desk.messages.message is not None:
            self.record(self.app.desk.messages.message)

    def step(self) -> None:
        """One random step."""
        gestures: list[tuple[int, Callable[[], None]]] = [
            *((30, self.command), (10, self.wheel), (35, self.drag), (8, self.key), (7, self.open)),
            *((3, self.close), (3, self.select), (2, self.resize), (2, self.idle)),
        ]
        (gesture,) = self.dice.choices([one for _, one in gestures], [weight for weight, _ in gestures])
        self.done[gesture.__name__] += 1
        try:
            gesture()
        except Exception as error:  # raised outside Qt's event loop
            self.record(errors.describe(error))
        for menu in QApplication.topLevelWidgets():
            if isinstance(menu, QMenu):
                menu.close()
        if self.dice.random() < 0.5:
            QApplication.processEvents()

    def command(self) -> None:
        """Trigger a command twice, if it is enabled."""
        name = self._log(self.dice.choice(self._commands))
        if self.app.actions.actions[name].isEnabled():
            self.app.actions.actions[name].trigger()

    def wheel(self) -> None:
        """Turn the wheel over a viewport."""
        self._log("wheel")
        for view in self._visible_view():
            point, by = QPointF(self._random_point(view)), QPoint(0, 120 * self.dice.choice((-3, -1, 1, 3)))
            held = self.dice.choice((NONE, CTRL, SHIFT))
            global_point, phase = view.mapToGlobal(point), Qt.ScrollPhase.NoScrollPhase
            none = Qt.MouseButton.NoButton
            QApplication.sendEvent(view, QWheelEvent(point, global_point, QPoint(), by, none, held, phase, False))

    def drag(self) -> None:
        """Drag in a viewport, sometimes followed by a double click."""
        button = self.dice.choice(BUTTONS)
        self._log(f"drag {button.name}")
        for view in self._visible_view():
            QTest.mousePress(view, button, pos=self._random_point(view))
            for _ in range(self.dice.randrange(5)):
                QTest.mouseMove(view, self._random_point(view))
                if self.dice.random() < 0.05:
                    self.command()
            QTest.mouseRelease(view, button, pos=self._random_point(view))
            if self.dice.random() < 0.1:
                QTest.mouseDClick(view, button, pos=self._random_point(view))

    def key(self) -> None:
        """Press a key in the focused widget, except the one that quits."""
        key, held = self.dice.choice(KEYS), self.dice.choice((NONE, NONE, NONE, CTRL, SHIFT))
        self._log(f"{held.name} {key.name}")
        if (held, key) != (CTRL, Qt.Key.Key_Q):
            QTest.keyClick(QApplication.focusWidget() or self.app.window, key, held)

    def open(self) -> None:
        """Open up to three files or folders."""
        chosen = self.dice.sample(list(self.files), self.dice.randrange(1, 4))
        self._log(f"open {', '.join(path.name for path in chosen)}")
        self.app.desk.open_dropped(chosen)

    def close(self) -> None:
        """Close all other windows and one study."""
        self._log("close")
        for window in QApplication.topLevelWidgets():
            if window.isVisible() and window is not self.app.window:
                window.close()
        if self.app.desk.studies.studies:
            self.app.desk.studies.close(self.dice.choice(self.app.desk.studies.studies).uid)

    def select(self) -> None:
        """Select another series."""
        self._log("select")
        self.app.desk.studies.step(self.dice.choice((-3, -1, 1, 3)))

    def resize(self) -> None:
        """Resize the window and the frame cache."""
        self._log("resize")
        self.app.window.resize(self.dice.randrange(600, 1600), self.dice.randrange(500, 1000))
        self.app.desk.settings.change(cache_megabytes=self.dice.choice((1, 8, 512)))

    def idle(self) -> None:
        """Wait until the workers are idle."""
        self._log("idle")
        wait(self.app.desk.background.idle, [self.app.desk.background.ended], "Resting", TIMEOUT)

    def _log(self, action: str) -> str:
        self._trail.append(action)
        return action

    def _visible_view(self) -> list[QWidget]:
        """One visible viewport, or none."""
        every = (view for window in QApplication.topLevelWidgets() for view in window.findChildren(ViewportView))
        seen = [view for view in every if view.isVisible()]
        return [self.dice.choice(seen)] if seen else []

    def _random_point(self, view: QWidget) -> QPoint:
        return QPoint(self.dice.randrange(max(1, view.width())), self.dice.randrange(max(1, view.height())))


def use(seed: int, steps: int, base: Path) -> RandomUser:
    """Take `steps` random steps in a new window; workspace, archive and files are created in `base`."""
    app = build(base / "workspace", "benchmark")
    desk = app.desk
    stack = base / "stack"
    write_series(stack, SYNTAXES["uncompressed"], SLICES)
    paths = [get_testdata_file(name, download=False) for name in FILES]
    user = RandomUser(app, [*(Path(str(path)) for path in paths if path), stack], seed)
    errors.install(user.record)
    app.window.show()
    desk.begin()
    settled = [desk.background.ended]
    wait(lambda: desk.archive.bundle is not None and desk.background.idle(), settled, "Loading the models", TIMEOUT)
    desk.archive.create(base / "archive")
    wait(lambda: desk.archive.archive is not None and desk.background.idle(), settled, "The archive", TIMEOUT)
    desk.archive.import_into(smaller(resource_path("sample-archive"), base / "cases", CASES))
    wait(desk.background.idle, settled, "The import", TIMEOUT)
    for _ in range(steps):
        user.step()
    user.idle()
    app.close()
    return user


def main() -> None:
    """Take the steps and print the unexpected errors and the counts."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--steps", type=int, default=1500)
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the counts to this file")
    chosen = options.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as base:
        os.environ[HOME] = str(Path(base) / "home")
        make_application()
        cancel_every_dialog()
        user = use(chosen.seed, chosen.steps, Path(base))
    print("\n\n".join(user.bugs))
    kinds = ", ".join(f"{count:,} {name}" for name, count in user.done.most_common())
    summary = f"Seed {chosen.seed}: {chosen.steps:,} steps ({kinds}), {len(user.bugs)} unexpected errors."
    print(summary)
    if chosen.markdown:
        command = (
            f"python -m benchmarks.random_use --seed {chosen.seed} --steps {chosen.steps} --markdown {chosen.markdown}"
        )
        put(chosen.markdown, TITLE, f"{summary} Made by `{command}`.")
    sys.exit(1 if user.bugs else 0)


if __name__ == "__main__":
    main()
