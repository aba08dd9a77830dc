"""Checkpoints: weights, the configuration of the network, and metrics. Does not know the training.

A checkpoint contains only tensors and plain values, so that opening one can never run code.
"""

import hashlib
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import UserError
from engine.store.safety.whole_file import flush

ENCODERS, CAPTIONER = "encoders", "captioner"


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint file."""

    kind: str
    """ENCODERS or CAPTIONER."""
    config: dict[str, Any]
    """Configuration of the network, see `EncoderConfig` and `CaptionerConfig`."""
    state: dict[str, Tensor]
    tokenizer_json: str
    extra: dict[str, Any]

    @property
    def streams(self) -> bool:
        """Whether its recipe decodes images when they are needed, since they do not all fit into memory."""
        return bool(self.extra.get("settings", {}).get("data", {}).get("stream", False))

    def data_files(self, kind: str) -> list[str]:
        """Data files of a kind ("pairs", "texts", "manifests") that it was trained on, relative to the data folder.

        For a captioner they include those of the checkpoint that its training started from.
        """
        own = self.extra.get("settings", {}).get("data", {})
        return list(self.extra.get("learned_from", own).get(kind, []))


def save(
    path: str | Path, kind: str, config: dict[str, Any], model: nn.Module, tokenizer_json: str, extra: dict[str, Any]
) -> None:
    """Write a checkpoint atomically."""
    state = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    write(path, {"kind": kind, "config": config, "state": state, "tokenizer_json": tokenizer_json, "extra": extra})


def write(path: str | Path, content: dict[str, Any]) -> None:
    """Save tensors and plain values atomically: a killed process never leaves half a file."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(
        f".{target.name}.part"
    )  # always the same name, so that the next write replaces what a killed process left
    try:
        with part.open("wb") as stream:
            torch.save(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
        flush(target.parent)
    finally:
        part.unlink(missing_ok=True)


def read(path: str | Path) -> dict[str, Any]:
    """The content that `write` saved.

    Raises:
        UserError: the file is missing, damaged, or contains more than tensors and plain values.
    """
    try:
        content = torch.load(Path(path), map_location="cpu", weights_only=True)
    except FileNotFoundError as problem:
        raise UserError(f"There is no checkpoint at {path}; train one first.") from problem
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as problem:
        raise UserError(f"{path} is not a readable checkpoint; train it again or give another file.") from problem
    if not isinstance(content, dict):
        raise UserError(f"{path} is not a checkpoint of this program; give another file.")
    return content


def load(path: str | Path) -> Checkpoint:
    """Open a checkpoint.

    Raises:
        UserError: as in `read`, or an entry is missing.
    """
    content = read(path)
    try:
        return Checkpoint(**{name: content[name] for name in Checkpoint.__dataclass_fields__})
    except KeyError as problem:
        raise UserError(f"{path} lacks {problem} and is not a complete checkpoint; give best.pt.") from problem


def digest(path: str | Path) -> str:
    """SHA-256 of a checkpoint file, by which a run knows what it started from; "" if there is no file, or no path."""
    if not path or not Path(path).is_file():
        return ""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def build(checkpoint: Checkpoint) -> nn.Module:
    """The network with its weights, in eval mode.

    Raises:
        UserError: the weights do not fit the configuration, or the kind is unknown.
    """
    if checkpoint.kind == ENCODERS:
        from training.networks.towers import DualEncoder, EncoderConfig

        model: nn.Module = DualEncoder(EncoderConfig(**checkpoint.config))
    elif checkpoint.kind == CAPTIONER:
        from training.networks.captioner import CaptionDecoder, CaptionerConfig

        model = CaptionDecoder(CaptionerConfig(**checkpoint.config))
    else:
        raise UserError(f"This version does not support checkpoints of the kind {checkpoint.kind!r}.")
    try:
        model.load_state_dict(checkpoint.state)
    except RuntimeError as problem:
        raise UserError("The weights of this checkpoint do not fit its configuration; train it again.") from problem
    return model.eval()
