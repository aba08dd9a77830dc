import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.bundle import Bundle
from engine.errors import UserError
from export import heads
from export.__main__ import main
from export.build import BuildRequest, build, training_texts
from training.data import pairs
from training.networks import checkpoint


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def test_every_variant_agrees_with_its_checkpoint(bundle_folder: Path) -> None:
    parity = manifest(bundle_folder)["parity"]
    assert parity["fp32"]["image"]["lowest_cosine"] >= 0.9999
    assert parity["fp32"]["text"]["lowest_cosine"] >= 0.9999
    assert parity["fp32"]["captioner"]["equal_captions"] == parity["fp32"]["captioner"]["captions"] == 8
    assert parity["int8"]["image"]["lowest_cosine"] >= 0.98
    assert parity["int8"]["text"]["lowest_cosine"] >= 0.98


def test_a_bundle_of_integers_only_rounds_its_projections_and_one_with_a_float_variant_does_not(
    bundle_folder: Path, tiny: BuildRequest, tmp_path: Path
) -> None:
    exact = heads.of_model(checkpoint.build(checkpoint.load(tiny.checkpoint)))
    small = build(dataclasses.replace(tiny, out=tmp_path / "small", variants=("int8",), head_bits=6, draws=2))
    for folder, error in ((bundle_folder, 1e-3), (small, 0.05)):
        kept = Bundle.open(folder).heads
        assert kept is not None
        np.testing.assert_allclose(kept.image["last.weight"], exact.image["last.weight"], atol=error)
    assert kept.image["last.weight"] != pytest.approx(exact.image["last.weight"], abs=1e-3)
    assert manifest(small)["parity"]["fp32"]["text"]["lowest_cosine"] >= 0.9999
    assert (small / "heads.npz").stat().st_size < (bundle_folder / "heads.npz").stat().st_size


def test_the_integer_models_are_smaller(bundle_folder: Path) -> None:
    variants = manifest(bundle_folder)["variants"]
    for graph in ("image", "text", "captioner"):
        assert variants["int8"][graph]["bytes"] < 0.7 * variants["fp32"][graph]["bytes"]


def test_the_manifest_says_where_the_bundle_comes_from(bundle_folder: Path) -> None:
    content = manifest(bundle_folder)
    assert content["schema_version"] == 2
    assert "Not for diagnostic use" in content["intended_use"]
    assert "within the licences of their training data" in content["licence"]
    assert content["learned_from"] == {"pictures": 48, "texts": 48, "patients": 48}
    assert content["seed"] == 3
    assert content["data_provenance"] == [
        {"name": "tests", "rows": 48, "used_for": "image and text towers, captioner", "licences": ["CC0"]}
    ]
    assert content["metrics"]["pool"]["images"] == 24
    assert set(content["calibration"]) == {"image-image", "image-report", "report-report"}


def test_what_was_learned_from_beside_the_manifests_is_told_and_recognised(tiny: BuildRequest) -> None:
    encoders, captioner = checkpoint.load(tiny.checkpoint), checkpoint.load(tiny.captioner)
    text = "An irregular hypoechoic lesion of the upper outer quadrant with spiculated margins"
    row = f"image,text,split,patient_id,split_group,source,licence\na.png,{text},train,m1,m1,Ultrasounds,CC BY\n"
    (tiny.data / "more.csv").write_text(row + row.splitlines()[1].replace("train", "val") + "\n")
    encoders.extra["settings"]["data"]["more"] = ["more.csv"]
    training = pairs.read_pairs([tiny.data / "pairs/pairs.csv"]).split("train")
    texts, sources, counts = training_texts(tiny, encoders, captioner, training)
    assert texts[-1] == text
    assert sources[-1] == {
        "name": "Ultrasounds",
        "rows": 1,
        "used_for": "image and text towers",
        "licences": ["CC BY"],
    }
    assert counts == {"pictures": 49, "texts": 49, "patients": 49}


def test_the_card_shows_use_limits_and_measurements(bundle_folder: Path) -> None:
    card = (bundle_folder / "MODEL_CARD.md").read_text()
    for part in ("Not for diagnostic use", "python -m export tiny", "chance", "24 images", "## Limits", "48 images"):
        assert part in card
    assert "COVID" not in card


def test_no_training_text_is_in_the_bundle(bundle_folder: Path, tiny: BuildRequest) -> None:
    content = b"".join(path.read_bytes() for path in bundle_folder.iterdir())
    assert b"shows a mass" not in content


def test_exporting_again_replaces_the_bundle_and_leaves_nothing_else(tiny: BuildRequest, tmp_path: Path) -> None:
    out = tmp_path / "again"
    out.mkdir()
    (out / "manifest.json").write_text("{}")
    (out / "stale.onnx").write_text("old")
    build(dataclasses.replace(tiny, out=out, variants=("fp32",), draws=2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again"]
    assert not (out / "stale.onnx").exists()
    assert list(manifest(out)["variants"]) == ["fp32"]


def test_a_folder_that_is_no_bundle_is_never_replaced(tiny: BuildRequest, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(UserError, match="is not a model bundle"):
        build(dataclasses.replace(tiny, out=tmp_path))
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_bundle_over_its_size_is_refused_and_not_left_behind(tiny: BuildRequest, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"MB too many .*onnx"):
        build(dataclasses.replace(tiny, out=tmp_path / "big", variants=("fp32",), draws=2, most_bytes=1000))
    assert list(tmp_path.iterdir()) == []


def test_images_are_streamed_where_those_of_the_training_were(tiny: BuildRequest, tmp_path: Path) -> None:
    kept = checkpoint.load(tiny.checkpoint)
    told = {"settings": {**kept.extra["settings"], "data": {"manifests": ["pairs/pairs.csv"], "stream": True}}}
    streaming = tmp_path / "encoders.pt"
    checkpoint.save(streaming, kept.kind, kept.config, checkpoint.build(kept), kept.tokenizer_json, told)
    folder = Path(shutil.copytree(tiny.data / "pairs", tmp_path / "data" / "pairs")).parent
    damaged = folder / "pairs/images/3.png"
    damaged.write_bytes(damaged.read_bytes()[:200])
    with pytest.raises(UserError, match=r"3\.png cannot be decoded"):
        build(dataclasses.replace(tiny, checkpoint=streaming, data=folder, out=tmp_path / "b", variants=("fp32",)))


def test_a_captioner_of_other_encoders_is_refused(tiny: BuildRequest, tmp_path: Path) -> None:
    kept = checkpoint.load(tiny.captioner)
    other = tmp_path / "captioner.pt"
    network = checkpoint.build(kept)
    extra = {**kept.extra, "encoders_sha256": "0" * 64}
    checkpoint.save(other, kept.kind, kept.config, network, kept.tokenizer_json, extra)
    with pytest.raises(UserError, match="other encoders"):
        build(dataclasses.replace(tiny, captioner=other, out=tmp_path / "out"))


def test_swapped_checkpoints_are_refused(tiny: BuildRequest, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="captioner"):
        build(dataclasses.replace(tiny, checkpoint=tiny.captioner, out=tmp_path / "out"))
    with pytest.raises(UserError, match="encoders"):
        build(dataclasses.replace(tiny, captioner=tiny.checkpoint, out=tmp_path / "out"))


def test_the_command_line_says_what_is_wrong_and_exits_with_2(
    tiny: BuildRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.pt"), "--captioner", str(tiny.captioner), "--out", str(tmp_path / "b")]) == 2
    assert "There is no checkpoint" in capsys.readouterr().err
