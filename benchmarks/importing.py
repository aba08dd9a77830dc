"""Measures an import beside a plain loop over the same images: `python -m benchmarks.importing`.

Claim: three times as fast as the loop on two cores, or what it is that limits it.

The loop takes one image after the other: it reads and decodes it, looks for burned-in text, embeds it, and adds the
case to an archive, with the functions that the import uses. It runs on one core, and on all, which the networks then
share within each picture. Each run is a process with an archive of its own; the kinds take turns.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._import_source import write_source
from benchmarks._section import put
from benchmarks._timing import others_share, peak_memory, processor, processor_seconds
from engine.archive import Archive
from engine.bundle import Bundle
from engine.facts.fact import first_of
from engine.facts.from_words import facts_of_words
from engine.importing.importer import import_path, read_all
from engine.importing.prefetch import AHEAD
from engine.importing.source import FoundCase
from engine.models.burned_in import without_text
from engine.models.text_detector import text_detector
from engine.progress import ignore, never
from engine.store.case import CaseFacts, NewCase, NewImage, NewReport
from engine.store.thumbnail import shrink
from engine.text.deidentify import clean

TITLE = "Import"
ONE_CORE, LOOP, ONE_BY_ONE, IMPORT = "loop on one core", "loop", "import without reading ahead", "import"
NAMES = {
    ONE_CORE: "plain loop, on one core",
    LOOP: "plain loop, on all cores",
    ONE_BY_ONE: "the import, one image after the other",
    IMPORT: "the import",
}
QUIET = 0.1
BUSY = (
    "Where other programs use so much of the cores, wall-clock times and their ratios say little of a machine of one's "
    "own, and the CPU says what each kind needs. "
)
READ, CHECK, EMBED, WORDS, WRITE = "read and decode", "look for burned-in text", "embed images", "texts", "write"


class Stages:
    """CPU seconds of this process by what they were used for."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys((READ, CHECK, EMBED, WORDS, WRITE), 0.0)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Count the block."""
        start = time.process_time()
        yield
        self.seconds[name] += time.process_time() - start


def plain_loop(archive: Archive, bundle: Bundle, source: Path, reports: Path) -> tuple[int, dict[str, float]]:
    """Archive every case, one image after the other; the number of images, and the CPU seconds of each stage."""
    images, stages, detector = 0, Stages(), text_detector()
    with stages.of(READ):
        _, found, extra = read_all(source, reports, ignore, never)
        cases, _ = extra.beside(found)
    for case in cases:
        assert isinstance(case, FoundCase)
        new = []
        for image in case.images:
            with stages.of(READ):
                loaded = image.load()
            with stages.of(CHECK):
                gray = shrink(without_text(loaded.gray, detector)[0])
            with stages.of(EMBED):
                new.append(NewImage(gray, bundle.embed_images([gray])[0], image.key, loaded.window, image.frame))
        facts: dict[str, Any] = {one.name: getattr(case, one.name) for one in fields(CaseFacts)}
        with stages.of(WORDS):
            text = clean(case.text, case.identifiers).text
            report = NewReport(text, bundle.embed_texts([text])[0]) if text else None
            facts["facts"] = first_of(case.facts, facts_of_words(text or case.description))
        with stages.of(EMBED):
            if not {"modality", "region"} <= facts["facts"].keys():
                facts["facts"] = first_of(facts["facts"], bundle.facts_of_image(new[0].gray))
        with stages.of(WRITE):
            archive.add_case(NewCase(**facts, images=tuple(new), report=report), bundle.id)
        images += len(new)
    with stages.of(WRITE):
        archive.index.refresh(save=True)
    return images, stages.seconds


def run(kind: str, source: Path, reports: Path) -> dict[str, Any]:
    """One run in this process; the models are loaded before."""
    if kind == ONE_CORE:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    bundle = Bundle.open()
    bundle.embed_texts(["chest"])
    stages: dict[str, float] = {}
    again = 0.0
    with tempfile.TemporaryDirectory() as folder, Archive.create(Path(folder) / "archive", bundle.id) as archive:
        clock, busy = time.perf_counter(), time.process_time()
        if kind in (ONE_CORE, LOOP):
            images, stages = plain_loop(archive, bundle, source, reports)
        else:
            images = import_path(archive, bundle, source, reports, ahead=0 if kind == ONE_BY_ONE else AHEAD).images
        seconds, cpu = time.perf_counter() - clock, time.process_time() - busy
        peak = peak_memory()
        if kind == IMPORT:
            clock = time.perf_counter()
            assert import_path(archive, bundle, source, reports).images == 0
            again = time.perf_counter() - clock
    return {"seconds": seconds, "cpu": cpu, "peak": peak, "images": images, "stages": stages, "again": again}


def told(runs: dict[str, list[dict[str, Any]]], others: float) -> str:
    """The table, and what limits the import."""

    def middle(kind: str, name: str) -> float:
        return float(median(one[name] for one in runs[kind]))

    cores = os.cpu_count() or 1
    images = runs[IMPORT][0]["images"]
    lines = []
    for kind, name in NAMES.items():
        seconds = middle(kind, "seconds")
        ratio = median(one["seconds"] / other["seconds"] for one, other in zip(runs[LOOP], runs[kind]))
        lines.append(
            f"| {name} | {seconds:.1f} | {ratio:.2f} x | {middle(kind, 'cpu'):.1f} | {images / seconds:.1f} | "
            f"{middle(kind, 'peak'):.0f} |"
        )
    stages = {name: median(one["stages"][name] for one in runs[ONE_CORE]) for name in runs[ONE_CORE][0]["stages"]}
    whole = sum(stages.values())
    parts = ", ".join(f"{name} {1000 * own / images:.0f} ms" for name, own in stages.items())
    least = middle(IMPORT, "cpu") / cores
    share = stages[CHECK] / whole
    alone = middle(ONE_CORE, "cpu")
    return (
        f"{processor()}, {cores} cores; other programs used {100 * others:.0f} % of them. {images} images: of the "
        "sample archive with their reports, CT slices of 512 x 512 and radiographs of 1955 x 1841 (derived). "
        f"{len(runs[IMPORT])} processes each, in turn; medians. `python -m benchmarks.importing`\n\n"
        "| | wall clock, s | beside the loop on all cores | CPU, s | images a second | peak memory, MB |\n"
        "|---|---:|---:|---:|---:|---:|\n" + "\n".join(lines) + "\n\n"
        f"{BUSY if others > QUIET else ''}"
        f"CPU of the loop on one core, each image: {parts}; {1000 * whole / images:.0f} ms in all.\n\n"
        f"Three times the loop cannot be reached on {cores} cores: the import needs {least * cores:.1f} s of CPU, "
        f"which {cores} cores give in {least:.1f} s, and the loop on one core needs {alone:.1f} s. Beside that "
        f"{alone / least:.1f} times is the most, and beside all cores it is less, since the loop then shares each "
        f"network between them. {100 * share:.0f} % of the CPU is the network that looks for text, which has to see "
        "every picture. What reading ahead gains is the time in which a core waits: between the layers of a network, "
        "and while an image is decoded, packed and written. On more cores up to eight pictures are looked at. "
        f"The same folder again takes {middle(IMPORT, 'again'):.1f} s: its files are listed, and no image is decoded."
    )


def main() -> None:
    """Write the images, run each kind in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=100, help="and half as many DICOM images")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help=f'replace the section "{TITLE}" of this file')
    parser.add_argument("--run", nargs=3, metavar=("KIND", "SOURCE", "REPORTS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run(options.run[0], *map(Path, options.run[1:]))))
        return
    runs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in NAMES}
    with tempfile.TemporaryDirectory() as folder:
        source, reports = write_source(Path(folder), options.pictures)
        before = processor_seconds()
        for _ in range(options.rounds):
            for kind in NAMES:
                again = [sys.executable, "-m", "benchmarks.importing", "--run", kind, str(source), str(reports)]
                ended = subprocess.run(again, stdout=subprocess.PIPE, check=True, text=True)
                runs[kind].append(json.loads(ended.stdout))
                print(kind, runs[kind][-1], file=sys.stderr, flush=True)
        others = others_share(before, processor_seconds())
    text = told(runs, others)
    print(text)
    if options.markdown:
        put(options.markdown, TITLE, text)


if __name__ == "__main__":
    main()
