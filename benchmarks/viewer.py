"""Measures how fast the viewer opens, scrolls and changes the window: `python -m benchmarks.viewer`.

Claim: it is faster than a plain loop over the files, and no frame exceeds its time limit.

500 slices of 512 x 512 and 12 of 3000 x 2500, derived from one real CT slice, in four transfer syntaxes. Each series is
read by a plain pydicom loop in a process of its own (`dcmread(file).pixel_array`), opened in the real window, painting
included, and read by the loop once more; without a display under Xvfb. `--slices N` for a quick look, `--only RLE` for
one syntax, `--markdown docs/viewer-speed.md` keeps the table.

Wall-clock times depend on other load on the machine, so each row also gives the share that other programs used and the
CPU time of the work itself.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks._timing import others_share, processor, processor_seconds
from benchmarks.viewer_data import SYNTAXES, write_series

PLAIN_LOOP = """
import sys, time
from pathlib import Path
from pydicom import dcmread
files = sorted(Path(sys.argv[1]).iterdir())
for file in files:
    file.read_bytes()
start, busy = time.perf_counter(), time.process_time()
for file in files:
    dcmread(file).pixel_array
print(time.perf_counter() - start, time.process_time() - busy)
"""
SCREEN = "-screen 0 1600x1000x24"
LARGE = (2500, 3000)
COLUMNS = (
    *("series (derived)", "first slice, ms", "index jumps", "plain loop, s (CPU)", "all slices, s (CPU)", "faster by"),
    *("scroll, ms: median / p95 (CPU)", "window drag, ms: median / p95 (CPU)", "limit, ms", "memory / pixels"),
    *("window usable, s (CPU)", "used by others", "kept"),
)
NOTE = """
Kept means, by wall clock: first slice within 0.5 s (512 x 512) and its number never changed; all slices at least 1.5
times as fast as the loop (512 x 512, compressed), whose time is the mean of one before and one after the window's; p95
of scroll and drag within the limit; memory at most 1.3 times the pixels' bytes beyond what the app holds without them;
window usable within 2 s of its start. CPU: processor time of all threads for the same, the most that an idle machine
would need. "Used by others": the share of both cores that other programs used meanwhile.
"""


def plain_loop(folder: Path) -> tuple[float, float]:
    """Seconds by the clock and of the processor; the files are in the system's cache."""
    run = subprocess.run([sys.executable, "-c", PLAIN_LOOP, folder], capture_output=True, check=True, text=True)
    clock, busy = run.stdout.split()
    return float(clock), float(busy)


IN_WINDOW = """
import runpy
from desktop.__main__ import load_app  # as the app itself starts
load_app()
runpy.run_module("benchmarks.viewer_window", run_name="__main__")
"""


def in_window(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", IN_WINDOW, str(folder), str(time.monotonic())]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def row(name: str, limit: int, loop: tuple[float, float], found: dict[str, Any], others: float) -> str:
    scroll, drag = found["scroll"], found["drag"]
    faster = loop[0] / found["all_s"]
    kept = [
        (found["first_s"] <= 0.5 or limit > 16) and not found["jumps"],
        max(scroll["p95"], drag["p95"]) <= limit,
        found["memory_ratio"] <= 1.3,
        found["usable_s"] <= 2,
        "uncompressed" in name or limit > 16 or faster >= 1.5,
    ]
    cells = [
        name,
        f"{1000 * found['first_s']:.0f}",
        str(found["jumps"]),
        f"{loop[0]:.2f} ({loop[1]:.2f})",
        f"{found['all_s']:.2f} ({found['all_cpu']:.2f})",
        f"{faster:.1f} x",
        f"{scroll['median']:.1f} / {scroll['p95']:.1f} ({scroll['cpu']:.1f})",
        f"{drag['median']:.1f} / {drag['p95']:.1f} ({drag['cpu']:.1f})",
        str(limit),
        f"{found['memory_ratio']:.2f}",
        f"{found['usable_s']:.1f} ({found['usable_cpu']:.1f})",
        f"{100 * others:.0f} %",
        "yes" if all(kept) else "NO",
    ]
    return f"| {' | '.join(cells)} |"


def measured(base: Path, name: str, large: bool, slices: int) -> str:
    """One row of the table."""
    folder, limit, count = base / f"{name}{large}", 33 if large else 16, 12 if large else slices
    write_series(folder, SYNTAXES[name], count, *(LARGE if large else (0, 0)))
    before = processor_seconds()
    first, found, last = plain_loop(folder), in_window(folder), plain_loop(folder)
    loop = (first[0] + last[0]) / 2, (first[1] + last[1]) / 2
    others = others_share(before, processor_seconds())
    shutil.rmtree(folder)
    return row(f"{name}, {count} of {'3000 x 2500' if large else '512 x 512'}", limit, loop, found, others)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--slices", type=int, default=500)
    options.add_argument("--only", choices=SYNTAXES)
    options.add_argument("--markdown", type=Path, metavar="FILE")
    chosen = options.parse_args()
    if not os.environ.get("DISPLAY"):
        if not shutil.which("xvfb-run"):
            sys.exit("No display found: install xvfb, or run this in a desktop session.")
        again = ["xvfb-run", "-a", "-s", SCREEN, sys.executable, "-m", "benchmarks.viewer", *sys.argv[1:]]
        os.execvp(again[0], again)
    conditions = (
        f"{processor()}, {os.cpu_count()} cores. Files and the app in the system's cache; times end with the painting."
    )
    head = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"
    print(conditions, head, sep="\n\n", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as base:
        measured(Path(base), "uncompressed", large=False, slices=2)  # brings the app into the system's cache
        for name in [chosen.only] if chosen.only else SYNTAXES:
            for large in (False, True):
                rows.append(measured(Path(base), name, large, chosen.slices))
                print(rows[-1], flush=True)
    print(NOTE)
    if chosen.markdown:
        title = "# Viewer speed\n\nMade by `python -m benchmarks.viewer --markdown docs/viewer-speed.md`."
        table = "\n".join([head, *rows])
        chosen.markdown.write_text(f"{title} {conditions}\n\n{table}\n{NOTE}", "utf-8")


if __name__ == "__main__":
    main()
