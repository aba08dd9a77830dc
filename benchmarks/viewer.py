"""Claim: the viewer beats a plain loop over the files, and no frame is late. Run: `python -m benchmarks.viewer`.

500 slices of 512 x 512 and 12 of 3000 x 2500, derived from one real CT slice, in four transfer syntaxes. Each series is
read by a plain pydicom loop in a process of its own (`dcmread(file).pixel_array`), then opened in the real window,
painting included; without a display under Xvfb. `--slices N` for a quick look.
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

from benchmarks._timing import processor
from benchmarks.viewer_data import SYNTAXES, write_series

PLAIN_LOOP = """
import sys, time
from pathlib import Path
from pydicom import dcmread
files = sorted(Path(sys.argv[1]).iterdir())
for file in files:
    file.read_bytes()
start = time.perf_counter()
for file in files:
    dcmread(file).pixel_array
print(time.perf_counter() - start)
"""
SCREEN = "-screen 0 1600x1000x24"


def plain_loop(folder: Path) -> float:
    """Seconds; the files are in the system's cache."""
    return float(subprocess.run([sys.executable, "-c", PLAIN_LOOP, folder], capture_output=True, check=True).stdout)


def in_window(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.viewer_window", str(folder), str(time.monotonic())]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def row(name: str, limit: int, loop: float, found: dict[str, Any]) -> str:
    scroll, drag = found["scroll"], found["drag"]
    kept = [
        found["first_s"] <= 0.5 and not found["jumps"],
        max(scroll["p95"], drag["p95"]) <= limit,
        found["memory_ratio"] <= 1.3,
        found["usable_s"] <= 2,
        "uncompressed" in name or loop / found["all_s"] >= 1.5,
    ]
    cells = [
        name,
        f"{1000 * found['first_s']:.0f} ms",
        str(found["jumps"]),
        f"{loop:.2f} s",
        f"{found['all_s']:.2f} s",
        f"{loop / found['all_s']:.1f} x",
        f"{scroll['median']:.1f} / {scroll['p95']:.1f}",
        f"{drag['median']:.1f} / {drag['p95']:.1f}",
        str(limit),
        f"{found['memory_ratio']:.2f}",
        f"{found['usable_s']:.1f} s",
        "yes" if all(kept) else "NO",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--slices", type=int, default=500)
    slices = options.parse_args().slices
    if not os.environ.get("DISPLAY"):
        if not shutil.which("xvfb-run"):
            sys.exit("There is no display: install xvfb, or run this where there is one.")
        again = ["xvfb-run", "-a", "-s", SCREEN, sys.executable, "-m", "benchmarks.viewer", *sys.argv[1:]]
        os.execvp(again[0], again)
    print(f"{processor()}, {os.cpu_count()} cores. Files in the system's cache; times in ms end with the painting.\n")
    print(
        "| series (derived) | first slice | index jumps | plain loop | all slices | faster by | scroll, median / p95 "
        "| window drag, median / p95 | limit | memory / pixels | window usable | kept |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as base:
        for name, syntax in SYNTAXES.items():
            for size, limit, count in ((None, 16, slices), ((2500, 3000), 33, 12)):
                folder = Path(base) / f"{name}{limit}"
                write_series(folder, syntax, count, *(size or (0, 0)))
                shape = "512 x 512" if size is None else "3000 x 2500"
                loop = plain_loop(folder)
                print(row(f"{name}, {count} of {shape}", limit, loop, in_window(folder)), flush=True)
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
