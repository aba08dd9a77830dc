"""Dual encoder: any image network and any text network, each projected to D and normalised.

Does not know the losses, the data or where the weights are stored.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import UserError
from training.networks import efficientnet
from training.networks.heads import head

Spec = dict[str, Any]
MINILM = "minilm"
WHOLE = -1
"""As the number of frozen stages or layers of a transformers model: all of it."""


@dataclass(frozen=True)
class EncoderConfig:
    """Everything needed to rebuild the network without the source weights; plain JSON types only."""

    image_tower: Spec
    """{"kind": "efficientnet-lite0", "levels": [17, 18]}, or {"kind": "transformers" | "dual", "config": {...}} with
    the full transformers configuration. If one model provides both towers, both have the kind "dual". The trunks of a
    bundle are {"kind": "bundle", "folder", "sha256"}: they are read from there, not from the checkpoint."""
    text_tower: Spec
    """As `image_tower`."""
    size: int = 192
    """Side of the square input in pixels."""
    dim: int = 512
    max_length: int = 128
    """In tokens."""
    pixel_mean: list[float] = field(default_factory=lambda: [0.5, 0.5, 0.5])
    """Of pixel values scaled to 0 to 1."""
    pixel_std: list[float] = field(default_factory=lambda: [0.5, 0.5, 0.5])
    head_hidden: int = 0
    """Width of the hidden layer of the projections; 0: linear."""
    head_dropout: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as a checkpoint stores them."""
        return asdict(self)


def transformers_model(config: Mapping[str, Any], **options: Any) -> Any:
    """An untrained transformers model from its written-out configuration."""
    from transformers import AutoConfig, AutoModel

    values = dict(config)
    models: Any = AutoModel
    return models.from_config(AutoConfig.for_model(values.pop("model_type"), **values), **options)


def pooled(output: Any, mask: Tensor | None = None) -> Any:
    """[N, width] of a transformers output: its pooled vector, else the mean over (unmasked) positions."""
    if isinstance(output, Tensor):
        return output
    vector = getattr(output, "pooler_output", None)
    if vector is not None and mask is None:
        return vector.flatten(1)
    hidden = output.last_hidden_state
    if mask is not None:
        return masked_mean(hidden, mask)
    return hidden.mean((2, 3)) if hidden.ndim == 4 else hidden.mean(1)


def masked_mean(hidden: Tensor, mask: Tensor) -> Tensor:
    """[N, L, width] -> [N, width], the mean over the positions whose mask is 1."""
    weight = mask.to(hidden.dtype).unsqueeze(2)
    return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1)


class VisionTower(nn.Module):
    """A transformers vision model, frozen completely (cut = WHOLE) or not at all."""

    def __init__(self, model: nn.Module, dual: bool = False) -> None:
        super().__init__()
        self.model, self.dual = model, dual
        config: Any = model.config
        sizes = getattr(config, "hidden_sizes", None)  # one per stage in networks such as ResNet
        self.width = dual_width(config) if dual else (sizes[-1] if sizes else config.hidden_size)

    def parts(self, cut: int) -> list[nn.Module]:
        """The modules that `lower` uses for this cut."""
        return [self.model] if cut == WHOLE else uncut([], cut)

    def lower(self, pixels: Tensor, cut: int) -> Tensor:
        """The output of the first `cut` stages or layers."""
        return self.upper(pixels, 0) if cut == WHOLE else uncut(pixels, cut)

    def upper(self, features: Tensor, cut: int) -> Tensor:
        """Pooled features [N, width] from what `lower` returned for the same `cut`."""
        if cut == WHOLE:
            return features
        model: Any = self.model
        vectors: Tensor = pooled(model.get_image_features(features) if self.dual else model(features))
        return vectors


class TextTower(nn.Module):
    """A transformers text model, frozen completely (cut = WHOLE) or not at all."""

    def __init__(self, model: nn.Module, dual: bool = False) -> None:
        super().__init__()
        self.model, self.dual = model, dual
        config: Any = model.config
        self.width = dual_width(config) if dual else config.hidden_size

    def parts(self, cut: int) -> list[nn.Module]:
        """The modules that `lower` uses for this cut."""
        return [self.model] if cut == WHOLE else uncut([], cut)

    def lower(self, ids: Tensor, mask: Tensor, cut: int) -> Tensor:
        """The ids themselves, or with all layers the pooled features [N, width]."""
        return self.upper(ids, mask, 0) if cut == WHOLE else uncut(ids, cut)

    def upper(self, ids: Tensor, mask: Tensor, cut: int) -> Tensor:
        """Pooled features [N, width] from what `lower` returned for the same `cut`."""
        if cut == WHOLE:
            return ids
        model: Any = self.model
        if self.dual:
            vectors: Tensor = pooled(model.get_text_features(input_ids=ids, attention_mask=mask))
        else:
            vectors = pooled(model(input_ids=ids, attention_mask=mask), mask)
        return vectors


class BertTower(TextTower):
    """A BERT with mean pooling over the real tokens; the output of its lower layers can be cached."""

    @property
    def layers(self) -> int:
        """Number of layers."""
        model: Any = self.model
        return len(model.encoder.layer)

    def parts(self, cut: int) -> list[nn.Module]:
        """The modules that `lower` uses for this cut."""
        model: Any = self.model
        layers = self.layers if cut == WHOLE else cut
        return [model.embeddings, *model.encoder.layer[:layers]] if cut else []

    def lower(self, ids: Tensor, mask: Tensor, cut: int) -> Tensor:
        """Hidden states [N, L, width] after the embeddings and the first `cut` layers.

        The ids themselves for cut 0; for all layers the pooled features [N, width].
        """
        if cut in (WHOLE, self.layers):
            return self.upper(ids, mask, 0)
        return ids if cut == 0 else self._layers(self._embed(ids), mask, 0, cut)

    def upper(self, ids: Tensor, mask: Tensor, cut: int) -> Tensor:
        """Pooled features [N, width] from what `lower` returned for the same `cut`."""
        if cut in (WHOLE, self.layers):
            return ids
        hidden = self._embed(ids) if cut == 0 else ids
        return masked_mean(self._layers(hidden, mask, cut, None), mask)

    def _embed(self, ids: Tensor) -> Tensor:
        model: Any = self.model
        hidden: Tensor = model.embeddings(input_ids=ids)
        return hidden

    def _layers(self, hidden: Tensor, mask: Tensor, first: int, last: int | None) -> Tensor:
        model: Any = self.model
        visible = mask.bool()[:, None, None, :]
        if model.config._attn_implementation == "eager":  # adds its mask to the scores
            lowest = torch.finfo(hidden.dtype).min
            visible = torch.zeros_like(visible, dtype=hidden.dtype).masked_fill(~visible, lowest)
        for layer in model.encoder.layer[first:last]:
            hidden = layer(hidden, visible)
        return hidden


T = TypeVar("T")


def uncut(value: T, cut: int) -> T:
    """Return the value; UserError if a cut is asked of a tower that has none."""
    if cut:
        raise UserError(
            "This tower cannot freeze its lower layers; set frozen_image_stages and frozen_text_layers to 0, or to "
            f"{WHOLE} to freeze all of a model."
        )
    return value


def unit(vectors: Tensor) -> Tensor:
    """Rows of unit length. float16 is converted to float32, since squares of small values would underflow."""
    return functional.normalize(vectors.float() if vectors.dtype == torch.float16 else vectors, dim=1)


def dual_width(config: Any) -> int:
    """Width of the shared space of a dual encoder."""
    width = getattr(config, "projection_dim", None) or config.text_config.projection_size
    return int(width)


class DualEncoder(nn.Module):
    """Images and reports on one unit sphere."""

    def __init__(
        self, config: EncoderConfig, image_tower: nn.Module | None = None, text_tower: nn.Module | None = None
    ):
        super().__init__()
        self.config = config
        self.image_tower, self.text_tower = (
            (image_tower, text_tower) if image_tower and text_tower else empty_towers(config)
        )
        widths: Any = (self.image_tower.width, self.text_tower.width)
        self.image_projection, self.text_projection = (
            head(width, config.dim, config.head_hidden, config.head_dropout) for width in widths
        )
        self.register_buffer("pixel_mean", torch.tensor(config.pixel_mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(config.pixel_std).view(1, 3, 1, 1), persistent=False)

    def image(self, pixels: Tensor) -> Tensor:
        """uint8 [N, S, S] grey images -> float [N, D], rows of unit length."""
        return self.image_upper(self.image_lower(pixels, 0), 0)

    def text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """int64 [N, L] token ids and their mask (1 real, 0 padding) -> float [N, D], rows of unit length."""
        return self.text_upper(self.text_lower(ids, mask, 0), mask, 0)

    def freeze(self, image_stages: int, text_layers: int) -> None:
        """Exclude the lowest stages and layers from training (for the text including its token embeddings)."""
        image: Any = self.image_tower
        text: Any = self.text_tower
        for part in [*image.parts(image_stages), *text.parts(text_layers)]:
            part.requires_grad_(False)

    def image_lower(self, pixels: Tensor, cut: int) -> Tensor:
        """The output of the first `cut` stages for uint8 [N, S, S]; `image_upper` continues from there."""
        mean, std = self.get_buffer("pixel_mean"), self.get_buffer("pixel_std")
        scaled = pixels.unsqueeze(1).to(mean.dtype) / 255.0
        tower: Any = self.image_tower
        features: Tensor = tower.lower((scaled - mean) / std, cut)
        return features

    def image_upper(self, features: Tensor, cut: int) -> Tensor:
        """Embeddings [N, D], unit rows, from what `image_lower` returned for the same `cut`."""
        tower: Any = self.image_tower
        return unit(self.image_projection(tower.upper(features, cut)))

    def text_lower(self, ids: Tensor, mask: Tensor, cut: int) -> Tensor:
        """The output of the first `cut` layers for the ids; with cut 0 the ids themselves."""
        tower: Any = self.text_tower
        hidden: Tensor = tower.lower(ids, mask, cut)
        return hidden

    def text_upper(self, hidden: Tensor, mask: Tensor, cut: int) -> Tensor:
        """Embeddings [N, D], unit rows, from what `text_lower` returned for the same `cut`."""
        tower: Any = self.text_tower
        return unit(self.text_projection(tower.upper(hidden, mask, cut)))


def empty_towers(config: EncoderConfig) -> tuple[nn.Module, nn.Module]:
    """Both towers with random weights, to be replaced by those of a checkpoint."""
    if config.image_tower["kind"] == "bundle":
        from training.networks.bundle_towers import BundleImageTower, BundleTextTower

        return BundleImageTower(config.image_tower), BundleTextTower(config.text_tower)
    if config.text_tower["kind"] == "dual":
        model = transformers_model(config.text_tower["config"])
        return VisionTower(model, dual=True), TextTower(model, dual=True)
    kind = config.image_tower["kind"]
    if kind in efficientnet.SCALES:
        image: nn.Module = efficientnet.EfficientNetLite(config.image_tower.get("levels", ()), kind)
    else:
        image = VisionTower(transformers_model(config.image_tower["config"]))
    return image, text_tower(config.text_tower["config"])


def text_tower(config: Mapping[str, Any], model: nn.Module | None = None) -> TextTower:
    """The text tower of a transformers configuration, with the weights of `model` if given."""
    if config["model_type"] == "bert":
        return BertTower(model or transformers_model(config, add_pooling_layer=False, attn_implementation="sdpa"))
    return TextTower(model or transformers_model(config))
