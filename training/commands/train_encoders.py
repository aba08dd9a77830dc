"""Train both towers from a configuration: `python -m training encoders --config FILE`. Knows nothing of export."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from engine.errors import UserError
from engine.tokenizer import Tokenizer
from training.arrays import Float32Array, IndexArray
from training.data import vocabulary
from training.data.pairs import Pairs, corpus, read_pairs, with_training_pairs
from training.loop import config, distributed
from training.loop.command import arguments
from training.loop.features import PairExamples, Pictures, Texts, embed_all
from training.loop.losses import Objective
from training.loop.trainer import Metrics, Trainer
from training.metrics import gap, score_scale
from training.metrics.ranking import recall_at
from training.metrics.score_scale import ONE_GROUP
from training.networks import checkpoint, sources
from training.networks.towers import DualEncoder

log = logging.getLogger(__name__)


def start_model(settings: config.EncoderSettings, texts: Sequence[str]) -> tuple[DualEncoder, str]:
    """The pretrained towers and their tokenizer JSON, trimmed to the texts where the settings say so."""
    towers = settings.towers
    torch.manual_seed(settings.train.seed)
    words = sources.tokenizer_json(towers.text)
    kept: list[int] | None = None
    if settings.data.vocabulary:
        trimmed = vocabulary.trim(words, texts, settings.data.vocabulary_min_count, settings.data.vocabulary)
        words, kept = trimmed.tokenizer_json, trimmed.source_ids
    model = sources.pretrained(
        towers.image,
        towers.text,
        towers.size,
        towers.dim,
        towers.max_length,
        kept,
        towers.text_layers or None,
        towers.head_hidden,
        towers.head_dropout,
        towers.image_levels,
    )
    model.freeze(towers.frozen_image_stages, towers.frozen_text_layers)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.to(device=device, memory_format=torch.channels_last), words  # type: ignore[call-overload]


def case_texts(values: Mapping[str, str]) -> list[str]:
    """What else is written about the case of a pair: its findings, and one line from its labels."""
    labels = [values.get(name, "") for name in ("modality", "view", "location")]
    named = values.get("case_diagnosis") or values.get("finding", "")
    line = f"{' '.join(label for label in labels if label)}. {named}"
    return [text for text in (" ".join(values.get("case_findings", "").split()), line) if len(text) > 3]


class Split:
    """One split ready to be embedded: its pictures, its unique texts, and which pair has which."""

    def __init__(
        self, name: str, pairs: Pairs, model: DualEncoder, words: str, settings: config.EncoderSettings, folder: Path
    ):
        self.pairs = pairs.split(name)
        own = [row.text for row in self.pairs.rows]
        with_case = name == "train" and (settings.train.case_texts > 0 or settings.train.case_modality)
        texts_of = [[row.text, *(case_texts(row.values) if with_case else [])] for row in self.pairs.rows]
        self.unique = list(dict.fromkeys(own))
        every = list(dict.fromkeys([*self.unique, *(text for texts in texts_of for text in texts)]))
        number = {text: index for index, text in enumerate(every)}
        self.text_of = [[number[text] for text in texts] for texts in texts_of]
        self.own = np.array([numbers[0] for numbers in self.text_of])
        views = settings.train.crops if name == "train" else 0
        towers = settings.towers
        self.pictures = Pictures(
            self.pairs.images,
            model,
            towers.frozen_image_stages,
            views,
            settings.train.crop_seed,
            folder,
            settings.train.intensity,
        )
        self.texts = Texts(every, model, Tokenizer.from_str(words), towers.frozen_text_layers, folder)
        if self.texts.pooled and settings.train.word_dropout:
            raise UserError("Words cannot be hidden from a text tower that is frozen whole; set word_dropout to 0.")

    def embed(self, model: DualEncoder) -> tuple[Float32Array, Float32Array]:
        """float32 [images, D] and [unique texts, D], clean views."""
        images, texts = embed_all(model, self.pictures, self.texts)
        return images, texts[: len(self.unique)]


def quick_metrics(images: Float32Array, texts: Float32Array, own: IndexArray) -> Metrics:
    """What is watched while training, over the whole pool: every image, each unique text once; a hit is the same text.

    score: mean of recall@10 both ways. gap, cos_true_pairs and margin as METHOD.md defines them.
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


def train(settings: config.EncoderSettings, root: Path, out: Path, cache: Path, resume: bool = False) -> Path:
    """Train one recipe; the path of its best checkpoint.

    Args:
        root: the folder that the manifests and text files are named from.
        out: takes best.pt, last.pt and log.jsonl.
        cache: takes the kept maps of frozen stages, shared by runs that freeze the same.
    """
    torch.set_num_threads(settings.train.threads)
    corpora = [
        text for name in settings.data.texts for text in corpus(root / name)
    ]  # first: a missing one costs nothing
    pairs = read_pairs([root / name for name in settings.data.manifests], settings.data.stream)
    pairs = with_training_pairs(pairs, [root / name for name in settings.data.more], settings.data.stream)
    for refused in pairs.rejected:
        log.warning("%s: %s", refused.path, refused.reason)
    with distributed.first():
        model, words = start_model(settings, [row.text for row in pairs.rows if row.split == "train"] + corpora)
    return fit(settings, model, words, pairs, out, cache, resume)


def fit(
    settings: config.EncoderSettings,
    model: DualEncoder,
    words: str,
    pairs: Pairs,
    out: Path,
    cache: Path,
    resume: bool = False,
) -> Path:
    """Train a model, fresh or trained before, on the pairs of the split train; see `train`.

    Raises:
        UserError: val has pairs of one split_group only, which gives nothing to calibrate on.
    """
    if len({row.group for row in pairs.rows if row.split == "val"}) == 1:
        raise UserError(ONE_GROUP)
    with distributed.first():
        training, val = (Split(name, pairs, model, words, settings, cache) for name in ("train", "val"))
    options = settings.loss
    device = next(model.parameters()).device
    objective = Objective(
        options.tau,
        options.learn_tau,
        options.atp,
        options.cu,
        options.schedule,
        options.mask_same or options.mask_group,
    ).to(device)
    examples = PairExamples(
        training.pictures,
        training.texts,
        training.text_of,
        settings.train.word_dropout,
        settings.train.case_texts,
        [row.group for row in training.pairs.rows] if options.mask_group else None,
        settings.train.case_modality,
    )
    best = out / "best.pt"

    def keep(metrics: Metrics) -> None:
        extra = {"metrics": metrics, "settings": settings.as_dict(), "baselines": {}}
        extra |= {"calibration": score_scale.from_embeddings(*val.embed(model), val.pairs.rows)}
        checkpoint.save(best, checkpoint.ENCODERS, model.config.as_dict(), model, words, extra)

    trainer = Trainer(
        model,
        objective,
        examples,
        settings.train,
        lambda: quick_metrics(*val.embed(model), val.own),
        keep,
        out,
        settings.identity(len(examples)),
    )
    log.info("%d pairs to train on, %d to validate on", len(training.pairs.rows), len(val.pairs.rows))
    found = trainer.run(resume)
    if distributed.rank() == 0:
        add_means(best, model, training)
    log.info("best score %.4f in epoch %d: %s", found["score"], found["epoch"], best)
    return best


def add_means(best: Path, model: DualEncoder, training: Split) -> None:
    """Put each modality's mean over the training split, for mean-centring, beside the weights of the best epoch."""
    kept = checkpoint.load(best)
    model.load_state_dict(kept.state)
    images, texts = training.embed(model)
    means = {"image_mean": images.mean(0).tolist(), "text_mean": texts[training.own].mean(0).tolist()}
    checkpoint.save(best, kept.kind, kept.config, model, kept.tokenizer_json, {**kept.extra, **means})


def main(argv: Sequence[str]) -> int:
    options = arguments("encoders", "Train both towers.", argv)
    with distributed.processes():
        if distributed.rank():
            logging.getLogger("training").setLevel(logging.WARNING)
        train(config.read(options.config), options.data, options.out, options.cache, options.resume)
    return 0
