"""Train both towers from a configuration: `python -m training encoders --config FILE`. Does not know the export."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engine.errors import UserError
from engine.tokenizer import Tokenizer
from training.arrays import Float32Array, IndexArray
from training.data import vocabulary
from training.data.pairs import Pairs, corpus, read_pairs, with_training_pairs
from training.data.report_texts import case_texts, without_redactions
from training.data.studies import other_views
from training.loop import config, distributed
from training.loop.command import arguments
from training.loop.examples import PairExamples
from training.loop.features import ImageBatches, TextBatches, Views, embed_all
from training.loop.losses import Objective
from training.loop.trainer import Metrics, Trainer
from training.metrics import gap, score_scale
from training.metrics.ranking import recall_at
from training.metrics.score_scale import ONE_GROUP
from training.networks import checkpoint, sources
from training.networks.towers import DualEncoder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncoderRun:
    """One run: what is trained, and where its files are."""

    settings: config.EncoderSettings
    model: DualEncoder
    tokenizer_json: str
    out: Path
    """Folder for best.pt, last.pt and log.jsonl."""
    cache: Path
    """Folder for the output of frozen layers, shared by runs that freeze the same layers."""
    resume: bool = False


def start_model(settings: config.EncoderSettings, texts: Sequence[str]) -> tuple[DualEncoder, str]:
    """The towers of the settings with new projections, ready to train, and their tokenizer JSON."""
    towers = settings.towers
    torch.manual_seed(settings.train.seed)
    if towers.start:
        model, tokenizer_json = sources.learned_before(towers)
    else:
        model, tokenizer_json = pretrained_model(settings, texts)
    model.freeze(towers.frozen_image_stages, towers.frozen_text_layers)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model, tokenizer_json


def pretrained_model(settings: config.EncoderSettings, texts: Sequence[str]) -> tuple[DualEncoder, str]:
    """The towers of the settings as published, and their tokenizer JSON, trimmed to the texts if the settings ask."""
    data, towers = settings.data, settings.towers
    tokenizer_json = sources.tokenizer_json(towers.text)
    source_ids: list[int] | None = None
    if data.vocabulary:
        trimmed = vocabulary.trim(tokenizer_json, texts, data.vocabulary_min_count, data.vocabulary)
        tokenizer_json, source_ids = trimmed.tokenizer_json, trimmed.source_ids
    return sources.pretrained(towers, source_ids), tokenizer_json


class Split:
    """One split ready to be embedded: its images, its unique texts, and which pair has which text."""

    def __init__(self, name: str, pairs: Pairs, run: EncoderRun) -> None:
        train, towers = run.settings.train, run.settings.towers
        self.pairs = pairs.split(name)
        rows, learned = self.pairs.rows, name == "train"
        own = [without_redactions(row.text) if learned else row.text for row in rows]
        with_case = learned and (train.case_texts > 0 or train.case_modality)
        texts_of = [[text, *(case_texts(row.values) if with_case else [])] for text, row in zip(own, rows)]
        self.unique = list(dict.fromkeys(own))
        every = list(dict.fromkeys([*self.unique, *(text for texts in texts_of for text in texts)]))
        number = {text: index for index, text in enumerate(every)}
        self.text_numbers = [[number[text] for text in texts] for texts in texts_of]
        self.own = np.array([numbers[0] for numbers in self.text_numbers])
        views = Views(
            cut=towers.frozen_image_stages,
            augmented=train.crops if learned else 0,
            seed=train.crop_seed,
            intensity=train.intensity,
            windows=train.windows and learned,
        )
        modalities = [row.values.get("modality", "") for row in rows]
        self.images = ImageBatches(self.pairs.images, run.model, views, run.cache, modalities)
        tokenizer = Tokenizer.from_str(run.tokenizer_json)
        self.texts = TextBatches(every, run.model, tokenizer, towers.frozen_text_layers, run.cache)
        if self.texts.pooled and train.word_dropout:
            raise UserError("Words cannot be masked when the whole text tower is frozen; set word_dropout to 0.")

    def embed(self, model: DualEncoder) -> tuple[Float32Array, Float32Array]:
        """float32 [images, D] and [unique texts, D] of the clean views."""
        images, texts = embed_all(model, self.images, self.texts)
        return images, texts[: len(self.unique)]


def quick_metrics(images: Float32Array, texts: Float32Array, own: IndexArray) -> Metrics:
    """Metrics to watch during training, over the whole pool of images and unique texts; a hit is the same text.

    score: mean of recall@10 in both directions. gap, cos_true_pairs, margin: docs/method.md, "Metrics".

    Args:
        images: float32 [N, D], texts: float32 [T, D], unit rows.
        own: int [N], the number of each image's own text.
    """
    similarities = images @ texts.T
    positives = own[:, None] == np.arange(len(texts))[None, :]
    to_text, to_image = recall_at(similarities, positives, 10), recall_at(similarities.T, positives.T, 10)
    pairs = texts[own]
    return {
        "score": (to_text + to_image) / 2,
        "r10_i2t": to_text,
        "r10_t2i": to_image,
        "gap": gap.gap(images, pairs),
        "cos_true_pairs": float(gap.true_pair_cosines(images, pairs).mean()),
        "margin": gap.margin(images, pairs),
    }


def train(
    settings: config.EncoderSettings,
    root: Path,
    out: Path,
    cache: Path,
    resume: bool = False,
    pairs: Pairs | None = None,
) -> Path:
    """Train one recipe; the path of its best checkpoint.

    Args:
        root: the folder that manifests and text files are relative to.
        out, cache, resume: see `EncoderRun`.
        pairs: those of the recipe's `manifests`, if they have been read already.
    """
    torch.set_num_threads(settings.train.threads)
    data = settings.data
    # Text files first: a missing one then fails before the images are read.
    # With towers that learned before there is no vocabulary to choose, and the text files are not needed.
    corpora = [] if settings.towers.start else [text for name in data.texts for text in corpus(root / name)]
    pairs = pairs or read_pairs([root / name for name in data.manifests], data.stream)
    pairs = with_training_pairs(pairs, [root / name for name in data.more], data.stream)
    for rejected in pairs.rejected:
        log.warning("%s: %s", rejected.path, rejected.reason)
    with distributed.first():
        texts = [row.text for row in pairs.rows if row.split == "train"] + corpora
        model, tokenizer_json = start_model(settings, texts)
    return fit(EncoderRun(settings, model, tokenizer_json, out, cache, resume), pairs)


def fit(run: EncoderRun, pairs: Pairs) -> Path:
    """Train a model, new or already trained, on the train split; the path of its best checkpoint.

    Raises:
        UserError: val has only pairs of one split_group, so the score scale cannot be measured.
    """
    if len({row.group for row in pairs.rows if row.split == "val"}) == 1:
        raise UserError(ONE_GROUP)
    settings, model = run.settings, run.model
    with distributed.first():
        training, val = (Split(name, pairs, run) for name in ("train", "val"))
    rows = training.pairs.rows
    examples = PairExamples(
        training.images,
        training.texts,
        training.text_numbers,
        settings.train,
        groups=[row.group for row in rows] if settings.loss.mask_group else None,
        views=other_views(rows) if settings.train.views_of_case else None,
        kinds=[(row.values.get("source", ""), row.values.get("modality", "")) for row in rows],
    )
    best = run.out / "best.pt"

    def save_best(metrics: Metrics) -> None:
        scale = score_scale.from_embeddings(*val.embed(model), val.pairs.rows)
        extra = {"metrics": metrics, "settings": settings.as_dict(), "baselines": {}, "calibration": scale}
        checkpoint.save(best, checkpoint.ENCODERS, model.config.as_dict(), model, run.tokenizer_json, extra)

    trainer = Trainer(
        model,
        Objective(settings.loss).to(next(model.parameters()).device),
        examples,
        settings.train,
        validate=lambda: quick_metrics(*val.embed(model), val.own),
        save_best=save_best,
        folder=run.out,
        identity=settings.identity(len(examples)),
        defaults=config.DEFAULTS,
    )
    log.info("%d pairs to train on, %d to validate on", len(training.pairs.rows), len(val.pairs.rows))
    result = trainer.run(run.resume)
    if distributed.rank() == 0:
        add_means(best, model, training)
    log.info("best score %.4f in epoch %d: %s", result["score"], result["epoch"], best)
    return best


def add_means(best: Path, model: DualEncoder, training: Split) -> None:
    """Add each modality's mean over the train split, for mean-centring, to the checkpoint of the best epoch."""
    saved = checkpoint.load(best)
    model.load_state_dict(saved.state)
    images, texts = training.embed(model)
    means = {"image_mean": images.mean(0).tolist(), "text_mean": texts[training.own].mean(0).tolist()}
    checkpoint.save(best, saved.kind, saved.config, model, saved.tokenizer_json, {**saved.extra, **means})


def main(argv: Sequence[str]) -> int:
    """Run the command; on several processes if torchrun started it."""
    options = arguments("encoders", "Train both towers.", argv)
    with distributed.processes():
        if distributed.rank():
            logging.getLogger("training").setLevel(logging.WARNING)
        train(config.read(options.config), options.data, options.out, options.cache, options.resume)
    return 0
