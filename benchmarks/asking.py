"""Measures the time from a key to ranked hits on screen, with 100,000 cases: `python -m benchmarks.asking`.

Claim: on two cores p50 <= 150 ms and p95 <= 300 ms, embedding included; feedback and slider within 100 ms; the event
loop is never away for more than 100 ms.

The archive is the sample archive, filled up with derived cases (_derived_cases.py), and the slices on screen are
derived from one real CT. So these are times, not qualities. A time ends with the painting of the hits. Uses the real
window (under Xvfb if there is no display) and the shipped models.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from benchmarks._derived_cases import fill
from benchmarks._display import require_display
from benchmarks._section import put
from benchmarks._timing import others_share, processor, processor_seconds
from benchmarks.stalls import LoopMonitor, LoopTimes
from benchmarks.viewer_data import SYNTAXES, write_series
from desktop.app import App, build, make_application
from desktop.demo import wait
from desktop.state.similar.query import SearchForm
from engine.archive import Archive
from engine.resources import HOME

TITLE = "From a key to hits"
PLAIN, CONTROL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
QUERIES = (
    *("right pleural effusion", "pneumothorax", "fracture of the wrist", "breast cyst", "normal chest radiograph"),
    *("subdural hematoma", "liver metastases", "no focal consolidation", "renal calculus", "cardiomegaly"),
)


class Painted(QObject):
    """Tells when a widget was painted."""

    painted = Signal()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.painted.emit()
        return False


@dataclass
class Asker:
    """Presses keys and waits for the hits."""

    app: App
    times: dict[str, list[float]] = field(default_factory=dict)
    """In ms, by what was asked."""

    def __post_init__(self) -> None:
        self._painted, shown = Painted(), self.app.window.search_panel.hits.viewport()
        shown.installEventFilter(self._painted)
        self.app.desk.search.changed.connect(shown.update)  # the same hits would not be painted again

    def press(self, name: str, widget: QWidget, key: Qt.Key, held: Qt.KeyboardModifier = PLAIN) -> None:
        """Press a key, wait for other hits and their painting, and note how long that took."""
        search, done = self.app.desk.search, [False]
        before = search.question

        def paint() -> None:
            done[0] = search.question is not before and not search.searching

        self._painted.painted.connect(paint)
        widget.setFocus()
        started = time.perf_counter()
        QTest.keyClick(widget, key, held)
        wait(lambda: done[0], [self._painted.painted], name, 60)
        self.times.setdefault(name, []).append(1000 * (time.perf_counter() - started))
        self._painted.painted.disconnect(paint)
        if search.failure:
            sys.exit(search.failure)
        self._rest()

    def _rest(self) -> None:
        desk = self.app.desk
        wait(lambda: desk.background.idle() and not desk.search.searching, [desk.background.ended], "Resting", 60)

    def rounds(self, count: int) -> None:
        """Ask in each way, so many times."""
        window, search = self.app.window, self.app.desk.search
        panel = window.search_panel
        for number in range(count):
            words = QUERIES[number % len(QUERIES)]
            self.app.actions.actions["next_image"].trigger()
            self._rest()
            self.press("the image, Ctrl+E", window, Qt.Key.Key_E, CONTROL)
            self.press("a hit is relevant, Ctrl+L", window, Qt.Key.Key_L, CONTROL)
            search.set_form(SearchForm(text=f"{words} {number}"))
            self.press("image and words, Enter", panel.text, Qt.Key.Key_Return)
            self.press("the slider, a key", panel.refinement.share, Qt.Key.Key_Right)
            search.set_form(SearchForm(text=f"{words}, {number} days old", with_image=False))
            self.press("words, Enter", panel.text, Qt.Key.Key_Return)
            self.press("a filter, a key", panel.filters.kind, Qt.Key.Key_Down)
            search.clear_filters()
            self._rest()


def table(asker: Asker, loop: LoopTimes, cases: int, others: float) -> str:
    """The times and the longest gap of the event loop."""
    rows = [
        f"| {name} | {len(times)} | {median(times):.0f} | {quantiles(times, n=20)[-1]:.0f} | {max(times):.0f} |"
        for name, times in asker.times.items()
    ]
    return (
        f"{processor()}, {os.cpu_count()} cores; other programs used {100 * others:.0f} % of them. {cases:,} cases, "
        "derived but for the sample archive. Embedding, ranking and painting included; every image and text is asked "
        "for the first time. `python -m benchmarks.asking --markdown docs/benchmarks.md`\n\n"
        "| asked by | times | median, ms | 95th percentile, ms | longest, ms |\n|---|---:|---:|---:|---:|\n"
        + "\n".join(rows)
        + f"\n\nThe event loop was away for at most {1000 * max(loop.gaps):.0f} ms, {len(loop.long)} times for more "
        f"than 100 ms, in {loop.seconds:.0f} s."
    )


def main() -> None:
    """Fill the archive unless it exists, ask, print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cases", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=40)
    options.add_argument("--archive", type=Path, help="keep the archive in this folder; an existing one is asked")
    options.add_argument("--markdown", type=Path, metavar="FILE", help=f'replace the section "{TITLE}" of this file')
    chosen = options.parse_args()
    require_display("benchmarks.asking")
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        os.environ[HOME] = str(base / "home")
        folder = chosen.archive or base / "archive"
        if not Archive.exists(folder):
            fill(folder, chosen.cases)
        write_series(base / "slices", SYNTAXES["uncompressed"], chosen.rounds + 5)
        make_application()
        app = build(base / "workspace", "benchmark")
        app.window.resize(1440, 900)
        app.window.show()
        desk = app.desk
        desk.begin()
        desk.archive.open(folder)
        desk.open_dropped([base / "slices"])
        settled = [desk.archive.changed, desk.background.ended]

        def ready() -> bool:
            return desk.archive.bundle is not None and desk.archive.archive is not None and desk.background.idle()

        wait(ready, settled, "Opening", 300)
        app.window.activateWindow()
        asker, monitor, before = Asker(app), LoopMonitor(), processor_seconds()
        asker.rounds(2)
        asker.times.clear()
        monitor.start()
        asker.rounds(chosen.rounds)
        text = table(asker, monitor.stop(), int(desk.archive.stats["cases"]), others_share(before, processor_seconds()))
        app.close()
    print(text)
    if chosen.markdown:
        put(chosen.markdown, TITLE, text)


if __name__ == "__main__":
    main()
