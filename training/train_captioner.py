"""Train the caption decoder on a frozen shared space: `python -m training captioner --config FILE`. Knows no export.

mode "text" learns from the embeddings of texts alone, "pairs" from those of pictures, "both" from either; all are
validated on what counts in use: writing the report of a val PICTURE.
"""

import json
import logging
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.errors import UserError
from training import caption_data, caption_scores, checkpoint
from training.caption_data import CaptionExamples, NextToken
from training.caption_material import DataSettings, Material, digest, gather
from training.captioner import CaptionDecoder, CaptionerConfig, drafts
from training.command import arguments
from training.config import TrainSettings
from training.metrics_gap import normalised
from training.trainer import Metrics, Trainer

log = logging.getLogger(__name__)
MODES = ("text", "pairs", "both")


@dataclass(frozen=True)
class ModelSettings:
    dim: int = 256
    layers: int = 3
    heads: int = 4
    memory: int = 4
    max_tokens: int = 64
    dropout: float = 0.1


@dataclass(frozen=True)
class LoopSettings:
    seed: int = 1
    epochs: int = 16
    steps: int = 120
    batch: int = 64
    lr: float = 1.5e-3
    weight_decay: float = 0.05
    warmup: float = 0.05
    patience: int = 5
    threads: int = 2
    half: bool = True
    smoothing: float = 0.0


@dataclass(frozen=True)
class Settings:
    encoders: str
    mode: str = "both"
    start: str = ""  # a captioner checkpoint to go on from, of the same tokenizer; "" starts anew
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = ModelSettings()
    train: LoopSettings = LoopSettings()


def read(path: Path) -> Settings:
    """Settings from a TOML file.

    Raises:
        UserError: the file is missing or no TOML, or names something unknown.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        parts: dict[str, Any] = {"data": DataSettings, "model": ModelSettings, "train": LoopSettings}
        settings = Settings(**{name: parts[name](**v) if name in parts else v for name, v in values.items()})
    except OSError as problem:
        raise UserError(f"There is no readable configuration at {path}; see training/configs.") from problem
    except (tomllib.TOMLDecodeError, TypeError) as problem:
        raise UserError(f"{path} is not a configuration of the captioner: {problem}.") from problem
    if settings.mode not in MODES:
        raise UserError(f"{path} has mode {settings.mode!r}; choose one of {', '.join(MODES)}.")
    return settings


def start_model(settings: Settings, material: Material) -> CaptionDecoder:
    """A fresh decoder, or the weights of an earlier one that shares the tokenizer."""
    torch.manual_seed(settings.train.seed)
    sizes = asdict(settings.model)
    config = CaptionerConfig(vocab=material.tokenizer.size, embedding=material.conditions.shape[1], **sizes)
    model = CaptionDecoder(config)
    if settings.start:
        earlier = checkpoint.load(settings.start)
        if earlier.tokenizer_json != material.tokenizer_json or CaptionerConfig(**earlier.config) != config:
            raise UserError(f"{settings.start} has another tokenizer or other sizes; leave `start` out.")
        model.load_state_dict(earlier.state)
    elif material.word_vectors is not None:
        with torch.no_grad():
            model.words.weight.copy_(torch.from_numpy(material.word_vectors))
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def report(model: CaptionDecoder, material: Material) -> dict[str, Any]:
    """Captions of the val pictures, written as the product does, against their reports, beside two baselines."""
    written = [caption.text for caption in drafts(model, material.tokenizer, material.val_images)]
    count = len(dict.fromkeys(material.pair_texts))
    images, texts = normalised(material.val_images), normalised(material.conditions[:count])
    systems = {
        "captioner": written,
        "nearest_report": caption_scores.nearest(images, texts, material.texts[:count]),
        "most_frequent": [caption_scores.most_frequent(material.pair_texts)] * len(written),
    }
    weights = caption_scores.resamples(material.val_groups)
    measured = {
        name: caption_scores.in_percent(caption_scores.measure(found, material.val_texts), weights)
        for name, found in systems.items()
    }
    copies = caption_scores.copying(written, material.texts)
    found = {"captions": len(written), "copying_8_words": float(np.mean(copies)), "different": len(set(written))}
    return {**found, **measured}


def train(settings: Settings, root: Path, out: Path, cache: Path, resume: bool = False) -> Path:
    """Train one decoder; the path of its best checkpoint, and captions.json with its scores beside it."""
    torch.set_num_threads(settings.train.threads)
    material = gather(
        Path(settings.encoders), settings.mode, settings.data, settings.model.dim, settings.model.max_tokens, root,
        cache, settings.train.half,
    )  # fmt: skip
    model = start_model(settings, material)
    loop, tokenizer = settings.train, material.tokenizer
    examples = CaptionExamples(
        material.paired, material.alone, material.conditions, tokenizer.pad_id, loop.batch, loop.steps,
        settings.data.pairs_share, (settings.data.noise_low, settings.data.noise_high),
    )  # fmt: skip
    val_ids = caption_data.encode(material.val_texts, tokenizer, settings.model.max_tokens)
    best = out / "best.pt"
    extra: dict[str, Any] = {"settings": asdict(settings), "encoders_sha256": digest(Path(settings.encoders))}

    def validate() -> Metrics:
        loss = caption_data.token_loss(model, val_ids, material.val_images, tokenizer.pad_id)
        return {"score": -loss, "val_loss": loss, "val_perplexity": float(np.exp(loss))}

    def keep(metrics: Metrics) -> None:
        content = {**extra, "metrics": dict(metrics)}
        checkpoint.save(best, checkpoint.CAPTIONER, model.config.as_dict(), model, material.tokenizer_json, content)

    log.info("%d pairs, %d other texts, %d val pictures", len(material.paired), len(material.alone), len(val_ids))
    sizes = TrainSettings(
        seed=loop.seed, epochs=loop.epochs, batch=1, lr=loop.lr, weight_decay=loop.weight_decay, warmup=loop.warmup,
        patience=loop.patience, threads=loop.threads, half=loop.half,
    )  # fmt: skip
    Trainer(model, NextToken(loop.smoothing), examples, sizes, validate, keep, out).run(resume)
    kept = checkpoint.load(best)
    model.load_state_dict(kept.state)
    found = report(model, material)
    (out / "captions.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    merged = {**kept.extra, "metrics": {**kept.extra["metrics"], **found}}
    checkpoint.save(best, kept.kind, kept.config, model, kept.tokenizer_json, merged)
    log.info("%s: %s", best, json.dumps(found))
    return best


def main(argv: Sequence[str]) -> int:
    options = arguments("captioner", "Train the caption decoder.", argv)
    train(read(options.config), options.data, options.out, options.cache, options.resume)
    return 0
