"""Towers that are the trunks of a bundle, run as its ONNX graphs: frozen, and exactly what will be served.

Heads that learn on them have seen the rounding of 8-bit weights, and a bundle with new heads keeps its graphs. Does not
know the heads.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import UserError
from engine.models import manifest, runtime
from engine.models.heads import Heads, width_of
from training.networks.towers import WHOLE, EncoderConfig, Spec, uncut

KIND = "bundle"
TOWERS = ("image", "text")


def is_bundle(path: str | Path) -> bool:
    """Whether a folder holds a bundle."""
    return bool(path) and (Path(path) / manifest.FILE_NAME).is_file()


def graph_entry(content: manifest.Manifest, tower: str) -> dict[str, Any]:
    """The manifest's entry of a tower's graph, in the variant that a CPU runs."""
    entry: dict[str, Any] = content["variants"][manifest.choose_variant(content, None, on_gpu=False)][tower]
    return entry


def digest(folder: Path) -> str:
    """SHA-256 of both graphs and the tokenizer, by which a run knows what it started from."""
    content = manifest.read(folder)
    files = [*(graph_entry(content, tower) for tower in TOWERS), content["tokenizer"]]
    return hashlib.sha256("\n".join(str(entry["sha256"]) for entry in files).encode()).hexdigest()


def config_of(folder: Path, dim: int, head_hidden: int, head_dropout: float) -> EncoderConfig:
    """The configuration of new heads on the trunks of a bundle."""
    content = manifest.read(folder)
    image, text = (
        {"kind": KIND, "folder": folder.as_posix(), "sha256": graph_entry(content, tower)["sha256"]} for tower in TOWERS
    )
    return EncoderConfig(
        image,
        text,
        size=int(content["preprocess"]["size"]),
        dim=dim,
        max_length=int(content["tokenizer"]["max_length"]),
        pixel_mean=[0.0] * 3,  # the graphs normalise pixels themselves
        pixel_std=[1.0] * 3,
        head_hidden=head_hidden,
        head_dropout=head_dropout,
    )


class BundleTower(nn.Module):
    """One trunk of a bundle: the features that its head is given.

    Raises:
        UserError: the bundle is not there, is damaged, has other graphs than `spec` names, or none without a head.
    """

    def __init__(self, spec: Spec, tower: str) -> None:
        super().__init__()
        folder = Path(spec["folder"])
        content = manifest.read(folder)
        entry = graph_entry(content, tower)
        if entry["sha256"] != spec["sha256"]:
            raise UserError(f"The models in {folder} are others than these heads were trained on; train them again.")
        if not content.get("heads"):
            raise UserError(f"The bundle {folder} has no projections of its own; export it again.")
        self.path = manifest.checked_file(folder, entry, f"{tower} model")
        heads = Heads.from_file(manifest.checked_file(folder, content["heads"], "projections"))
        self.width = width_of(heads.image if tower == "image" else heads.text)
        self._graph = runtime.Model(self.path, runtime.detect("cpu"))
        # In the state, so that cached features are never those of other graphs.
        self.register_buffer("sha256", torch.from_numpy(np.frombuffer(bytes.fromhex(entry["sha256"]), np.uint8).copy()))

    def parts(self, cut: int) -> list[nn.Module]:
        """No module has weights that could learn."""
        return [] if cut == WHOLE else uncut([], cut)

    def features(self, inputs: dict[str, Any]) -> Tensor:
        """float32 [N, F] of the inputs of the graph."""
        return torch.from_numpy(np.array(self._graph.run(["features"], inputs)[0], np.float32))


class BundleImageTower(BundleTower):
    """The image trunk of a bundle."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, "image")

    def lower(self, pixels: Tensor, cut: int) -> Tensor:
        """Float [N, 3, S, S] from 0 to 1: themselves with cut 0, else their features [N, F]."""
        return self.upper(pixels, 0) if cut == WHOLE else uncut(pixels, cut)

    def upper(self, features: Tensor, cut: int) -> Tensor:
        """Features [N, F] from what `lower` returned for the same `cut`."""
        if cut == WHOLE:
            return features
        return self.features({"pixels": (features[:, 0] * 255).round().to(torch.uint8).cpu().numpy()})


class BundleTextTower(BundleTower):
    """The text trunk of a bundle."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, "text")

    def lower(self, ids: Tensor, mask: Tensor, cut: int) -> Tensor:
        """int64 [N, L]: the ids themselves with cut 0, else the features [N, F]."""
        return self.upper(ids, mask, 0) if cut == WHOLE else uncut(ids, cut)

    def upper(self, ids: Tensor, mask: Tensor, cut: int) -> Tensor:
        """Features [N, F] from what `lower` returned for the same `cut`; one text a call, as in the app.

        8-bit activations are scaled over a whole batch, so that the features of a text would depend on the others.
        """
        if cut == WHOLE:
            return ids
        rows = []
        for row, real in zip(ids.cpu().numpy(), mask.cpu().numpy(), strict=True):
            count = int(real.sum())
            rows.append(self.features({"ids": row[None, :count], "mask": real[None, :count]}))
        return torch.cat(rows)
