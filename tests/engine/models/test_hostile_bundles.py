"""A bundle that was damaged, or made to harm, is refused in one sentence, and never by a traceback."""

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.bundle import Bundle
from engine.cli import doctor
from engine.errors import UserError
from engine.models import manifest
from engine.models.arrays import read_arrays
from engine.models.captioner import DecoderShape, generate
from engine.models.copy_guard import HEADER, MAGIC, CopyGuard
from engine.models.manifest_shape import SHAPE
from engine.resources import resource_path

STARTER = resource_path("starter-bundle")
HOSTILE = [None, [], "x", "\ud800", "a\0b", -1, 0, True, 10**30, 1e308, {}, {"file": 5}, [[[]]]]


def names(value: Any, shape: Any = SHAPE, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all entries of a manifest that something computes with."""
    if path:
        yield path
    if isinstance(value, dict) and not callable(shape):
        for key, part in value.items():
            if key in shape or "*" in shape:
                yield from names(part, shape.get(key, shape.get("*")), (*path, key))


def linked(tmp_path: Path) -> Path:
    """The starter bundle in a folder of its own."""
    for path in STARTER.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / manifest.FILE_NAME).unlink()
    return tmp_path


def test_no_wrong_type_or_number_in_a_manifest_gets_past_reading_it(tmp_path: Path) -> None:
    whole = json.loads((STARTER / manifest.FILE_NAME).read_text("utf-8"))
    whole["captioner"].pop("metrics", None)
    content = {key: whole[key] for key in ("schema_version", *SHAPE) if key in whole}
    passed = []
    for path in names(content):
        for value in HOSTILE:
            changed: Any = copy.deepcopy(content)
            part = changed
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = value
            (tmp_path / manifest.FILE_NAME).write_text(json.dumps(changed))
            try:
                read = manifest.read(tmp_path)
                manifest.choose_variant(read, None, on_gpu=False)
                manifest.damaged_files(tmp_path, read)
                passed.append((path, value))
            except UserError:
                continue
    # What may be left out, a number that is one, and names of files that are not there.
    harmless = (*HOSTILE[:1], *HOSTILE[2:3], -1, 0, {}, {"file": 5})
    assert [one for one in passed if not any(one[1] == value for value in harmless)] == []


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, '{"schema_version": 1e999}', "\xff", "null"]
)
def test_json_that_no_parser_likes_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / manifest.FILE_NAME).write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError):
        manifest.read(tmp_path)
    assert [check.mark for check in doctor.examine(tmp_path) if check.name == "bundle"] == ["PROBLEM"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "x" * 300, "a/../../b", "", "."])
def test_no_name_of_a_file_leads_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError):
        manifest.checked_file(tmp_path, {"file": name, "sha256": "0", "bytes": 1}, "image model")


def spoil_heads(folder: Path) -> str:
    arrays = read_arrays(folder / "heads.npz")
    arrays["image.last.weight"] = arrays["image.last.weight"][:, :7]
    (folder / "heads.npz").unlink()
    np.savez(folder / "heads.npz", **arrays)  # type: ignore[arg-type]
    return "heads"


def spoil_zip(folder: Path) -> str:
    (folder / "heads.npz").unlink()
    (folder / "heads.npz").write_bytes(b"PK\x03\x04" + b"\0" * 40)
    return "heads"


def spoil_words(folder: Path) -> str:
    """A token far outside the table of words of the text tower."""
    content = json.loads((STARTER / "tokenizer.json").read_text("utf-8"))
    content["model"]["vocab"]["effusion"] = 4_000_000_000
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").write_text(json.dumps(content))
    return "tokenizer"


@pytest.mark.parametrize("spoil", [spoil_heads, spoil_zip, spoil_words])
def test_files_that_do_not_fit_are_refused_although_their_checksums_are_right(
    tmp_path: Path, spoil: Callable[[Path], str]
) -> None:
    folder = linked(tmp_path)
    content = json.loads((STARTER / manifest.FILE_NAME).read_text("utf-8"))
    key = spoil(folder)
    content[key] |= manifest.file_entry(folder / content[key]["file"])
    (folder / manifest.FILE_NAME).write_text(json.dumps(content))
    with pytest.raises(UserError, match="export"):
        Bundle.open(folder).embed_texts(["pleural effusion"])


@pytest.mark.parametrize("header", [(2, 0, 5, 3, 3, 2, 1), (2, 8, 4_000_000_000, 60, 60, 2, 1), (9, 8, 1, 1, 1, 1, 1)])
def test_word_sequences_with_absurd_sizes_are_refused(tmp_path: Path, header: tuple[int, ...]) -> None:
    path = tmp_path / "ngrams.bin"
    path.write_bytes(HEADER.pack(MAGIC, *header) + b"\0" * (header[-1] + header[-2]))
    with pytest.raises(UserError):
        CopyGuard.from_file(path)


def test_a_decoder_that_says_no_number_gives_an_empty_caption(starter_bundle: Bundle) -> None:
    def step(ids: Any, condition: Any, past: Any) -> Any:
        return np.full((len(ids), 1, starter_bundle.tokenizer.size), np.nan, np.float32), past

    shape = DecoderShape(1, 1, 1, 4)
    assert generate(step, np.ones(4, np.float32), starter_bundle.tokenizer, shape).text == ""


def test_a_name_that_is_not_utf8_is_a_folder_like_any_other(tmp_path: Path) -> None:
    folder = tmp_path / "mod\udce8le"
    shutil.copytree(STARTER, folder)
    bundle = Bundle.open(folder)
    try:
        bundle.embed_texts(["x"])
    except UserError:  # onnxruntime takes no such name
        return
