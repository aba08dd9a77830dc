"""What the processes of `benchmarks.faults` do to an archive and a workspace, and what must hold of them afterwards.

The models are doubles that need no time: faults of storage do not depend on them.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks._processes import Say
from engine.archive import Archive
from engine.cli.import_cases import opened_or_created
from engine.facts.fact import Facts
from engine.importing.importer import import_path
from engine.importing.reindex import reindex
from engine.models.familiarity import FamiliarityModel
from engine.models.ranking import RankingSettings
from engine.reports.workspace import Workspace
from engine.retrieval.search import Query, search
from engine.store.case import NewCase
from engine.store.safety.json_file import read_json
from engine.store.safety.whole_file import write_whole

CAPTIONS, PICTURES = 30, 6
TOTAL = CAPTIONS + PICTURES
PAIRS = ("image-image", "image-report", "report-report")


class Doubles:
    """Stands for a bundle: the vector of a text or an image depends on its bytes."""

    def __init__(self, name: str = "doubles") -> None:
        self.id = name
        self.score_scale: dict[str, dict[str, float]] = {pair: {"mean": 0.0, "std": 0.2} for pair in PAIRS}
        self.familiarity: FamiliarityModel | None = None
        self.ranking = RankingSettings()

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [N, 48], rows of unit length."""
        return self._rows([text.encode() for text in texts])

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """As `embed_texts`."""
        return self._rows([image.tobytes() for image in images])

    image_features = embed_images

    def facts_of_image(self, image: NDArray[np.uint8]) -> Facts:
        """Nothing."""
        return {}

    def _rows(self, contents: list[bytes]) -> NDArray[np.float32]:
        seeds = [int.from_bytes(hashlib.sha256(self.id.encode() + one).digest()[:8], "big") for one in contents]
        rows = np.stack([np.random.default_rng(seed).normal(size=48) for seed in seeds])
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def words(number: int) -> str:
    """The text of a case."""
    return f"Caption number {number} of the fault benchmark"


def write_source(folder: Path) -> Path:
    """Reports and pictures to import."""
    folder.mkdir(parents=True)
    rows = ["image,text,modality"]
    for n in range(PICTURES):
        Image.fromarray(np.random.default_rng(n).integers(0, 256, (96, 96), np.uint8)).save(folder / f"{n}.png")
        rows.append(f"{n}.png,Picture {n},CT")
    (folder / "cases.csv").write_text("\n".join(rows) + "\n")
    (folder / "captions.csv").write_text("\n".join(["id,text", *(f"R{n},{words(n)}" for n in range(CAPTIONS))]) + "\n")
    return folder


def importing(folder: Path, source: Path) -> Callable[[Say], object]:
    """Import the source; says the number of each case once it is archived."""

    def work(say: Say) -> None:
        with opened_or_created(folder) as archive:
            add = archive.add_case

            def told(case: NewCase, made_by: str | None = None) -> int:
                case_id = add(case, made_by)
                say(f"case {case_id}")
                return case_id

            archive.add_case = told  # type: ignore[method-assign]
            import_path(archive, Doubles(), source)
            say("all")

    return work


def reindexing(folder: Path, name: str) -> Callable[[Say], object]:
    """Re-index with another double."""

    def work(say: Say) -> None:
        with Archive.open(folder) as archive:
            reindex(archive, Doubles(name), progress=lambda done, *_: (say(f"vector {done}"), None)[1])
            say("all")

    return work


def signing(folder: Path, first: int, count: int = 12) -> Callable[[Say], object]:
    """Write and sign reports; says each that is signed."""

    def work(say: Say) -> None:
        with Workspace.open(folder) as workspace:
            for n in range(first, first + count):
                workspace.save_edit(f"1.2.{n}", words(n), "reader")
                say(f"typed {n}")
                workspace.sign(f"1.2.{n}", "reader")
                say(f"signed {n}")

    return work


def saving(path: Path, count: int = 60) -> Callable[[Say], object]:
    """Replace a small file many times, as settings are; says each number that is saved."""

    def work(say: Say) -> None:
        for n in range(count):
            write_whole(path, [json.dumps({"number": n, "filler": "x" * 5000}).encode()])
            say(f"saved {n}")

    return work


def check_archive(folder: Path, cases: int, complete: bool = False) -> Callable[[Say], object]:
    """Say what is wrong with an archive that was told to have at least so many cases."""

    def work(say: Say) -> None:
        with Archive.open(folder) as archive:
            for problem in archive.problems(deep=True):
                say(f"damaged: {problem}")
            found = archive.case_ids(limit=10_000)
            if len(found) < cases or (complete and len(found) != TOTAL):
                say(f"lost: {len(found)} cases of {TOTAL if complete else cases}")
            if complete:
                texts = set(archive.reports_of(found).values())
                for n in range(CAPTIONS):
                    if words(n) not in texts:
                        say(f"lost: {words(n)}")
                hit = search(archive, Doubles(str(archive.bundle_id)), Query(text=words(7))).hits[0]
                if hit.text != words(7):
                    say(f"wrong hit: {hit.text}")

    return work


def check_workspace(folder: Path, said: Sequence[str]) -> Callable[[Say], object]:
    """Say which of the reports that were said to be typed or signed are not."""

    def work(say: Say) -> None:
        with Workspace.open(folder) as workspace:
            for line in said:
                state, number = line.split()
                report = workspace.load(f"1.2.{number}")
                wanted = ("signed",) if state == "signed" else ("edited", "signed")
                if report is None or report.text != words(int(number)) or report.state not in wanted:
                    say(f"lost: {line}")

    return work


def check_saved(path: Path, said: Sequence[str]) -> Callable[[Say], object]:
    """Say whether a file that was replaced lacks what was said last."""

    def work(say: Say) -> None:
        if said and read_json(path)["number"] < int(said[-1].split()[1]):
            say(f"lost: {said[-1]}")

    return work


def content(archive: Archive) -> dict[str, Any]:
    """Everything that an archive answers: cases, facts, texts, pictures."""
    found: dict[str, Any] = {"bundle": archive.bundle_id}
    for case_id in archive.case_ids(limit=10_000):
        case = archive.case(case_id)
        found[f"case {case_id}"] = repr(case)
        found |= {f"image {one.image_id}": archive.image(one.image_id).tobytes() for one in case.images}
    ids = archive.index.rows().ids
    vectors = archive.index.vectors(ids)
    return found | {"ids": ids.tobytes(), "vectors": None if vectors is None else vectors.tobytes()}
