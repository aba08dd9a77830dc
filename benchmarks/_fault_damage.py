"""Damages an archive as disks and strangers do, and reads it afterwards. Does not know how often."""

import json
import random
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks._fault_cases import Doubles, content, words
from benchmarks._processes import Say
from engine.archive import Archive
from engine.models import manifest
from engine.reports.workspace import DATABASE as WORKSPACE
from engine.reports.workspace import Workspace
from engine.resources import resource_path
from engine.retrieval.search import Query, search
from engine.store.folder.folder_store import DATABASE
from engine.store.identity import KEY_FILE

PAGE = 4096


def flip(folder: Path, dice: random.Random) -> None:
    """Change one byte of the database."""
    _rewrite(folder / DATABASE, lambda data: _xor(data, dice))


def run_of_zeros(folder: Path, dice: random.Random) -> None:
    """Write zeros over a sector."""

    def change(data: bytearray) -> None:
        start = dice.randrange(len(data) // 512) * 512
        data[start : start + 512] = bytes(512)

    _rewrite(folder / DATABASE, change)


def swap(folder: Path, dice: random.Random) -> None:
    """Swap two pages."""

    def change(data: bytearray) -> None:
        a, b = (PAGE * n for n in dice.sample(range(len(data) // PAGE), 2))
        data[a : a + PAGE], data[b : b + PAGE] = data[b : b + PAGE], data[a : a + PAGE]

    _rewrite(folder / DATABASE, change)


def cut(folder: Path, dice: random.Random) -> None:
    """Cut the database off."""
    _rewrite(folder / DATABASE, lambda data: data.__delitem__(slice(dice.randrange(1, len(data)), None)))


def key(folder: Path, dice: random.Random) -> None:
    """Change, cut or remove the key."""
    path = folder / KEY_FILE
    dice.choice((lambda: _rewrite(path, lambda data: _xor(data, dice)), lambda: path.write_bytes(b"k"), path.unlink))()


def derived(folder: Path, dice: random.Random) -> None:
    """Damage a file that can be made again."""
    _rewrite(folder / dice.choice(("vectors.index", "score_scale.json")), lambda data: _xor(data, dice))


def foreign(folder: Path, dice: random.Random) -> None:
    """Put another database in place: that of a workspace."""
    Workspace.open(folder / "other").close()
    shutil.move(folder / "other" / WORKSPACE, folder / DATABASE)
    shutil.rmtree(folder / "other")


def _xor(data: bytearray, dice: random.Random) -> None:
    data[dice.randrange(len(data))] ^= dice.randrange(1, 256)


def _rewrite(path: Path, change: Callable[[bytearray], object]) -> None:
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)


def reading(folder: Path) -> Callable[[Say], object]:
    """Search an archive, show its pictures and examine it: says what it answers and what is found."""

    def work(say: Say) -> None:
        with Archive.open(folder) as archive:
            for problem in archive.problems(deep=True):
                say(f"seen {problem}")
            hits = search(archive, Doubles(str(archive.bundle_id)), Query(text=words(7))).hits
            say(f"hit {hits[0].text if hits else ''}")
            digest = content(archive)
            say(f"answer {sorted((key, hash_of(value)) for key, value in digest.items())}")

    return work


def hash_of(value: object) -> str:
    """A short name of a value."""
    return format(zlib.crc32(repr(value).encode("utf-8", "surrogateescape")), "x")


def replace_entry(entries: dict[str, Any], dice: random.Random) -> None:
    """Put a value of another kind in place of one entry, at any depth of objects."""
    part: Any = entries
    name = ""
    while isinstance(part, dict) and part and (not name or dice.random() < 0.7):
        parent, name = part, dice.choice(sorted(part))
        part = parent[name]
    parent[name] = dice.choice((None, [], "x", -1, 10**30, {}, True, [[[]]]))


def bundle_work(folder: Path, dice: random.Random) -> Callable[[Say], object]:
    """Damage a manifest and read it."""
    shutil.copy(resource_path("starter-bundle") / manifest.FILE_NAME, folder)
    path = folder / manifest.FILE_NAME
    entries = json.loads(path.read_text("utf-8"))
    if dice.random() < 0.5:
        _rewrite(path, lambda data: _xor(data, dice))
    else:
        replace_entry(entries, dice)
        path.write_text(json.dumps(entries))

    def work(say: Say) -> None:
        found = manifest.read(folder)
        manifest.choose_variant(found, None, on_gpu=False)
        for problem in manifest.damaged_files(folder, found):
            say(f"seen {problem}")

    return work
