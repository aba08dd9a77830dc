"""Measures how fast the viewer opens, scrolls and changes the window: `python -m benchmarks.viewer`.

Claim: opening is faster than a plain loop over the files, and no frame exceeds its time limit.

500 slices of 512 x 512 and 12 of 3000 x 2500, derived from one real CT slice, in four transfer syntaxes. Each series is
read by a plain pydicom loop in a separate process (`dcmread(file).pixel_array`), opened in the real window, painting
included, and read by the loop again; under Xvfb if there is no display. `--slices N` for a quick run, `--only RLE` for
one syntax, `--markdown docs/viewer-speed.md` to write the table.

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

from benchmarks._display import require_display
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
LARGE = (2500, 3000)
COLUMNS = (
    *("series (derived)", "first slice, ms", "index jumps", "plain loop, s (CPU)", "all slices, s (CPU)", "speedup"),
    *("scroll, ms: median / p95 (CPU)", "window drag, ms: median / p95 (CPU)", "limit, ms", "memory / pixels"),
    *("window usable, s (CPU)", "CPU used by other programs", "within limits"),
)
NOTE = """
Within limits, in wall-clock time: first slice within 0.5 s (512 x 512) and its index never changes; all slices decoded
at least 1.5 times as fast as by the loop (512 x 512, compressed; mean of one run before and one after); p95 of scroll
and drag within the limit; memory growth at most 1.3 times the bytes of the pixels; window usable within 2 s of the
start. CPU: CPU time of all threads for the same work, the most that an idle machine would need. CPU used by other
programs: their share of both cores during the measurement.
"""


def plain_loop(folder: Path) -> tuple[float, float]:
    """Wall-clock and CPU seconds of the plain loop; the files are in the page cache."""
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
    """The measurements of `benchmarks.viewer_window` for one series, in a separate process."""
    command = [sys.executable, "-c", IN_WINDOW, str(folder), str(time.monotonic())]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr)
    values: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return values


def row(name: str, limit: int, loop: tuple[float, float], values: dict[str, Any], others: float) -> str:
    """One row of the table; `limit` is that of a frame in ms."""
    scroll, drag = values["scroll"], values["drag"]
    speedup = loop[0] / values["all_s"]
    checks = [
        (values["first_s"] <= 0.5 or limit > 16) and not values["jumps"],
        max(scroll["p95"], drag["p95"]) <= limit,
        values["memory_ratio"] <= 1.3,
        values["usable_s"] <= 2,
        "uncompressed" in name or limit > 16 or speedup >= 1.5,
    ]
    cells = [
        name,
        f"{1000 * values['first_s']:.0f}",
        str(values["jumps"]),
        f"{loop[0]:.2f} ({loop[1]:.2f})",
        f"{values['all_s']:.2f} ({values['all_cpu']:.2f})",
        f"{speedup:.1f} x",
        f"{scroll['median']:.1f} / {scroll['p95']:.1f} ({scroll['cpu']:.1f})",
        f"{drag['median']:.1f} / {drag['p95']:.1f} ({drag['cpu']:.1f})",
        str(limit),
        f"{values['memory_ratio']:.2f}",
        f"{values['usable_s']:.1f} ({values['usable_cpu']:.1f})",
        f"{100 * others:.0f} %",
        "yes" if all(checks) else "NO",
    ]
    return f"| {' | '.join(cells)} |"


def measure_series(base: Path, name: str, large: bool, slices: int) -> str:
    """Measure one series; its row of the table."""
    folder, limit, count = base / f"{name}{large}", 33 if large else 16, 12 if large else slices
    write_series(folder, SYNTAXES[name], count, *(LARGE if large else (0, 0)))
    before = processor_seconds()
    first, values, last = plain_loop(folder), in_window(folder), plain_loop(folder)
    loop = (first[0] + last[0]) / 2, (first[1] + last[1]) / 2
    others = others_share(before, processor_seconds())
    shutil.rmtree(folder)
    return row(f"{name}, {count} of {'3000 x 2500' if large else '512 x 512'}", limit, loop, values, others)


def main() -> None:
    """Measure every series, print the table, and write it to the file of --markdown."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--slices", type=int, default=500)
    options.add_argument("--only", choices=SYNTAXES)
    options.add_argument("--markdown", type=Path, metavar="FILE")
    chosen = options.parse_args()
    require_display("benchmarks.viewer")
    conditions = f"{processor()}, {os.cpu_count()} cores. Files and app in the page cache; times include painting."
    head = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"
    print(conditions, head, sep="\n\n", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as base:
        measure_series(Path(base), "uncompressed", large=False, slices=2)  # loads the app into the page cache
        for name in [chosen.only] if chosen.only else SYNTAXES:
            for large in (False, True):
                rows.append(measure_series(Path(base), name, large, chosen.slices))
                print(rows[-1], flush=True)
    print(NOTE)
    if chosen.markdown:
        title = "# Viewer speed\n\nMade by `python -m benchmarks.viewer --markdown docs/viewer-speed.md`."
        table = "\n".join([head, *rows])
        old = chosen.markdown.read_text(encoding="utf-8") if chosen.markdown.is_file() else ""
        sections = old[old.index("\n## ") :] if "\n## " in old else ""  # written by hand below the table
        chosen.markdown.write_text(f"{title} {conditions}\n\n{table}\n{NOTE}{sections}", "utf-8")


if __name__ == "__main__":
    main()
