"""Types into the report of the real app in a process of its own, and kills that: what is on the disk afterwards?

python -m benchmarks._fault_typing FILE KEYS     the app with a typist, as `kills_while_typing` starts it
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pydicom.data import get_testdata_file

from engine.reports.workspace import Workspace

SENTENCE = "There is a small effusion on the left, no pneumothorax. "
INTERVAL_MS = 100
"""Between two keys, as of a fast typist."""
PROMISED = 2.0
"""Seconds after which a key must be on the disk."""
KEYS = 30
"""Of a text after which nothing is typed."""
MOMENTS = (0.5, 3.0, 30.0)
"""Seconds from the last key to the kill, or, where typing never pauses, from the first one."""
TOGETHER = 3
"""Processes at once; most of them wait."""


@dataclass(frozen=True)
class Killed:
    """One killed process."""

    typed: int
    """Keys that the editor had taken."""
    lost: int
    """Keys that are not in the workspace."""
    oldest: float
    """Seconds from the first of these to the kill; 0 for none."""
    wrong: str = ""
    """The stored text, if it is not the beginning of what was typed."""


@dataclass
class Row:
    """All kills at one moment."""

    name: str
    kills: list[Killed]

    @property
    def broken(self) -> list[str]:
        """What must not be."""
        late = [f"lost: a key {one.oldest:.1f} s before the kill" for one in self.kills if one.oldest > PROMISED]
        return late + [f"wrong: {one.wrong!r}" for one in self.kills if one.wrong]


def kills_while_typing(runs: int) -> list[Row]:
    """Kill `runs` processes at each moment, after the last key and while typing goes on."""
    planned = [(pause, moment) for pause in (True, False) for moment in MOMENTS]
    with ThreadPoolExecutor(TOGETHER) as pool:
        found = {one: [pool.submit(_kill, *one) for _ in range(runs)] for one in planned}
        names = {True: "{:g} s after the last key", False: "{:g} s after the first key, typing without a pause"}
        return [Row(names[one[0]].format(one[1]), [kill.result() for kill in found[one]]) for one in planned]


def table(rows: list[Row]) -> str:
    """One line a moment."""
    lines = ["| killed | kills | keys typed | keys lost | of a kill at most | oldest lost key at the kill |"]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    for row in rows:
        typed, lost = (sum(getattr(one, name) for one in row.kills) for name in ("typed", "lost"))
        most, oldest = max(one.lost for one in row.kills), max(one.oldest for one in row.kills)
        lines.append(f"| {row.name} | {len(row.kills)} | {typed:,} | {lost} | {most} | {oldest:.1f} s |")
    return "\n".join(lines)


def _kill(pause: bool, moment: float) -> Killed:
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "benchmarks._fault_typing", get_testdata_file("CT_small.dcm") or ""]
        command.append(str(KEYS if pause else 10_000))
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "KINDRED_HOME": name}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        ) as child:
            assert child.stdout is not None
            study = child.stdout.readline().strip()
            if not study:
                raise RuntimeError("The app ended before anything could be typed into it.")
            times = [float(child.stdout.readline()) for _ in range(KEYS if pause else 1)]
            time.sleep(max(0.0, times[-1] + moment - time.monotonic()))
            at = time.monotonic()
            child.send_signal(signal.SIGKILL)
            times += map(float, child.stdout.read().split())
        with Workspace.open(Path(name)) as workspace:
            report = workspace.load(study)
    stored = report.text if report else ""
    wrong = "" if _text(len(times)).startswith(stored) else stored
    lost = len(times) - len(stored)
    return Killed(len(times), max(0, lost), at - times[len(stored)] if lost > 0 else 0.0, wrong)


def _text(length: int) -> str:
    return (SENTENCE * (length // len(SENTENCE) + 1))[:length]


def main() -> int:
    """Run the app, and type once the report is there; says the study, then the time of each key once it was taken."""
    from PySide6.QtCore import QTimer
    from PySide6.QtTest import QTest

    from desktop import app as desktop_app

    build, path, keys = desktop_app.build, sys.argv[1], int(sys.argv[2])

    def with_typist(*arguments: object, **options: object) -> desktop_app.App:
        app = build(*arguments, **options)  # type: ignore[arg-type]
        timer = QTimer(app.window, interval=INTERVAL_MS)
        typed = 0

        def key() -> None:
            nonlocal typed
            page = app.desk.report.page
            if page is None or not page.loaded or app.desk.archive.bundle is None:
                return
            if not typed:
                print(page.study, flush=True)
            QTest.keyClicks(app.window.report_panel.editor, SENTENCE[typed % len(SENTENCE)])
            print(time.monotonic(), flush=True)
            typed += 1
            if typed == keys:
                timer.stop()

        timer.timeout.connect(key)
        timer.start()
        return app

    desktop_app.build = with_typist
    return desktop_app.main([path])


if __name__ == "__main__":
    sys.exit(main())
