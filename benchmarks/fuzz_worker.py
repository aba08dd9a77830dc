"""Damages one real file by a seed and opens it as the viewer would; crashes are detected by the parent process.

Reads one seed per line and answers each with one line of JSON: {"seed", "file", "end", "detail"}; `end` is "shown",
"refused" (a UserError or a reason in the listing) or "bug" (any other exception, with its traceback). Run by
`benchmarks.fuzz`.
"""

import json
import random
import resource
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path

import data_store
import pydicom.data

from desktop.state.pictures.picture import PictureRequest, make_picture, thumbnail
from engine.dicom.listing import open_path
from engine.dicom.tag_list import tag_list
from engine.errors import UserError
from engine.image.pixels import read_frame
from engine.image.window import auto_window, default_window
from engine.study import Series

LARGEST = 600_000
"""Bytes of the largest file used; larger ones are slow and have the same formats as the smaller ones."""
MEMORY = 6 << 30
"""Address space limit of a worker in bytes, so that absurd allocations fail."""
_WORDS = (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\xff\xff\xff\x7f", b"\x01\x00\x00\x00", b"\xfe\xff\xff\xff")
_MARKS = (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0", b"\xe0\x7f\x10\x00", b"\xff\xd9", b"\xff\xd8", b"SQ", b"UN", b"OB")


@cache
def sources() -> tuple[Path, ...]:
    """The real files of pydicom and pydicom-data that are small enough, sorted by name."""
    folders = (Path(pydicom.data.__file__).parent, Path(data_store.__file__).parent / "data")
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file() and file.suffix != ".py")
    return tuple(sorted((file for file in files if 0 < file.stat().st_size <= LARGEST), key=lambda file: file.name))


def damaged(seed: int) -> tuple[Path, bytes]:
    """A real file and its bytes after one to three kinds of damage; the same seed gives the same bytes."""
    dice = random.Random(seed)
    source = dice.choice(sources())
    return source, mutated(source.read_bytes(), dice)


def mutated(data: bytes, dice: random.Random) -> bytes:
    """The bytes after one to three kinds of damage."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 3))):
        if changed:
            dice.choice(_DAMAGE)(changed, dice)
    return bytes(changed)


def _offset(data: bytearray, dice: random.Random) -> int:
    """A random offset, more often in the header, where damage has more effect."""
    return dice.randrange(min(len(data), dice.choice((1500, len(data), len(data)))))


def _flip(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 1, 2, 8))):
        data[_offset(data, dice)] ^= 1 << dice.randrange(8)


def _overwrite(data: bytearray, dice: random.Random) -> None:
    start, size = _offset(data, dice), dice.choice((1, 2, 4, 40, 400))
    data[start : start + size] = dice.randbytes(size)


def _word(data: bytearray, dice: random.Random) -> None:
    """Write a length, count or delimiter of the format at a random offset."""
    start, word = _offset(data, dice), dice.choice(_WORDS + _MARKS)
    data[start : start + len(word)] = word


def _cut(data: bytearray, dice: random.Random) -> None:
    del data[_offset(data, dice) :]


def _leave_out(data: bytearray, dice: random.Random) -> None:
    start = _offset(data, dice)
    del data[start : start + dice.choice((1, 2, 8, 100, 5000))]


def _repeat(data: bytearray, dice: random.Random) -> None:
    start, size = _offset(data, dice), dice.choice((1, 8, 100, 5000))
    data[start:start] = data[start : start + size]


_DAMAGE: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(
        _flip,
        _flip,
        _flip,
        _flip,
        _overwrite,
        _overwrite,
        _word,
        _word,
    ),  # weighted: these leave decodable files more often
    *(_cut, _leave_out, _repeat),
)


def show(path: Path) -> str:
    """Open this file and render it as the viewer does; "shown" or "refused"."""
    listing = open_path(path)
    stacks = [series for study in listing.studies for series in study.series]
    shown = [_render(series, index) for series in stacks[:1] for index in {0, len(series.frames) - 1}]
    shown += [_render(series, len(series.frames) - 1) for series in stacks[1:][-1:]]
    return "shown" if any(shown) else "refused"


def _render(series: Series, index: int) -> bool:
    """Read its elements; render it at three windows and three sizes, and its thumbnail. False if it is refused."""
    ref = series.frames[index]
    try:
        tag_list(ref.image)
        pixels = read_frame(ref)
    except UserError:
        return False
    for window in (None,) if pixels.is_color else (None, default_window(pixels), auto_window(pixels)):
        for halvings in (0, 1, 3):
            make_picture(PictureRequest(series, index, window, bool(halvings), pixels, halvings))
    thumbnail(ref, pixels)
    return True


def answer(seed: int, folder: Path) -> dict[str, object]:
    """Run one case with its file in `folder`; the answer of the protocol above."""
    source, data = damaged(seed)
    path = folder / f"case{source.suffix}"
    path.write_bytes(data)
    try:
        end, detail = show(path), ""
    except Exception:
        end, detail = "bug", traceback.format_exc()
    return {"seed": seed, "file": source.name, "end": end, "detail": detail}


def main() -> None:
    """Answer seeds from standard input until it ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            print(json.dumps(answer(int(line), Path(folder))), flush=True)


if __name__ == "__main__":
    main()
