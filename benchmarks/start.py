"""Measures how long the packed app takes until its window is usable: `python -m benchmarks.start`.

Run `./do package` before. Usable: the window is painted and its event loop answers. Also measures `kindred --version`,
`kindred doctor` and the size.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from pydicom.data import get_testdata_file

from benchmarks._section import put
from desktop.__main__ import WINDOW
from engine.archive import Archive

ROOT = Path(__file__).resolve().parents[1]
GOAL = 2.5
TITLE = "Start of the packed app"


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """How long a command takes."""
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def usable(program: Path, study: str, archive: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds from the start of the process to a usable window, and processor time until then."""
    command = [str(program), WINDOW, study, str(archive)]
    said = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
    return said["usable"], said["processor"]


def megabytes(folder: Path) -> float:
    """Size of the files of a folder, without links."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=ROOT / "dist" / "kindred", help="of the packed app")
    options.add_argument("--times", type=int, default=10)
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to this file")
    chosen = options.parse_args()
    program = chosen.folder / "kindred"
    if not program.exists():
        sys.exit(f"{program} does not exist; run ./do package first.")
    study = str(get_testdata_file("CT_small.dcm"))
    with tempfile.TemporaryDirectory() as name:
        Archive.create(Path(name) / "archive").close()
        environment = {**os.environ, "KINDRED_HOME": name, "QT_QPA_PLATFORM": "offscreen"}
        windows = [usable(program, study, Path(name) / "archive", environment) for _ in range(chosen.times)]
        rows = [("window usable", [one for one, _ in windows]), ("processor time of that", [one for _, one in windows])]
        for words in (["--version"], ["doctor"]):
            command = [str(program), *words]
            rows.append((f"`kindred {words[0]}`", [seconds(command, environment) for _ in range(chosen.times)]))
    lines = [f"| {what} | {median(one):.2f} | {min(one):.2f} | {max(one):.2f} |" for what, one in rows]
    text = (
        f"`python -m benchmarks.start` after `./do package`, {chosen.times} starts each, with the files in the cache "
        f"of the system; {megabytes(chosen.folder):.0f} MB. Goal: a usable window after {GOAL} s.\n\n"
        "| | median, s | least | most |\n|---|---:|---:|---:|\n" + "\n".join(lines)
    )
    print(text)
    if chosen.markdown:
        put(chosen.markdown, TITLE, text)


if __name__ == "__main__":
    main()
