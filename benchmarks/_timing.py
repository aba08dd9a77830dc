"""Times two implementations of one task against each other and formats the table. Does not know any model."""

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Result:
    """Median milliseconds of Kindred and of torch eager, and Kindred's limit."""

    task: str
    ours: float
    torch: float
    limit: float

    @property
    def row(self) -> str:
        """The row of the Markdown table."""
        within = "yes" if self.ours <= self.limit else "NO"
        ratio = self.torch / self.ours
        return f"| {self.task} | {self.ours:.1f} | {self.torch:.1f} | {ratio:.1f} x | {self.limit:.0f} | {within} |"


def compare(
    task: str, limit: float, ours: Callable[[], object], torch: Callable[[], object], rounds: int = 30
) -> Result:
    """Run both alternately in one process, so that other load slows both alike, after three warm-up rounds."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 3):
        for run, measured in zip((ours, torch), times, strict=True):
            start = time.perf_counter()
            run()
            if number >= 3:
                measured.append(1000 * (time.perf_counter() - start))
    return Result(task, median(times[0]), median(times[1]), limit)


def pictures() -> Iterator[NDArray[np.uint8]]:
    """Pictures uint8 [512, 480], each another one: a bundle does not compute the same one twice."""
    image = np.random.default_rng(0).integers(0, 256, (512, 480), dtype=np.uint8)
    while True:
        image = image + np.uint8(1)
        yield image


def table(results: Sequence[Result], threads: int, note: str) -> str:
    """The Markdown table, with the machine and the conditions above it."""
    lines = [
        f"{processor()}, {threads} threads. {note}",
        "",
        "| task | Kindred, ms | torch eager, ms | speedup | limit, ms | within limit |",
        "|---|---|---|---|---|---|",
        *(result.row for result in results),
    ]
    return "\n".join(lines)


def processor() -> str:
    """The name of the processor as the operating system reports it."""
    information = Path("/proc/cpuinfo")
    names = information.read_text().splitlines() if information.is_file() else []
    return next((line.split(":")[1].strip() for line in names if line.startswith("model name")), platform.machine())


def processor_seconds() -> tuple[float, float, float]:
    """CPU seconds of all cores, CPU seconds of this process and its ended children, and wall-clock seconds.

    The first is 0 on systems without /proc.
    """
    counts = Path("/proc/stat")
    busy = 0.0
    if counts.is_file():
        ticks = [int(field) for field in counts.read_text().splitlines()[0].split()[1:9]]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")  # without idle and I/O wait
    own = os.times()
    return busy, own.user + own.system + own.children_user + own.children_system, time.monotonic()


def others_share(before: tuple[float, float, float], after: tuple[float, float, float]) -> float:
    """Share of all cores that other programs used between two calls of `processor_seconds`: 0 to 1."""
    all_busy, own, clock = (late - early for early, late in zip(before, after, strict=True))
    return min(1.0, max(0.0, (all_busy - own) / (clock * (os.cpu_count() or 1))))


def peak_memory() -> float:
    """The most memory that this process has had so far, in MB: VmHWM, since ru_maxrss may be that of its parent.

    0 on systems without /proc.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
