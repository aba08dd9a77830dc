"""Fair medians for two ways of doing the same, and the table they are shown in. Knows no models."""

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Result:
    """Median milliseconds of ours and of torch eager, and the limit that is promised."""

    what: str
    ours: float
    torch: float
    limit: float

    @property
    def row(self) -> str:
        kept = "yes" if self.ours <= self.limit else "NO"
        ratio = self.torch / self.ours
        return f"| {self.what} | {self.ours:.1f} | {self.torch:.1f} | {ratio:.1f} x | {self.limit:.0f} | {kept} |"


def compare(
    what: str, limit: float, ours: Callable[[], object], torch: Callable[[], object], rounds: int = 30
) -> Result:
    """Both in turns in one process, so that whatever else the machine does slows both alike; three warm-up rounds."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 3):
        for way, kept in zip((ours, torch), times, strict=True):
            start = time.perf_counter()
            way()
            if number >= 3:
                kept.append(1000 * (time.perf_counter() - start))
    return Result(what, median(times[0]), median(times[1]), limit)


def table(results: Sequence[Result], threads: int, note: str) -> str:
    """Markdown with the machine and the conditions."""
    lines = [
        f"{processor()}, {threads} threads. {note}",
        "",
        "| what | Kindred, ms | torch eager, ms | faster by | limit, ms | kept |",
        "|---|---|---|---|---|---|",
        *(result.row for result in results),
    ]
    return "\n".join(lines)


def processor() -> str:
    """The name of the processor as the system tells it."""
    information = Path("/proc/cpuinfo")
    names = information.read_text().splitlines() if information.is_file() else []
    return next((line.split(":")[1].strip() for line in names if line.startswith("model name")), platform.machine())


def processor_seconds() -> tuple[float, float, float]:
    """Seconds so far that all cores worked, that this program and its ended children worked, and by the clock.

    The first is 0 where the system does not tell (no /proc).
    """
    counts = Path("/proc/stat")
    busy = 0.0
    if counts.is_file():
        ticks = [int(field) for field in counts.read_text().splitlines()[0].split()[1:9]]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")  # without idle and waiting for disks
    own = os.times()
    return busy, own.user + own.system + own.children_user + own.children_system, time.monotonic()


def others_share(before: tuple[float, float, float], after: tuple[float, float, float]) -> float:
    """How much of all cores other programs took between two calls of `processor_seconds`: 0 to 1."""
    all_busy, own, clock = (late - early for early, late in zip(before, after, strict=True))
    return min(1.0, max(0.0, (all_busy - own) / (clock * (os.cpu_count() or 1))))
