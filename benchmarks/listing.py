"""Measures how fast a folder of DICOM files is listed, and the memory: `python -m benchmarks.listing`.

Claim: 100,000 files are listed within 60 s on two cores.

The files are derived from real ones (_small_files.py) and were written a moment before, so that they are in memory; a
disk or a share that has to seek for each file takes its own time on top. A loop that reads the headers with pydicom
and keeps nothing reads every twentieth of them, before and after.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median

from pydicom import dcmread

from benchmarks._section import put
from benchmarks._small_files import SLICES, write_files
from benchmarks._timing import others_share, peak_memory, processor, processor_seconds
from engine.dicom.listing import open_path

TITLE = "Listing 100,000 DICOM files"
SHARE = 20
"""The loop reads one file of so many."""


def listed(folder: Path) -> dict[str, float]:
    """One listing in this process: wall-clock and CPU seconds, peak memory in MB, and what was found."""
    before = peak_memory()
    clock, busy = time.perf_counter(), time.process_time()
    listing = open_path(folder)
    seconds, cpu = time.perf_counter() - clock, time.process_time() - busy
    files = sum(len(series.frames) for study in listing.studies for series in study.series)
    found = {"files": files, "studies": len(listing.studies), "rejected": len(listing.rejected)}
    return {"seconds": seconds, "cpu": cpu, "start": before, "peak": peak_memory(), **found}


def plain_loop(folder: Path) -> tuple[float, float]:
    """Wall-clock and CPU milliseconds a file of a loop with pydicom."""
    files = sorted(folder.rglob("IM*"))[::SHARE]
    clock, busy = time.perf_counter(), time.process_time()
    for file in files:
        dcmread(file, stop_before_pixels=True)
    seconds, cpu = time.perf_counter() - clock, time.process_time() - busy
    return 1000 * seconds / len(files), 1000 * cpu / len(files)


def main() -> None:
    """Write the files, list them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help=f'replace the section "{TITLE}" of this file')
    parser.add_argument("--list", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list:
        print(json.dumps(listed(options.list)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_files(folder, options.files)
        before = processor_seconds()
        loops = [plain_loop(folder)]
        again = [sys.executable, "-m", "benchmarks.listing", "--list", str(folder)]
        runs = []
        for _ in range(options.rounds):
            runs.append(json.loads(subprocess.run(again, stdout=subprocess.PIPE, check=True, text=True).stdout))
            loops.append(plain_loop(folder))
        others = others_share(before, processor_seconds())
    seconds, cpu, start, peak = (median(run[name] for run in runs) for name in ("seconds", "cpu", "start", "peak"))
    (files,), (studies,), (rejected,) = ({run[name] for run in runs} for name in ("files", "studies", "rejected"))
    loop, loop_cpu = (mean(column) for column in zip(*loops, strict=True))
    text = (
        f"{processor()}, {os.cpu_count()} cores; other programs used {100 * others:.0f} % of them. {files:,} files in "
        f"{studies:,} studies of {SLICES} slices, {rejected} rejected; medians of {len(runs)} processes. "
        "`python -m benchmarks.listing`\n\n"
        "| | wall clock, s | CPU, s | CPU, ms a file | files a second |\n|---|---:|---:|---:|---:|\n"
        f"| listing | {seconds:.0f} | {cpu:.0f} | {1000 * cpu / files:.2f} | {files / seconds:,.0f} |\n"
        f"| reading the headers with pydicom (a part, projected) | {loop * files / 1000:.0f} | "
        f"{loop_cpu * files / 1000:.0f} | {loop_cpu:.2f} | {1000 / loop:,.0f} |\n\n"
        f"The process had at most {peak:.0f} MB, and {start:.0f} MB before it began to list: "
        f"{1000 * max(0.0, peak - start) / files:.1f} KB a file. One core does the work; its CPU seconds are what it "
        "would need by itself. The files were in memory: a cold disk could not be measured on this machine."
    )
    print(text)
    if options.markdown:
        put(options.markdown, TITLE, text)


if __name__ == "__main__":
    main()
