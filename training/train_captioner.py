"""Train the caption decoder on a frozen shared space: `python -m training captioner --config FILE`. Knows no export.

mode "text" learns from the embeddings of texts alone, "pairs" from those of pictures, "both" from either; all are
validated on what counts in use: writing the report of a val PICTURE.
"""

import hashlib
import json
import logging
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.errors import UserError
from engine.tokenizer import Tokenizer
from training import caption_data, caption_scores, checkpoint, data
from training.caption_data import CaptionExamples, Example, NextToken
from training.captioner import CaptionDecoder, CaptionerConfig, greedy
from training.command import arguments
from training.config import TrainSettings
from training.embedders import FromCheckpoint
from training.metrics_gap import normalised
from training.train_encoders import corpus
from training.trainer import Metrics, Trainer

log = logging.getLogger(__name__)
Rows = NDArray[np.float32]
MODES = ("text", "pairs", "both")


@dataclass(frozen=True)
class DataSettings:
    pairs: list[str] = field(default_factory=lambda: ["pairs/pairs.csv"])
    texts: list[str] = field(default_factory=list)
    pairs_share: float = 0.4
    views: int = 0
    noise_low: float = 0.3
    noise_high: float = 1.2


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


@dataclass(frozen=True)
class Settings:
    encoders: str
    mode: str = "both"
    start: str = ""  # a captioner checkpoint to go on from, of the same tokenizer; "" starts anew
    data: DataSettings = DataSettings()
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


@dataclass(frozen=True)
class Material:
    """Everything the decoder learns from, embedded once.

    conditions: float32 [R, D], first the unique texts, then the pictures view by view.
    """

    tokenizer: Tokenizer
    tokenizer_json: str
    word_vectors: Rows | None
    paired: list[Example]
    alone: list[Example]
    conditions: Rows
    texts: list[str]
    """Unique training texts, those of the pairs first."""
    pair_texts: list[str]
    """The training text of each pair."""
    val_images: Rows
    val_texts: list[str]


def gather(settings: Settings, root: Path, cache: Path) -> Material:
    """Read and embed. Embeddings are kept in `cache`, named by all that they depend on."""
    encoders = FromCheckpoint(Path(settings.encoders))
    sets = [data.read_pairs([root / name]) for name in settings.data.pairs]
    training = [part.split("train") for part in sets]
    rows = [row for part in training for row in part.rows]
    images = [image for part in training for image in part.images]
    alone = [] if settings.mode == "pairs" else [text for name in settings.data.texts for text in corpus(root / name)]
    unique = list(dict.fromkeys([*(row.text for row in rows), *(" ".join(text.split()) for text in alone)]))
    val = sets[0].split("val")
    views = list(images)
    size = encoders.model.config.size
    for view in range(1, settings.data.views + 1):
        views += [data.augment(im, size, np.random.default_rng([1, view, i])) for i, im in enumerate(images)]
    if settings.mode == "text":
        views = []
    key = hashlib.sha256(Path(settings.encoders).read_bytes())
    key.update("\n".join([*unique, *(row.path.name for row in [*rows, *val.rows]), str(len(views))]).encode())
    kept = cache / f"captioner-{key.hexdigest()[:16]}.npz"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        log.info("embedding %d texts and %d views", len(unique), len(views))
        with torch.autocast(encoders.device, torch.bfloat16, enabled=settings.train.half):
            found = {
                "texts": encoders.texts(unique),
                "images": encoders.images(views),
                "val": encoders.images(val.images),
            }
        np.savez(kept, **found)  # type: ignore[arg-type]
    with np.load(kept) as found_rows:
        conditions = np.concatenate([found_rows["texts"], found_rows["images"]])
        val_images = found_rows["val"]
    number = {text: index for index, text in enumerate(unique)}
    own = [number[row.text] for row in rows]
    count = len({row.text for row in rows})
    ids = caption_data.encode(unique, encoders.tokenizer, settings.model.max_tokens)
    paired = []
    for index, text in enumerate(own):
        picture = [len(unique) + index + view * len(rows) for view in range(len(views) // max(1, len(rows)))]
        paired.append(Example(ids[text], (*([text] if settings.mode != "pairs" else []), *picture)))
    without = [Example(ids[index], (index,)) for index in range(count, len(unique))]
    return Material(
        encoders.tokenizer, encoders.tokenizer_json, word_vectors(encoders, settings.model.dim), paired, without,
        conditions, unique, [row.text for row in rows], val_images, [row.text for row in val.rows],
    )  # fmt: skip


def word_vectors(encoders: FromCheckpoint, dim: int) -> Rows | None:
    """The text tower's own word vectors on their `dim` main axes, float32 [V, dim]; None where a tower has none such.

    Words that the tower finds alike then start alike, which a decoder with few texts could hardly learn.
    """
    tower: Any = encoders.model.text_tower
    embeddings = getattr(getattr(tower.model, "embeddings", None), "word_embeddings", None)
    if embeddings is None or embeddings.weight.shape[0] != encoders.tokenizer.size:
        return None
    rows = embeddings.weight.detach().float().cpu().numpy()
    rows = rows - rows.mean(0)
    if rows.shape[1] < dim:
        return None
    _, _, axes = np.linalg.svd(rows, full_matrices=False)
    flat = rows @ axes[:dim].T
    return np.asarray(flat * (0.03 / flat.std()), np.float32)


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


def write(model: CaptionDecoder, tokenizer: Tokenizer, conditions: Rows, chunk: int = 64) -> list[str]:
    """Greedy captions for embeddings float32 [N, D]."""
    model.eval()
    device = next(model.parameters()).device
    rows: list[list[int]] = []
    for first in range(0, len(conditions), chunk):
        condition = torch.from_numpy(conditions[first : first + chunk]).to(device)
        rows += greedy(model, condition, tokenizer.cls_id, tokenizer.sep_id)
    return [tokenizer.decode(row) for row in rows]


def report(model: CaptionDecoder, material: Material) -> dict[str, Any]:
    """Captions of the val pictures against their reports, beside the nearest training report and the commonest one."""
    written = write(model, material.tokenizer, material.val_images)
    count = len(dict.fromkeys(material.pair_texts))
    images, texts = normalised(material.val_images), normalised(material.conditions[:count])
    baselines = {
        "nearest_report": caption_scores.nearest(images, texts, material.texts[:count]),
        "most_frequent": [caption_scores.most_frequent(material.pair_texts)] * len(written),
    }
    return {
        "captions": len(written),
        "captioner": caption_scores.scores(written, material.val_texts),
        **{name: caption_scores.scores(found, material.val_texts) for name, found in baselines.items()},
        "copying_8_words": caption_scores.copied_share(written, material.texts),
        "different": len(set(written)),
        "examples": [{"written": w, "report": r} for w, r in list(zip(written, material.val_texts))[::15]],
    }


def train(settings: Settings, root: Path, out: Path, cache: Path, resume: bool = False) -> Path:
    """Train one decoder; the path of its best checkpoint, and captions.json with its scores beside it."""
    torch.set_num_threads(settings.train.threads)
    material = gather(settings, root, cache)
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
    Trainer(model, NextToken(), examples, sizes, validate, keep, out).run(resume)
    kept = checkpoint.load(best)
    model.load_state_dict(kept.state)
    found = report(model, material)
    (out / "captions.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    summary = {name: value for name, value in found.items() if name != "examples"}
    merged = {**kept.extra, "metrics": {**kept.extra["metrics"], **summary}}
    checkpoint.save(best, kept.kind, kept.config, model, kept.tokenizer_json, merged)
    log.info("%s: %s", best, json.dumps(summary))
    return best


def digest(path: Path) -> str:
    """SHA-256 of the encoders checkpoint: a decoder reads the space of that one and of no other."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(argv: Sequence[str]) -> int:
    options = arguments("captioner", "Train the caption decoder.", argv)
    train(read(options.config), options.data, options.out, options.cache, options.resume)
    return 0
