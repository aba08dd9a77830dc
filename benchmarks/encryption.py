"""Measures what encryption costs an archive of 2,000 cases with images and reports: `./do bench encryption`.

Claim: encryption is not felt where a person waits: importing, searching by image or words, and showing images.

A plain and an encrypted archive get the same cases of one seed, in turn. Images are gradients with noise that take
about as many bytes as archived radiographs; vectors come from a seed, so that the time of the models is excluded.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks._section import put
from benchmarks._timing import processor
from benchmarks.archive_scale import Synthetic, report
from engine.archive import Archive
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.backup.making import Making, make
from engine.store.backup.source import archive_source
from engine.store.case import NewCase, NewImage, NewReport
from engine.store.encryption.convert import decrypt, encrypt
from engine.store.encryption.unlocked import unlock

TITLE = "An encrypted archive"
PASSPHRASE = "correct horse battery"
ROUNDS, BATCH, SHOWN = 15, 100, 9
"""Repetitions, cases written in turn, and images that a page of hits shows."""
ALWAYS = Making(always=True)
Times = dict[str, list[float]]


def picture(rng: np.random.Generator) -> NDArray[np.uint8]:
    """uint8 [512, 512]: its PNG has about 95 KB."""
    slope = np.linspace(40, 200, 512)
    return np.asarray(slope + slope[:, None] / 3 + rng.integers(0, 4, (512, 512)), np.uint8)


def cases(first: int, count: int, models: Synthetic) -> list[NewCase]:
    """Cases of a seed each, with one image and a report."""
    made = []
    for number in range(first, first + count):
        rng = np.random.default_rng([3, number])
        image, text = models.vectors([2 * number, 2 * number + 1])
        made.append(
            NewCase(
                key=str(number),
                images=(NewImage(picture(rng), image, f"{number}.0"),),
                report=NewReport(report(rng), text),
                modality="CR",
            )
        )
    return made


def timed(times: Times, what: str, run: Callable[[], object], count: int = 1) -> None:
    """Note the milliseconds of one of `count` things that a call does."""
    start = time.perf_counter()
    run()
    times.setdefault(what, []).append(1000 * (time.perf_counter() - start) / count)


def fill(folders: dict[str, Path], times: dict[str, Times], number: int, models: Synthetic) -> None:
    """Write the same cases into both archives, some of each in turn."""
    opened = {name: Archive.open(folder) for name, folder in folders.items()}
    for first in range(0, number, BATCH):
        some = cases(first, min(BATCH, number - first), models)
        for name, archive in opened.items():
            timed(times[name], "store a case", partial(store, archive, some, models), len(some))
    for archive in opened.values():
        archive.index.refresh(save=True)
        archive.close()


def store(archive: Archive, some: list[NewCase], models: Synthetic) -> None:
    """Write some cases."""
    for one in some:
        archive.add_case(one, models.id)


def use(folder: Path, times: Times, models: Synthetic, backups: Path) -> None:
    """Open, search, show, index and back up once."""
    found: list[Archive] = []
    timed(times, "open the archive", lambda: found.append(Archive.open(folder)))
    (archive,) = found
    options = SearchOptions(k=SHOWN)
    gray = np.full((512, 512), 7, np.uint8)
    timed(times, "first search, which reads the index", lambda: search(archive, models, Query(gray), options))
    timed(times, "search by image", lambda: search(archive, models, Query(gray), options))
    timed(times, "search by words", lambda: search(archive, models, Query(text="synthetic1 synthetic20"), options))
    exact = SearchOptions(k=SHOWN, mode="lexical")
    timed(times, "search by exact words", lambda: search(archive, None, Query(text="synthetic20"), exact))
    chosen = np.random.default_rng(len(times["open the archive"])).integers(1, len(archive.case_ids()) + 1, SHOWN)
    timed(times, f"show {SHOWN} images", lambda: [archive.image(int(one)) for one in chosen])
    timed(times, "index all vectors anew", archive.rebuild)
    archive.close()
    if len(times["open the archive"]) % 5 == 0:
        timed(times, "back up", lambda: make(archive_source(folder), backups, ALWAYS))


def table(times: dict[str, Times], whole: Times, number: int, size: int) -> str:
    """The section of the document."""
    plain, encrypted = times["plain"], times["encrypted"]
    rows = [
        f"| {what} | {median(plain[what]):.1f} | {median(encrypted[what]):.1f} | "
        f"{median(encrypted[what]) / median(plain[what]):.2f} |"
        for what in plain
    ]
    once = ", ".join(f"{what} {median(of) / 1000:.1f} s" for what, of in whole.items())
    return (
        f"{processor()}. {number:,} cases with an image and a report each, {size / 1e6:.0f} MB; both archives in turn "
        f"in one run, without the models; medians. Once: {once}. `./do bench encryption` prints this; "
        "[encryption.md](encryption.md) compares the libraries.\n\n"
        "| ms | plain | encrypted | ratio |\n|---|---:|---:|---:|\n" + "\n".join(rows)
    )


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--markdown", type=Path)
    chosen = parser.parse_args()
    models = Synthetic()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folders = {kind: root / kind for kind in ("plain", "encrypted")}
        for folder in folders.values():
            Archive.create(folder, models.id).close()
        encrypt(archive_source(folders["encrypted"]), PASSPHRASE)
        times: dict[str, Times] = {kind: {} for kind in folders}
        fill(folders, times, chosen.cases, models)
        for _ in range(ROUNDS):
            for kind, folder in folders.items():
                use(folder, times[kind], models, root / "backups")
        size = (folders["plain"] / "archive.db").stat().st_size
        whole: Times = {}
        timed(whole, "encrypting it", lambda: encrypt(archive_source(folders["plain"]), PASSPHRASE))
        timed(whole, "decrypting it", lambda: decrypt(archive_source(folders["plain"])))
        timed(whole, "the passphrase at the start", lambda: unlock(folders["encrypted"], PASSPHRASE))
        text = table(times, whole, chosen.cases, size)
    print(text)
    if chosen.markdown:
        put(chosen.markdown, TITLE, text)


if __name__ == "__main__":
    main()
