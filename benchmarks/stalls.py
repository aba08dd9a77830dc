"""Measures event-loop stalls while opening, importing, searching and drafting at once. Claim: none over 100 ms.

    python -m benchmarks.stalls [--rows N] [--slices N] [--never-wait] [--markdown docs/stalls.md]

The real window (without a display under Xvfb), a workspace and an archive that are thrown away. First the archive gets
a part of the sample archive; then, at once, the rest of it is imported, a folder of JPEG 2000 slices and real files of
pydicom are opened again and again, and the archive is asked by image and by words while drafts are made. A timer on the
UI thread measures how long the event loop was blocked; a second thread samples where.
"""

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import FrameType

from PySide6.QtCore import QObject, Qt, QTimer

from benchmarks._timing import others_share, processor, processor_seconds
from benchmarks.sample_archive import smaller
from benchmarks.viewer import SCREEN
from benchmarks.viewer_data import SYNTAXES, write_series
from desktop.app import App, build, make_application
from desktop.demo import sample_studies, wait
from desktop.desk import Desk
from desktop.state.studies.studies import identify
from desktop.yielding import Yielding
from engine.resources import HOME, resource_path

BEAT = 0.005
LIMIT = 0.100
LOOK_EVERY = 0.02
FIRST_ROWS = 60
CALM = 5.0
PATIENCE = 1800
ROUNDS = 5
"""Searches of either kind and drafts that there must be at least."""
WORDS = ("right pleural effusion", "pneumothorax", "fracture of the wrist", "breast cyst", "normal chest radiograph")
LISTED = 12
ROOT = Path(__file__).resolve().parent.parent
SHARED = ("desktop", "engine")
SCHEDULE = Path("/proc/thread-self/schedstat")
TOLD = SCHEDULE.is_file()
NOTE = """
One drop: folder and files are opened in one call, as when they are dropped on the window. One by one: a call for each,
all within one event: a harder load than any user action causes. The next opening follows once all is decoded.

A beat is a timer of 5 ms on the UI thread; a gap is the time between two beats beyond that, so the delay of a click.
Own work: the CPU time of the UI thread within the gap. Waited for a core: how long it was ready to run while workers or
other programs used the cores, as the operating system reports it. The rest of a gap is waiting for
Python's interpreter lock that a worker holds, for another lock, or for the disk. Location: the innermost function of
`desktop/` or `engine/` in most samples of a second thread, one every 20 ms once a gap is over 100 ms; the thread may
have been waiting there. Used by others: the share of all cores that other programs used, including Xvfb's painting.

The claim is about wall-clock time: no gap over 100 ms, whatever its cause. A gap with more than 100 ms of own work
would also occur on an idle machine.
"""


@dataclass(frozen=True)
class Gap:
    """Once that the event loop was away; times in seconds, `start` since the measuring began."""

    start: float
    seconds: float
    work: float
    """Processor time of the UI thread within it."""
    queued: float
    """Seconds in which it was ready to run and had no core."""
    looks: tuple[str, ...]

    @property
    def place(self) -> str:
        return Counter(self.looks).most_common(1)[0][0] if self.looks else "not seen"


@dataclass
class Beats:
    """All gaps between the beats of one stretch of time."""

    gaps: list[float] = field(default_factory=list)
    long: list[Gap] = field(default_factory=list)
    seconds: float = 0.0
    work: float = 0.0
    others: float = 0.0

    def percentile(self, part: float) -> float:
        return sorted(self.gaps)[min(len(self.gaps) - 1, int(part * len(self.gaps)))]


class Watcher(QObject):
    """Measures the event loop of the thread it is made on; a second thread looks where that one is when it is late."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()
        self._timer = QTimer(self, interval=round(1000 * BEAT), timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._looks: list[str] = []
        self._schedule = os.open(SCHEDULE, os.O_RDONLY) if TOLD else -1
        self._ended = threading.Event()
        self.beats = Beats()

    def start(self) -> None:
        self.beats, self._ended = Beats(), threading.Event()
        self._before, self._begun = processor_seconds(), time.perf_counter()
        self._last, self._work = self._begun, time.thread_time()
        self._begun_work, self._queued = self._work, queued(self._schedule)
        self._looks = []
        threading.Thread(target=self._look, args=(self._ended,), daemon=True).start()
        self._timer.start()

    def stop(self) -> Beats:
        self._beat()
        self._timer.stop()
        self._ended.set()
        self.beats.seconds = time.perf_counter() - self._begun
        self.beats.work = time.thread_time() - self._begun_work
        self.beats.others = others_share(self._before, processor_seconds())
        return self.beats

    def _beat(self) -> None:
        now, work, waited = time.perf_counter(), time.thread_time(), queued(self._schedule)
        seconds = max(0.0, now - self._last - BEAT)
        self.beats.gaps.append(seconds)
        if seconds > LIMIT:
            start = self._last - self._begun
            gap = Gap(start, seconds, work - self._work, waited - self._queued, tuple(self._looks))
            self.beats.long.append(gap)
        if self._looks:
            self._looks = []
        self._last, self._work, self._queued = now, work, waited

    def _look(self, ended: threading.Event) -> None:
        while not ended.wait(LOOK_EVERY):
            if time.perf_counter() - self._last > LIMIT:
                self._looks.append(place(sys._current_frames().get(self._thread)))


def queued(schedule: int) -> float:
    """Seconds so far that a thread was ready to run and had no core; 0 where the system does not tell."""
    return int(os.pread(schedule, 100, 0).split()[1]) / 1e9 if TOLD else 0.0


def place(frame: FrameType | None) -> str:
    """The innermost of our functions, with the foreign one that it called."""
    inner = frame
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT):
            path = path.relative_to(ROOT)
            if path.parts[0] in SHARED and path.name != "demo.py":  # its waiting is below everything here
                called = "" if inner is frame or inner is None else f", in {inner.f_code.co_name}"
                return f"`{path.as_posix()}`, {frame.f_code.co_qualname}{called}"
        frame = frame.f_back
    return "Qt, outside our functions"


class Load(QObject):
    """A user in a hurry: asks again as soon as an answer is there, and opens again what has been read."""

    def __init__(self, app: App, paths: Sequence[Path], slices: int, drop: bool) -> None:
        super().__init__()
        self.app, self.desk = app, app.desk
        self._paths, self._slices, self._drop = paths, slices, drop
        self._asking, self._drafting, self._opening = "", False, False
        self.done: Counter[str] = Counter()
        self._timer = QTimer(self, interval=50)  # looks for what has ended
        self._timer.timeout.connect(self._go_on)

    def start(self, source: Path) -> None:
        self.desk.archive.import_into(source)
        self._open()
        self._timer.start()

    def enough(self) -> bool:
        """The import has ended, and everything else has happened often enough."""
        kinds = ("by image", "by words", "drafts")
        return (
            self.desk.archive.importing is None
            and self.done["opened"] > 0
            and all(self.done[kind] >= ROUNDS for kind in kinds)
        )

    def stop(self) -> None:
        self._timer.stop()

    def _open(self) -> None:
        """As one drop on the window does it, or one by one within one event, which no gesture of a user does."""
        self._opening = True
        for paths in [self._paths] if self._drop else [[path] for path in self._paths]:
            self.desk.open_dropped(paths)

    def _go_on(self) -> None:
        desk = self.desk
        if not self._opening:
            self._open()
        elif self._all_read():
            self.done["opened"] += 1
            self._opening = False
            desk.studies.close_all()
        if not desk.search.searching:
            self._ask()
        if not desk.report.drafting:
            page = desk.report.page
            self.done["drafts"] += bool(self._drafting and page is not None and page.draft is not None)
            self._drafting = not desk.report.why_no_draft()
            if self._drafting:
                self.app.actions.actions["draft"].trigger()

    def _ask(self) -> None:
        search = self.desk.search
        if self._asking and search.answered is not None and not search.failure:
            self.done[self._asking] += 1
        by_words = self._asking != "by words" or self.desk.viewport.picture is None
        self._asking = "by words" if by_words else "by image"
        if by_words:
            words = WORDS[self.done["by words"] % len(WORDS)]
            search.set_form(replace(search.form, text=words, with_image=False, mode="vector"))
            search.search()
        else:
            self.app.actions.actions["search_image"].trigger()

    def _all_read(self) -> bool:
        """The stack on screen is decoded to its end, and every file has been listed."""
        desk = self.desk
        if any(job.title.startswith("Opening") for job in desk.jobs.jobs):
            return False
        stacks = [series for study in desk.studies.studies for series in study.series]
        largest = max(stacks, key=lambda series: len(series.frames), default=None)
        if largest is None or len(largest.frames) < self._slices:
            return False
        if desk.viewport.series is not None and len(desk.viewport.series.frames) < self._slices:
            self._show_largest()
            return False
        return all(frame in desk.frames for frame in largest.frames)

    def _show_largest(self) -> None:
        for study in self.desk.studies.studies:
            for series in study.series:
                if len(series.frames) >= self._slices:
                    self.desk.studies.select(identify(study, series))


def is_open(desk: Desk, folder: Path) -> bool:
    """Whether the archive in this folder is the open one."""
    return desk.archive.archive is not None and desk.archive.archive.folder == folder


def measure(app: App, base: Path, rows: int, slices: int) -> tuple[Beats, list[Beats], list[Load], int]:
    """The window at rest, then under both loads, each with an archive of its own; last, how many cases that holds."""
    desk, sample = app.desk, resource_path("sample-archive")
    folder, watcher = base / "slices", Watcher()
    write_series(folder, SYNTAXES["JPEG 2000"], slices)
    first = smaller(sample, base / "first", FIRST_ROWS)
    source = smaller(sample, base / "rest", rows) if rows else sample
    desk.begin()
    settled = [desk.archive.changed, desk.background.ended]
    wait(lambda: desk.archive.bundle is not None and desk.background.idle(), settled, "Loading the models", 120)
    watcher.start()
    calm = QTimer(singleShot=True)
    calm.start(round(1000 * CALM))
    wait(lambda: not calm.isActive(), [calm.timeout], "Resting", 60)
    at_rest, busy, loads = watcher.stop(), [], []
    for drop in (True, False):
        made = base / f"archive {drop}"
        desk.archive.create(made)
        wait(partial(is_open, desk, made), settled, "Creating", 60)
        desk.archive.import_into(first)
        wait(lambda: desk.archive.importing is None and desk.background.idle(), settled, "The first import", 300)
        loads.append(Load(app, [folder, *sample_studies()], slices, drop))
        watcher.start()
        loads[-1].start(source)
        wait(loads[-1].enough, [desk.background.ended], "The load", PATIENCE)
        busy.append(watcher.stop())
        loads[-1].stop()
        desk.studies.close_all()
        wait(desk.background.idle, settled, "Coming to rest", 120)
    return at_rest, busy, loads, int(desk.archive.stats.get("cases", 0))


def table(every: Sequence[Beats]) -> str:
    def cells(beats: Beats) -> list[str]:
        return [
            f"{beats.seconds:.0f} s",
            f"{len(beats.gaps):,}",
            f"{1000 * beats.percentile(0.5):.1f} ms",
            f"{1000 * beats.percentile(0.99):.1f} ms",
            f"{1000 * max(beats.gaps):.0f} ms",
            str(len(beats.long)),
            str(sum(gap.work > LIMIT for gap in beats.long)),
            f"{100 * beats.work / beats.seconds:.0f} %",
            f"{100 * beats.others:.0f} %",
        ]

    names = (
        *("duration", "beats", "median gap", "99th percentile", "longest gap", "gaps over 100 ms"),
        *("of them with over 100 ms of own work", "UI thread busy", "used by others"),
    )
    rows = [f"| {' | '.join(row)} |" for row in zip(names, *map(cells, every), strict=True)]
    return "\n".join(
        ["| event loop | at rest | all at once, one drop | all at once, one by one |", "|---|---|---|---|", *rows]
    )


def stalls(beats: Beats) -> str:
    """The longest gaps, one a line."""
    if not beats.long:
        return "No gap was over 100 ms."
    lines = [
        f"The longest gaps over 100 ms, at most {LISTED}:",
        "",
        "| after, s | gap, ms | own work, ms | waited for a core, ms | location (samples) |",
        "|---|---|---|---|---|",
    ]
    for gap in sorted(beats.long, key=lambda gap: gap.seconds, reverse=True)[:LISTED]:
        looks = f"{gap.place} ({gap.looks.count(gap.place)} of {len(gap.looks)})"
        core = f"{1000 * gap.queued:.0f}" if TOLD else "unknown"
        lines.append(f"| {gap.start:.1f} | {1000 * gap.seconds:.0f} | {1000 * gap.work:.0f} | {core} | {looks} |")
    return "\n".join(lines)


def report(at_rest: Beats, busy: Sequence[Beats], loads: Sequence[Load], cases: int) -> str:
    kept = ["kept" if not beats.long else "NOT kept" for beats in busy]
    done = [
        f"{load.done['opened']} openings to the last slice, {load.done['by image']} searches by image, "
        f"{load.done['by words']} by words, {load.done['drafts']} drafts"
        for load in loads
    ]
    return "\n\n".join(
        [
            "Claim: no stall of the event loop over 100 ms while opening, importing, searching and drafting at once. "
            f"In this run: {kept[0]} with all files opened as one drop, {kept[1]} with each opened by itself.",
            f"{processor()}, {os.cpu_count()} cores. Each time an import up to {cases:,} cases. One drop: {done[0]}. "
            f"One by one: {done[1]}.",
            table([at_rest, *busy]),
            f"All at once, one drop. {stalls(busy[0])}",
            f"All at once, one by one. {stalls(busy[1])}",
        ]
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=0, help="import only the first rows of both lists; default: all")
    options.add_argument("--slices", type=int, default=200)
    options.add_argument("--never-wait", action="store_true", help="workers never yield to the UI thread")
    options.add_argument("--markdown", type=Path, metavar="FILE")
    chosen = options.parse_args()
    if chosen.never_wait:
        Yielding.wait_while_busy = lambda self: None  # type: ignore[method-assign]
    if not os.environ.get("DISPLAY"):
        if not shutil.which("xvfb-run"):
            sys.exit("No display found: install xvfb, or run this in a desktop session.")
        again = ["xvfb-run", "-a", "-s", SCREEN, sys.executable, "-m", "benchmarks.stalls", *sys.argv[1:]]
        os.execvp(again[0], again)
    with tempfile.TemporaryDirectory() as base:
        os.environ[HOME] = str(Path(base) / "home")
        make_application()
        app = build(Path(base) / "workspace", "benchmark")
        app.window.resize(1440, 900)
        app.window.show()
        found = measure(app, Path(base), chosen.rows, chosen.slices)
        app.close()
    told = "In this run workers never yielded to the UI thread.\n\n" if chosen.never_wait else ""
    text = f"{told}{report(*found)}\n{NOTE}"
    print(text)
    if chosen.markdown:
        command = "python -m benchmarks.stalls --markdown docs/stalls.md"
        chosen.markdown.write_text(f"# Stalls of the event loop\n\nMade by `{command}`.\n\n{text}", "utf-8")


if __name__ == "__main__":
    main()
