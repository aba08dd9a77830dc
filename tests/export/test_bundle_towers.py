"""New heads on the trunks of a bundle: they learn on what its graphs compute, and the graphs stay as they are."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.bundle import Bundle
from engine.errors import UserError
from export.build import BuildRequest, build
from tests.export.conftest import DIM, SIZE
from training.commands import train_encoders
from training.networks import bundle_towers, checkpoint, sources
from training.networks.towers import WHOLE, DualEncoder


@pytest.fixture(scope="module")
def trained(tiny: BuildRequest, bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch on a copy of the bundle, which lies beside it."""
    folder = tmp_path_factory.mktemp("heads")
    shutil.copytree(bundle_folder, folder / "bundle")
    towers = {
        "start": str(folder / "bundle"),
        "size": SIZE,
        "dim": DIM,
        "head_hidden": 20,
        "frozen_image_stages": WHOLE,
        "frozen_text_layers": WHOLE,
    }
    lines = ["[data]", 'manifests = ["pairs/pairs.csv"]', "[towers]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in towers.items()]
    lines += ["[train]", "epochs = 1", "batch = 16", "crops = 0", "threads = 1", "half = false"]
    (folder / "heads.toml").write_text("\n".join(lines))
    places = ["--data", str(tiny.data), "--out", str(folder / "run"), "--cache", str(folder / "cache")]
    train_encoders.main(["--config", str(folder / "heads.toml"), *places])
    return folder


def request_of(tiny: BuildRequest, folder: Path) -> BuildRequest:
    small = checkpoint.load(tiny.captioner)
    kept = checkpoint.load(folder / "run" / "best.pt")
    model = checkpoint.build(small)
    checkpoint.save(folder / "captioner.pt", small.kind, small.config, model, kept.tokenizer_json, small.extra)
    changes = {"checkpoint": folder / "run" / "best.pt", "captioner": folder / "captioner.pt", "out": folder / "new"}
    return dataclasses.replace(tiny, variants=("int8",), draws=2, **changes)  # type: ignore[arg-type]


def test_features_are_those_that_the_app_computes(bundle_folder: Path) -> None:
    settings = sources.TowerSettings(start=str(bundle_folder), size=SIZE, dim=DIM)
    model, tokenizer_json = sources.learned_before(settings)
    served = Bundle.open(bundle_folder)
    images = [np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE), np.uint8) for seed in range(3)]
    texts = ["the liver shows a mass", "no stone seen in the left kidney word3 word4"]
    pixels = torch.from_numpy(np.stack(images))
    np.testing.assert_array_equal(model.image_lower(pixels, WHOLE).numpy(), served.image_trunk(images))
    ids, mask = (torch.from_numpy(part) for part in served.tokenizer.encode_batch(texts, 32))
    np.testing.assert_array_equal(model.text_lower(ids, mask, WHOLE).numpy(), served.text_trunk(texts))
    assert json.loads(tokenizer_json) == json.loads((bundle_folder / "tokenizer.json").read_text())


def test_a_bundle_with_new_heads_keeps_the_graphs_and_embeds_like_the_checkpoint(
    tiny: BuildRequest, trained: Path
) -> None:
    new = Bundle.open(build(request_of(tiny, trained)))
    old = Bundle.open(trained / "bundle")
    for graph in ("image", "text"):
        assert new.manifest["variants"]["int8"][graph]["sha256"] == old.manifest["variants"]["int8"][graph]["sha256"]
    assert new.id != old.id
    assert list(new.manifest["variants"]) == ["int8"]
    assert not list(new.folder.glob("*.fp32.onnx"))
    parity = new.manifest["parity"]["int8"]
    assert min(parity[tower]["lowest_cosine"] for tower in ("image", "text")) > 0.999


def test_other_variants_than_that_of_the_bundle_are_refused(tiny: BuildRequest, trained: Path, tmp_path: Path) -> None:
    request = dataclasses.replace(request_of(tiny, trained), variants=("fp32", "int8"), out=tmp_path / "bundle")
    with pytest.raises(UserError, match="export with --variants int8"):
        build(request)
    assert not (tmp_path / "bundle").exists()


def test_heads_do_not_open_beside_other_models_than_they_learned_on(trained: Path, tmp_path: Path) -> None:
    kept = checkpoint.load(trained / "run" / "best.pt")
    config = {**kept.config, "image_tower": {**kept.config["image_tower"], "sha256": "00" * 32}}
    with pytest.raises(UserError, match="train them again"):
        checkpoint.build(dataclasses.replace(kept, config=config))


def test_a_run_knows_the_bundle_that_it_started_from_by_its_graphs_not_by_its_heads(
    trained: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(trained / "bundle", tmp_path / "bundle")
    before = bundle_towers.digest(copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["heads"]["sha256"] = "11" * 32
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert bundle_towers.digest(copy) == before
    manifest["variants"]["int8"]["text"]["sha256"] = "22" * 32
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert bundle_towers.digest(copy) != before


def test_word_vectors_of_a_bundle_are_those_that_minilm_was_published_with(trained: Path) -> None:
    tokens = json.loads((trained / "bundle" / "tokenizer.json").read_text())["model"]["vocab"]
    assert sources.minilm_word_vectors((trained / "bundle" / "tokenizer.json").read_text()) is None  # "word3" is none
    published = sources.tokenizer_json("minilm")
    layout = json.loads(published)
    layout["model"]["vocab"] = {"[PAD]": 0, "liver": 1, "mass": 2}
    rows = sources.minilm_word_vectors(json.dumps(layout))
    whole = sources.minilm_word_vectors(published)
    assert rows is not None
    assert whole is not None
    assert "liver" in tokens
    number = json.loads(published)["model"]["vocab"]["liver"]
    np.testing.assert_array_equal(rows[1], whole[number])


def test_a_checkpoint_of_heads_is_small(trained: Path) -> None:
    model = checkpoint.build(checkpoint.load(trained / "run" / "best.pt"))
    assert isinstance(model, DualEncoder)
    assert not list(model.image_tower.parameters())
    assert not list(model.text_tower.parameters())
