"""Bundles on other people's encoders: dual ones, and an image and a text encoder apart, from local folders, frozen."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import preprocess
from engine.bundle import Bundle
from engine.models import heads, runtime
from export import heads as exported_heads
from export import to_onnx
from export.build import BuildRequest, build
from tests.export.conftest import DIM, SIZE, tokenizer_json
from training.commands import train_encoders
from training.networks import checkpoint, sources
from training.networks.towers import WHOLE, DualEncoder

VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": SIZE,
    "patch_size": 8,
}
TEXT = {
    "vocab_size": len(json.loads(tokenizer_json())["model"]["vocab"]),
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 32,
}


def save(folder: Path, kind: str) -> str:
    """A random transformers model with its tokenizer, as a download would lie in a folder."""
    from transformers import (
        BertConfig,
        BertModel,
        CLIPConfig,
        CLIPModel,
        Dinov2Config,
        Dinov2Model,
        PreTrainedTokenizerFast,
        SiglipConfig,
        SiglipModel,
    )

    torch.manual_seed(1)
    if kind == "clip":
        text = TEXT | {"eos_token_id": 3, "bos_token_id": 2, "pad_token_id": 0}
        model: torch.nn.Module = CLIPModel(CLIPConfig(vision_config=VISION, text_config=text, projection_dim=12))
    elif kind == "siglip":
        model = SiglipModel(SiglipConfig(vision_config=VISION, text_config=TEXT | {"projection_size": 16}))
    elif kind == "dinov2":
        model = Dinov2Model(Dinov2Config(**VISION))
    else:
        model = BertModel(BertConfig(**TEXT))
    model.save_pretrained(folder / kind)  # type: ignore[operator]
    (folder / "tokenizer.json").write_text(tokenizer_json())
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **special).save_pretrained(folder / kind)
    return str(folder / kind)


def towers(folder: Path, layout: str) -> sources.TowerSettings:
    kinds = {"clip": ("clip", "clip"), "siglip": ("siglip", "siglip"), "rad-dino": ("dinov2", "bert")}[layout]
    image, text = (save(folder, kind) for kind in kinds)
    return sources.TowerSettings(
        image,
        text=text,
        size=SIZE,
        dim=DIM,
        max_length=32,
        head_hidden=20,
        head_dropout=0.1,
        frozen_image_stages=WHOLE,
        frozen_text_layers=WHOLE,
    )


@pytest.mark.parametrize("layout", ["siglip", "rad-dino"])
def test_frozen_encoders_end_as_graphs_of_features_with_heads_beside_them(layout: str, tmp_path: Path) -> None:
    settings = towers(tmp_path, layout)
    model = sources.pretrained(settings).eval()
    model.freeze(settings.frozen_image_stages, settings.frozen_text_layers)
    learning = {name.split(".")[0] for name, value in model.named_parameters() if value.requires_grad}
    assert {"image_projection", "text_projection"} <= learning <= {"image_projection", "text_projection", "text_tower"}
    pixels = preprocess.batch([np.random.default_rng(0).integers(0, 256, (40, 30), np.uint8)], SIZE)
    ids = np.array([[2, 7, 8, 9, 3]])
    mask = np.ones_like(ids)
    given = {"image": {"pixels": pixels}, "text": {"ids": ids, "mask": mask}}
    with torch.no_grad():
        expected = {
            "image": model.image(torch.from_numpy(pixels)).numpy(),
            "text": model.text(torch.from_numpy(ids), torch.from_numpy(mask)).numpy(),
        }
        frozen = model.text_lower(torch.from_numpy(ids), torch.from_numpy(mask), WHOLE)
        once = model.text_upper(frozen, torch.from_numpy(mask), WHOLE).numpy()
    np.testing.assert_allclose(once, expected["text"], atol=1e-6)
    shipped = exported_heads.of_model(model)
    to_onnx.export_image(model, tmp_path / "image.onnx")
    exported = {"image": shipped.image}
    if layout == "siglip":  # a BERT is exported in every other test
        to_onnx.export_text(model, tmp_path / "text.onnx")
        exported["text"] = shipped.text
    for graph, head in exported.items():
        machine = runtime.Model(tmp_path / f"{graph}.onnx", runtime.detect("cpu"))
        rows = heads.project(head, machine.run(["features"], given[graph])[0])
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        np.testing.assert_allclose(rows, expected[graph], atol=1e-4)


def test_heads_are_trained_on_a_frozen_clip_and_the_bundle_opens(tiny: BuildRequest, tmp_path: Path) -> None:
    settings = towers(tmp_path, "clip")
    lines = ["[data]", 'manifests = ["pairs/pairs.csv"]', "[towers]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in dataclasses.asdict(settings).items()]
    lines += ["[loss]", "tau = 0.1", "atp = 0.5", "cu = 0.5"]
    lines += ["[train]", "epochs = 1", "batch = 16", "crops = 1", "threads = 1", "half = false"]
    recipe = tmp_path / "frozen.toml"
    recipe.write_text("\n".join(lines))
    folders = ["--data", str(tiny.data), "--out", str(tmp_path / "run"), "--cache", str(tmp_path / "cache")]
    train_encoders.main(["--config", str(recipe), *folders])
    kept = checkpoint.load(tmp_path / "run" / "best.pt")
    trained = checkpoint.build(kept)
    assert isinstance(trained, DualEncoder)
    before = sources.pretrained(settings)
    for name, value in before.image_tower.state_dict().items():
        assert torch.equal(trained.image_tower.state_dict()[name], value)
    small, captioner = checkpoint.load(tiny.captioner), tmp_path / "captioner.pt"  # its graph exists already
    checkpoint.save(captioner, small.kind, small.config, checkpoint.build(small), kept.tokenizer_json, small.extra)
    request = dataclasses.replace(
        tiny,
        checkpoint=tmp_path / "run" / "best.pt",
        captioner=captioner,
        out=tmp_path / "bundle",
        variants=("fp32",),
        draws=2,
    )
    bundle = Bundle.open(build(request))
    assert bundle.heads is not None
    assert bundle.heads.image["first.weight"].shape == (20, 12)
    assert bundle.embed_texts(["the liver shows a mass"]).shape == (1, DIM)
