import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UserError
from engine.models import manifest


def content(**changes: Any) -> dict[str, Any]:
    pairs = {kind: {"mean": 0.1, "std": 0.2} for kind in manifest.PAIR_KINDS}
    return {
        "schema_version": 1,
        "name": "test",
        "preprocess": {"size": 32},
        "embedding_size": 8,
        "tokenizer": {},
        "variants": {"int8": {}, "fp32": {}},
        "captioner": {},
        "calibration": pairs,
    } | changes


def write(folder: Path, value: Any) -> Path:
    (folder / "manifest.json").write_text(json.dumps(value))
    return folder


def test_a_complete_manifest_is_read_unchanged(tmp_path: Path) -> None:
    assert manifest.read(write(tmp_path, content())) == content()


def test_a_newer_version_asks_for_an_update(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"has manifest version 3, but this version of Kindred supports up to 2; update Kindred"
    ):
        manifest.read(write(tmp_path, content(schema_version=3)))


def test_other_files_are_refused_as_manifest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no model bundle"):
        manifest.read(tmp_path)
    with pytest.raises(UserError, match="not the manifest"):
        manifest.read(write(tmp_path, ["a", "list"]))
    (tmp_path / "manifest.json").write_text('{"schema_version": 1,')
    with pytest.raises(UserError, match="cannot be read"):
        manifest.read(tmp_path)


@pytest.mark.parametrize("key", ["preprocess", "embedding_size", "tokenizer", "variants", "captioner"])
def test_a_missing_entry_is_named(tmp_path: Path, key: str) -> None:
    part = content()
    del part[key]
    with pytest.raises(UserError, match=f"has no valid '{key}' entry"):
        manifest.read(write(tmp_path, part))


@pytest.mark.parametrize("constants", [{}, {"mean": 0.1}, {"mean": 0.1, "std": 0.0}, None])
def test_a_manifest_without_a_valid_score_scale_is_refused(tmp_path: Path, constants: Any) -> None:
    pairs = content()["calibration"] | {"image-report": constants}
    with pytest.raises(UserError, match="score scale of image-report"):
        manifest.read(write(tmp_path, content(calibration=pairs)))


def test_a_cpu_prefers_int8_and_a_gpu_fp16() -> None:
    both = content(variants={"fp32": {}, "int8": {}, "fp16": {}})
    assert manifest.choose_variant(both, None, on_gpu=False) == "int8"
    assert manifest.choose_variant(both, None, on_gpu=True) == "fp16"
    assert manifest.choose_variant(content(), None, on_gpu=True) == "fp32"
    assert manifest.choose_variant(content(), "fp32", on_gpu=False) == "fp32"


def test_a_missing_variant_is_refused() -> None:
    with pytest.raises(UserError, match="no variant 'fp16'; choose one of: int8, fp32"):
        manifest.choose_variant(content(), "fp16", on_gpu=True)
    with pytest.raises(UserError, match="no model variant"):
        manifest.choose_variant(content(variants={}), None, on_gpu=False)


def test_a_file_is_used_only_if_it_matches_its_entry(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"weights")
    entry = manifest.file_entry(path)
    assert entry["bytes"] == 7
    assert manifest.checked_file(tmp_path, entry, "image model") == path
    path.write_bytes(b"weighty")
    with pytest.raises(UserError, match=r"model\.onnx in the bundle .* is damaged"):
        manifest.checked_file(tmp_path, entry, "image model")
    path.unlink()
    with pytest.raises(UserError, match=r"model\.onnx \(image model\) is missing"):
        manifest.checked_file(tmp_path, entry, "image model")
    with pytest.raises(UserError, match="does not list the image model"):
        manifest.checked_file(tmp_path, None, "image model")


def test_a_manifest_cannot_refer_to_files_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "outside.onnx").write_bytes(b"weights")
    entry = manifest.file_entry(tmp_path / "outside.onnx") | {"file": "../outside.onnx"}
    (tmp_path / "bundle").mkdir()
    with pytest.raises(UserError, match="outside its folder"):
        manifest.checked_file(tmp_path / "bundle", entry, "image model")
