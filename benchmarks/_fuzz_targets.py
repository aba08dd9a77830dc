"""What `benchmarks.hostile` feeds with damaged bytes: real seeds of each kind of file, and what reads them.

A coverage-guided run keeps the bytes that reached a line of the engine which none had reached before, and damages those
as often as the seeds. Knows nothing of processes.
"""

import csv
import io
import json
import random
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import engine
from benchmarks import _fault_cases as cases
from benchmarks import _fault_damage as damage
from benchmarks._hostile_inputs import SAMPLES
from benchmarks._processes import run
from benchmarks.fuzz_worker import mutated, show, sources
from engine.errors import UserError
from engine.importing.csv_files import read_reports
from engine.importing.source import FoundCase
from engine.models import manifest
from engine.resources import resource_path
from engine.store.folder.folder_store import DATABASE
from engine.text.deidentify import clean

ENGINE = str(Path(engine.__file__).parent)
LARGEST_CASE = 1 << 20
"""Bytes of what is kept for further damage."""


@dataclass(frozen=True)
class Target:
    """One kind of file."""

    seeds: Callable[[Path], list[bytes]]
    """Sound files; the folder is for what they are made in."""
    read: Callable[[Path], object]
    """Reads a damaged one, as the app does."""
    suffix: str = ""
    damage: Callable[[bytes, random.Random], bytes] = mutated


def _dicom_seeds(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sources()]


def _zip_seeds(folder: Path) -> list[bytes]:
    found = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name in ("CT_small.dcm", "MR_small_RLE.dcm"):
                archive.write(SAMPLES / name, f"folder/{name}")
            archive.writestr("notes.txt", "no image")
        found.append(stream.getvalue())
    return found


def _csv_seeds(folder: Path) -> list[bytes]:
    rows = [
        ("id", "text", "modality", "age"),
        ("1", "Dr. Anna Bauer, 12.03.2021: Kein Erguß, kein Infiltrat.", "CR", "044Y"),
        ("2", 'She said "no pain" on 3 March 2021; call +43 1 4000 1234 or a.bauer@klinik.example.', "CT", "61"),
    ]
    found = []
    for separator, coding in ((",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16")):
        stream = io.StringIO()
        csv.writer(stream, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(rows)
        found.append(stream.getvalue().encode(coding))
    return found


def _read_csv(path: Path) -> None:
    for one in read_reports(path):
        if isinstance(one, FoundCase):
            clean(one.text, one.identifiers)


def _manifest_seeds(folder: Path) -> list[bytes]:
    return [(resource_path("starter-bundle") / manifest.FILE_NAME).read_bytes()]


def _mutated_json(data: bytes, dice: random.Random) -> bytes:
    """JSON with other values, half of the time; damaged bytes are seldom JSON."""
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, dict) or not entries or dice.random() < 0.5:
        return mutated(data, dice)
    for _ in range(dice.choice((1, 1, 2, 3))):
        damage.replace_entry(entries, dice)
    return json.dumps(entries).encode()


def _read_manifest(path: Path) -> None:
    place = path.rename(path.with_name(manifest.FILE_NAME))
    found = manifest.read(place.parent)
    manifest.choose_variant(found, None, on_gpu=False)
    manifest.damaged_files(place.parent, found)


def _archive(folder: Path) -> Path:
    """A sound archive."""
    made = folder / "intact"
    if not made.exists():
        run(cases.importing(made, cases.write_source(folder / "source")))
    return made


def _archive_seeds(folder: Path) -> list[bytes]:
    return [(_archive(folder) / DATABASE).read_bytes()]


def _read_archive(path: Path) -> None:
    intact, copy = _archive(path.parent.parent), path.parent / "archive"
    shutil.copytree(intact, copy)
    path.replace(copy / DATABASE)
    for beside in copy.glob(f"{DATABASE}-*"):
        beside.unlink()
    damage.reading(copy)(lambda line: None)


TARGETS = {
    "DICOM": Target(_dicom_seeds, show),
    "ZIP": Target(_zip_seeds, show, ".zip"),
    "CSV": Target(_csv_seeds, _read_csv, ".csv"),
    "manifest of a bundle": Target(_manifest_seeds, _read_manifest, damage=_mutated_json),
    "archive.db": Target(_archive_seeds, _read_archive),
}


class Fuzzer:
    """Damages files of one kind, again and again."""

    def __init__(self, target: Target, seed: int, folder: Path) -> None:
        self._target, self._dice, self._folder = target, random.Random(seed), folder
        self._kept = target.seeds(folder)
        self._first = len(self._kept)
        self._lines: set[tuple[str, int]] = set()

    def one(self) -> Callable[[], str]:
        """Write a damaged file. What reads it returns "read" or "told", and raises what is a bug."""
        recent = self._kept[self._first :]
        parent = self._dice.choice(recent if recent and self._dice.random() < 0.5 else self._kept)
        data = self._target.damage(parent, self._dice)
        place = self._folder / "case"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        path = place / f"file{self._target.suffix}"
        path.write_bytes(data)

        def read() -> str:
            before = len(self._lines)
            try:
                with _tracing(self._lines):
                    end = "told" if self._target.read(path) == "refused" else "read"
            except UserError:
                end = "told"
            if len(self._lines) > before and len(data) <= LARGEST_CASE:
                self._kept.append(data)
            return end

        return read

    @property
    def lines(self) -> int:
        """Lines of the engine that were reached."""
        return len(self._lines)

    @property
    def kept(self) -> int:
        """Damaged files that reached new ones."""
        return len(self._kept) - self._first


@contextmanager
def _tracing(lines: set[tuple[str, int]]) -> Iterator[None]:
    """Add the lines of the engine that are reached."""

    def local(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        return local if _in_engine(frame.f_code.co_filename) else None

    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(None)


@cache
def _in_engine(name: str) -> bool:
    return name.startswith(ENGINE)
