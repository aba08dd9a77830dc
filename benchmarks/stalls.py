"""Measures event-loop stalls while opening, importing, searching and drafting at once. Claim: none over 100 ms.

    python -m benchmarks.stalls [--rows N] [--slices N] [--never-wait] [--markdown docs/stalls.md]

Uses the real window (under Xvfb if there is no display) with a temporary workspace and archive. Part of the sample
archive is imported first. Then all of this runs at once: the rest of it is imported, a folder of JPEG 2000 slices and
real files of pydicom are opened repeatedly, the archive is searched by image and by text, and drafts are generated. A
timer on the UI thread measures how long the event loop was blocked; a second thread samples where.
"""

import argparse
import os
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

from benchmarks._display import require_display
from benchmarks._timing import others_share, processor, processor_seconds
from benchmarks.sample_archive import smaller
from benchmarks.viewer_data import SYNTAXES, write_series
from desktop.app import App, build, make_application
from desktop.demo import wait
from desktop.desk import Desk
from desktop.state.first_steps.sample import sample_studies
from desktop.state.studies.studies import identify
from desktop.yielding import Yielding
from engine.resources import HOME, resource_path

TICK = 0.005
LIMIT = 0.100
SAMPLE_EVERY = 0.02
FIRST_ROWS = 60
REST = 5.0
TIMEOUT = 1800
ROUNDS = 5
"""Minimum number of searches of each kind, and of drafts."""
QUERIES = ("right pleural effusion", "pneumothorax", "fracture of the wrist", "breast cyst", "normal chest radiograph")
LISTED = 12
ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("desktop", "engine")
SCHEDULE = Path("/proc/thread-self/schedstat")
HAS_SCHEDULE = SCHEDULE.is_file()
NOTE = """
One drop: the folder and the files are opened in one call, as when they are dropped on the window. One by one: one call
each, all within one event, which is a heavier load than any user action causes. They are opened again once every slice
is decoded.

A timer on the UI thread ticks every 5 ms. A gap is the time between two ticks beyond that: the delay of a click.
UI thread CPU: its CPU time within the gap. Waiting for a core: how long it was ready to run while workers or other
programs used the cores, as the operating system reports it. The rest of a gap is spent waiting for Python's global
interpreter lock, another lock or the disk. Location: the innermost function of `desktop/` or `engine/` in most samples
of a second thread, taken every 20 ms once a gap exceeds 100 ms; the UI thread may have been waiting there. CPU used by
other programs: their share of all cores, including Xvfb's painting.

The claim is about wall-clock time: no gap over 100 ms, whatever its cause. A gap with over 100 ms of UI thread CPU
would also occur on an idle machine.
"""


@dataclass(frozen=True)
class Gap:
    """One delay of the event loop."""

    start: float
    """Seconds since the measurement began."""
    seconds: float
    work: float
    """CPU seconds of the UI thread within it."""
    queued: float
    """Seconds in which it was ready to run and had no core."""
    samples: tuple[str, ...]
    """Locations that the second thread sampled."""

    @property
    def location(self) -> str:
        """The most frequent sampled location."""
        return Counter(self.samples).most_common(1)[0][0] if self.samples else "not sampled"


@dataclass
class LoopTimes:
    """All gaps of the event loop in one measurement."""

    gaps: list[float] = field(default_factory=list)
    long: list[Gap] = field(default_factory=list)
    seconds: float = 0.0
    work: float = 0.0
    others: float = 0.0

    def percentile(self, part: float) -> float:
        """The gap in seconds that this share of all gaps, 0 to 1, stays below."""
        return sorted(self.gaps)[min(len(self.gaps) - 1, int(part * len(self.gaps)))]


class LoopMonitor(QObject):
    """Measures the event loop of the thread it is created on; a second thread samples its stack during long gaps."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()
        self._timer = QTimer(self, interval=round(1000 * TICK), timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._samples: list[str] = []
        self._schedule = os.open(SCHEDULE, os.O_RDONLY) if HAS_SCHEDULE else -1
        self._ended = threading.Event()
        self.times = LoopTimes()

    def start(self) -> None:
        """Begin a new measurement."""
        self.times, self._ended = LoopTimes(), threading.Event()
        self._before, self._begun = processor_seconds(), time.perf_counter()
        self._last, self._work = self._begun, time.thread_time()
        self._begun_work, self._queued = self._work, queued(self._schedule)
        self._samples = []
        threading.Thread(target=self._sample, args=(self._ended,), daemon=True).start()
        self._timer.start()

    def stop(self) -> LoopTimes:
        """End the measurement and return it."""
        self._tick()
        self._timer.stop()
        self._ended.set()
        self.times.seconds = time.perf_counter() - self._begun
        self.times.work = time.thread_time() - self._begun_work
        self.times.others = others_share(self._before, processor_seconds())
        return self.times

    def _tick(self) -> None:
        now, work, waited = time.perf_counter(), time.thread_time(), queued(self._schedule)
        seconds = max(0.0, now - self._last - TICK)
        self.times.gaps.append(seconds)
        if seconds > LIMIT:
            start = self._last - self._begun
            gap = Gap(start, seconds, work - self._work, waited - self._queued, tuple(self._samples))
            self.times.long.append(gap)
        if self._samples:
            self._samples = []
        self._last, self._work, self._queued = now, work, waited

    def _sample(self, ended: threading.Event) -> None:
        while not ended.wait(SAMPLE_EVERY):
            if time.perf_counter() - self._last > LIMIT:
                self._samples.append(location(sys._current_frames().get(self._thread)))


def queued(schedule: int) -> float:
    """Seconds so far that a thread was ready to run and had no core; 0 where the system does not report it."""
    return int(os.pread(schedule, 100, 0).split()[1]) / 1e9 if HAS_SCHEDULE else 0.0


def location(frame: FrameType | None) -> str:
    """The innermost function of `desktop` or `engine` on the stack, and the library function that it called."""
    inner = frame
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT):
            path = path.relative_to(ROOT)
            if path.parts[0] in PACKAGES and path.name != "demo.py":  # its wait() is on every stack
                called = "" if inner is frame or inner is None else f", in {inner.f_code.co_name}"
                return f"`{path.as_posix()}`, {frame.f_code.co_qualname}{called}"
        frame = frame.f_back
    return "Qt, outside Kindred's functions"


class Load(QObject):
    """Searches, drafts and opens again as soon as the previous search, draft or opening has finished."""

    def __init__(self, app: App, paths: Sequence[Path], slices: int, drop: bool) -> None:
        super().__init__()
        self.app, self.desk = app, app.desk
        self._paths, self._slices, self._drop = paths, slices, drop
        self._query, self._drafting, self._opening = "", False, False
        self.done: Counter[str] = Counter()
        self._timer = QTimer(self, interval=50)
        self._timer.timeout.connect(self._poll)

    def start(self, source: Path) -> None:
        """Start importing `source` and opening the files."""
        self.desk.archive.import_into(source)
        self._open()
        self._timer.start()

    def is_complete(self) -> bool:
        """Whether the import has ended and everything else was done at least `ROUNDS` times."""
        kinds = ("by image", "by text", "drafts")
        return (
            self.desk.archive.importing is None
            and self.done["opened"] > 0
            and all(self.done[kind] >= ROUNDS for kind in kinds)
        )

    def stop(self) -> None:
        """Start nothing more."""
        self._timer.stop()

    def _open(self) -> None:
        """Open all paths as one drop on the window, or one by one within one event."""
        self._opening = True
        for paths in [self._paths] if self._drop else [[path] for path in self._paths]:
            self.desk.open_dropped(paths)

    def _poll(self) -> None:
        desk = self.desk
        if not self._opening:
            self._open()
        elif self._all_opened():
            self.done["opened"] += 1
            self._opening = False
            desk.studies.close_all()
        if not desk.search.searching:
            self._search_again()
        if not desk.report.drafting:
            page = desk.report.page
            self.done["drafts"] += bool(self._drafting and page is not None and page.draft is not None)
            self._drafting = not desk.report.why_no_draft()
            if self._drafting:
                self.app.actions.actions["draft_report"].trigger()

    def _search_again(self) -> None:
        search = self.desk.search
        if self._query and search.answered is not None and not search.failure:
            self.done[self._query] += 1
        by_text = self._query != "by text" or self.desk.viewport.picture is None
        self._query = "by text" if by_text else "by image"
        if by_text:
            text = QUERIES[self.done["by text"] % len(QUERIES)]
            search.set_form(replace(search.form, text=text, with_image=False, mode="vector"))
            search.search()
        else:
            self.app.actions.actions["find_similar"].trigger()

    def _all_opened(self) -> bool:
        """Whether every file is listed and the stack on screen is decoded to its end."""
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


def measure(app: App, base: Path, rows: int, slices: int) -> tuple[LoopTimes, list[LoopTimes], list[Load], int]:
    """Measure at rest and under both loads, each with its own archive; last, the number of cases in that archive."""
    desk, sample = app.desk, resource_path("sample-archive")
    folder, monitor = base / "slices", LoopMonitor()
    write_series(folder, SYNTAXES["JPEG 2000"], slices)
    first = smaller(sample, base / "first", FIRST_ROWS)
    source = smaller(sample, base / "rest", rows) if rows else sample
    desk.begin()
    settled = [desk.archive.changed, desk.background.ended]
    wait(lambda: desk.archive.bundle is not None and desk.background.idle(), settled, "Loading the models", 120)
    monitor.start()
    rest = QTimer(singleShot=True)
    rest.start(round(1000 * REST))
    wait(lambda: not rest.isActive(), [rest.timeout], "Resting", 60)
    at_rest, busy, loads = monitor.stop(), [], []
    for drop in (True, False):
        target = base / f"archive {drop}"
        desk.archive.create(target)
        wait(partial(is_open, desk, target), settled, "Creating", 60)
        desk.archive.import_into(first)
        wait(lambda: desk.archive.importing is None and desk.background.idle(), settled, "The first import", 300)
        loads.append(Load(app, [folder, *sample_studies()], slices, drop))
        monitor.start()
        loads[-1].start(source)
        wait(loads[-1].is_complete, [desk.background.ended], "The load", TIMEOUT)
        busy.append(monitor.stop())
        loads[-1].stop()
        desk.studies.close_all()
        wait(desk.background.idle, settled, "Coming to rest", 120)
    return at_rest, busy, loads, int(desk.archive.stats.get("cases", 0))


def table(every: Sequence[LoopTimes]) -> str:
    """The Markdown table: at rest, one drop, one by one."""

    def cells(times: LoopTimes) -> list[str]:
        return [
            f"{times.seconds:.0f} s",
            f"{len(times.gaps):,}",
            f"{1000 * times.percentile(0.5):.1f} ms",
            f"{1000 * times.percentile(0.99):.1f} ms",
            f"{1000 * max(times.gaps):.0f} ms",
            str(len(times.long)),
            str(sum(gap.work > LIMIT for gap in times.long)),
            f"{100 * times.work / times.seconds:.0f} %",
            f"{100 * times.others:.0f} %",
        ]

    names = (
        *("duration", "timer ticks", "median gap", "99th percentile", "longest gap", "gaps over 100 ms"),
        *("of these, over 100 ms of UI thread CPU", "UI thread busy", "CPU used by other programs"),
    )
    rows = [f"| {' | '.join(row)} |" for row in zip(names, *map(cells, every), strict=True)]
    return "\n".join(
        ["| event loop | at rest | all at once, one drop | all at once, one by one |", "|---|---|---|---|", *rows]
    )


def stalls(times: LoopTimes) -> str:
    """The longest gaps, one per line."""
    if not times.long:
        return "no gap over 100 ms."
    lines = [
        f"the longest gaps over 100 ms, at most {LISTED}.",
        "",
        "| after, s | gap, ms | UI thread CPU, ms | waiting for a core, ms | location (samples) |",
        "|---|---|---|---|---|",
    ]
    for gap in sorted(times.long, key=lambda gap: gap.seconds, reverse=True)[:LISTED]:
        where = f"{gap.location} ({gap.samples.count(gap.location)} of {len(gap.samples)})"
        core = f"{1000 * gap.queued:.0f}" if HAS_SCHEDULE else "unknown"
        lines.append(f"| {gap.start:.1f} | {1000 * gap.seconds:.0f} | {1000 * gap.work:.0f} | {core} | {where} |")
    return "\n".join(lines)


def report(at_rest: LoopTimes, busy: Sequence[LoopTimes], loads: Sequence[Load], cases: int) -> str:
    """The claim, the conditions, the table and the longest gaps."""
    claim = ["met" if not times.long else "NOT met" for times in busy]
    done = [
        f"{load.done['opened']} openings to the last slice, {load.done['by image']} searches by image, "
        f"{load.done['by text']} by text, {load.done['drafts']} drafts"
        for load in loads
    ]
    return "\n\n".join(
        [
            "Claim: no stall of the event loop over 100 ms while opening, importing, searching and drafting at once. "
            f"In this run: {claim[0]} with all files opened as one drop, {claim[1]} with each file opened separately.",
            f"{processor()}, {os.cpu_count()} cores. Both archives grow to {cases:,} cases. One drop: {done[0]}. "
            f"One by one: {done[1]}.",
            table([at_rest, *busy]),
            f"All at once, one drop: {stalls(busy[0])}",
            f"All at once, one by one: {stalls(busy[1])}",
        ]
    )


def main() -> None:
    """Measure, print the report, and write it to the file of --markdown."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=0, help="import only the first rows of both lists; default: all")
    options.add_argument("--slices", type=int, default=200)
    options.add_argument("--never-wait", action="store_true", help="workers never yield to the UI thread")
    options.add_argument("--markdown", type=Path, metavar="FILE")
    chosen = options.parse_args()
    if chosen.never_wait:
        Yielding.wait_while_busy = lambda self: None  # type: ignore[method-assign]
    require_display("benchmarks.stalls")
    with tempfile.TemporaryDirectory() as base:
        os.environ[HOME] = str(Path(base) / "home")
        make_application()
        app = build(Path(base) / "workspace", "benchmark")
        app.window.resize(1440, 900)
        app.window.show()
        measured = measure(app, Path(base), chosen.rows, chosen.slices)
        app.close()
    notice = "In this run workers never yielded to the UI thread.\n\n" if chosen.never_wait else ""
    text = f"{notice}{report(*measured)}\n{NOTE}"
    print(text)
    if chosen.markdown:
        command = "python -m benchmarks.stalls --markdown docs/stalls.md"
        chosen.markdown.write_text(f"# Stalls of the event loop\n\nMade by `{command}`.\n\n{text}", "utf-8")


if __name__ == "__main__":
    main()
