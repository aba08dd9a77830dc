"""Checkpoints: written atomically, safe to open, and sufficient to rebuild the network."""

import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.errors import UserError
from training.networks import checkpoint
from training.networks.towers import DualEncoder, EncoderConfig

BERT = {
    "model_type": "bert",
    "vocab_size": 20,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
}


def tiny_encoder() -> DualEncoder:
    config = EncoderConfig({"kind": "efficientnet-lite0"}, {"kind": "transformers", "config": BERT}, size=32, dim=6)
    return DualEncoder(config).eval()


def test_a_rebuilt_network_gives_the_same_vectors(tmp_path: Path) -> None:
    model = tiny_encoder()
    extra = {"metrics": {"score": 0.5}, "image_mean": [0.1, 0.2]}
    checkpoint.save(tmp_path / "a" / "best.pt", "encoders", model.config.as_dict(), model, "{}", extra)
    opened = checkpoint.load(tmp_path / "a" / "best.pt")
    rebuilt = checkpoint.build(opened)
    assert (opened.kind, opened.tokenizer_json, opened.extra) == ("encoders", "{}", extra)
    assert not rebuilt.training
    pixels = torch.randint(0, 256, (2, 32, 32), dtype=torch.uint8)
    assert torch.equal(rebuilt.image(pixels), model.image(pixels))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["best.pt"]


def test_a_failed_write_leaves_the_old_checkpoint_and_no_partial_file(tmp_path: Path) -> None:
    path = tmp_path / "best.pt"
    checkpoint.write(path, {"kind": "old"})
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        checkpoint.write(path, {"kind": lambda: None})
    assert checkpoint.read(path) == {"kind": "old"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["best.pt"]


def test_a_checkpoint_with_code_in_it_is_refused(tmp_path: Path) -> None:
    torch.save({"model": nn.Linear(1, 1)}, tmp_path / "code.pt")
    with pytest.raises(UserError, match="not a readable checkpoint"):
        checkpoint.read(tmp_path / "code.pt")


def test_missing_damaged_and_foreign_files_are_user_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no checkpoint"):
        checkpoint.load(tmp_path / "nothing.pt")
    (tmp_path / "damaged.pt").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(UserError, match="not a readable checkpoint"):
        checkpoint.load(tmp_path / "damaged.pt")
    checkpoint.write(tmp_path / "other.pt", {"kind": "encoders"})
    with pytest.raises(UserError, match="config"):
        checkpoint.load(tmp_path / "other.pt")


def test_weights_of_another_shape_and_unknown_kinds_are_refused() -> None:
    model = tiny_encoder()
    config = {**model.config.as_dict(), "dim": 7}
    with pytest.raises(UserError, match="do not fit"):
        checkpoint.build(checkpoint.Checkpoint("encoders", config, model.state_dict(), "{}", {}))
    with pytest.raises(UserError, match="'segmenter'"):
        checkpoint.build(checkpoint.Checkpoint("segmenter", {}, {}, "{}", {}))
