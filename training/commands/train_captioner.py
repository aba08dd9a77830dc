"""Train the caption decoder on a frozen shared space: `python -m training captioner --config FILE`. Knows no export.

mode "text" learns from the embeddings of texts alone, "pairs" from those of pictures, "both" from either; all are
validated on what counts in use: writing the report of a val PICTURE. "language" learns the wording of all texts without
any embedding, for others to start from.
"""

import json
import logging
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.errors import UserError
from training.captions import examples, report
from training.captions.examples import CaptionExamples, NextToken
from training.captions.material import CaptionDataSettings, Material, digest, gather, training_texts
from training.loop.command import arguments
from training.loop.config import TrainSettings
from training.loop.trainer import Metrics, Trainer
from training.networks import checkpoint
from training.networks.captioner import CaptionDecoder, CaptionerConfig, drafts

log = logging.getLogger(__name__)
MODES = ("text", "pairs", "both", "language")


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
class CaptionerSettings:
    encoders: str
    mode: str = "both"
    start: str = ""  # a captioner checkpoint to go on from, of the same tokenizer; "" starts anew
    data: CaptionDataSettings = field(default_factory=CaptionDataSettings)
    model: ModelSettings = ModelSettings()
    train: LoopSettings = LoopSettings()


def read(path: Path, rows: bool = False) -> CaptionerSettings:
    """Settings from a TOML file; `rows`: it may have [[rows]], which are somebody else's to read.

    Raises:
        UserError: the file is missing or no TOML, or names something unknown.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        if rows:
            values.pop("rows", None)
        settings = from_dict(values)
    except OSError as problem:
        raise UserError(f"There is no readable configuration at {path}; see training/configs.") from problem
    except (tomllib.TOMLDecodeError, TypeError) as problem:
        raise UserError(f"{path} is not a configuration of the captioner: {problem}.") from problem
    if settings.mode not in MODES:
        raise UserError(f"{path} has mode {settings.mode!r}; choose one of {', '.join(MODES)}.")
    return settings


def from_dict(values: Mapping[str, Any]) -> CaptionerSettings:
    """Settings from nested tables, as a TOML file or a checkpoint has them; TypeError for what is unknown."""
    parts: dict[str, Any] = {"data": CaptionDataSettings, "model": ModelSettings, "train": LoopSettings}
    return CaptionerSettings(
        **{name: parts[name](**value) if name in parts else value for name, value in values.items()}
    )


def start_model(settings: CaptionerSettings, material: Material) -> CaptionDecoder:
    """A fresh decoder, or the weights of an earlier one that shares the tokenizer."""
    torch.manual_seed(settings.train.seed)
    sizes = {**asdict(settings.model), "centred": settings.data.centre}
    config = CaptionerConfig(vocab=material.tokenizer.size, embedding=material.conditions.shape[1], **sizes)
    model = CaptionDecoder(config)
    if settings.start:
        earlier = checkpoint.load(settings.start)
        same = replace(CaptionerConfig(**earlier.config), centred=config.centred) == config
        if earlier.tokenizer_json != material.tokenizer_json or not same:
            raise UserError(f"{settings.start} has another tokenizer or other sizes; leave `start` out.")
        own = {"shift": model.get_buffer("shift")} if config.centred else {}
        model.load_state_dict({name: value for name, value in earlier.state.items() if name != "shift"} | own)
    elif material.word_vectors is not None:
        with torch.no_grad():
            model.words.weight.copy_(torch.from_numpy(material.word_vectors))
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def learned_from(settings: CaptionerSettings) -> dict[str, list[str]]:
    """The manifests ("pairs") and text corpora ("texts") of these settings and of every decoder it starts from."""
    found = {"pairs": list(settings.data.pairs), "texts": list(settings.data.texts)}
    if settings.start:
        earlier = checkpoint.load(settings.start)
        found = {kind: list(dict.fromkeys([*names, *earlier.data_files(kind)])) for kind, names in found.items()}
    return found


def require_files(settings: CaptionerSettings, root: Path) -> None:
    """Raise UserError, with all that is missing in one sentence, before hours go into embedding what is there."""
    checkpoints = [name for name in (settings.encoders, settings.start) if name and not Path(name).is_file()]
    if checkpoints:
        raise UserError(
            f"There is no checkpoint {' and no '.join(checkpoints)}; train that first (docs/training.md lists the "
            "commands in order) or name another in the configuration."
        )
    learned = learned_from(settings)
    named = [*learned["pairs"], *learned["texts"]]
    missing = [str(root / name) for name in named if not (root / name).exists()]
    if missing:
        raise UserError(
            f"There is no {' and no '.join(missing)}; name the data folder with --data, or take what you do not have "
            "out of `pairs` and `texts` in the configuration, and in that of what it starts from."
        )


def material_of(settings: CaptionerSettings, root: Path, cache: Path) -> Material:
    """All that any mode learns from with these settings; a copy is told by the texts of what it starts from as well.

    Raises:
        UserError: see `require_files`.
    """
    require_files(settings, root)
    sizes = settings.model
    material = gather(
        Path(settings.encoders), settings.data, sizes.dim, sizes.max_tokens, root, cache, settings.train.half
    )
    return replace(material, known_texts=training_texts(**learned_from(settings), root=root))


def train(
    settings: CaptionerSettings, root: Path, out: Path, cache: Path, resume: bool = False, whole: Material | None = None
) -> Path:
    """Train one decoder; the path of its best checkpoint, with captions.json and written.json beside it.

    Args:
        whole: what `material_of` returned for these settings, where it is at hand.
    """
    torch.set_num_threads(settings.train.threads)
    whole = whole or material_of(settings, root, cache)
    material = (whole.centred() if settings.data.centre else whole).for_mode(settings.mode)
    model = start_model(settings, material)
    loop, tokenizer, language = settings.train, material.tokenizer, settings.mode == "language"
    drawn = CaptionExamples(
        material.paired,
        material.alone,
        material.conditions,
        tokenizer.pad_id,
        loop.batch,
        loop.steps,
        settings.data.pairs_share,
        (0.0, 0.0) if language else (settings.data.noise_low, settings.data.noise_high),
    )
    val_ids = examples.encode(material.val_texts, tokenizer, settings.model.max_tokens)
    best = out / "best.pt"
    extra: dict[str, Any] = {"settings": asdict(settings), "learned_from": learned_from(settings)}
    encoders = digest(Path(settings.encoders))
    if not language:
        extra["encoders_sha256"] = encoders
    # Encoders are told by what they are: the same file may lie elsewhere, and another may lie there.
    recipe = {name: value for name, value in asdict(settings).items() if name != "encoders"}
    identity = {"recipe": recipe, "encoders": encoders, "examples": [len(material.paired), len(material.alone)]}

    def validate() -> Metrics:
        loss = examples.token_loss(model, val_ids, material.val_images, tokenizer.pad_id)
        return {"score": -loss, "val_loss": loss, "val_perplexity": float(np.exp(loss))}

    def keep(metrics: Metrics) -> None:
        content = {**extra, "metrics": dict(metrics)}
        checkpoint.save(best, checkpoint.CAPTIONER, model.config.as_dict(), model, material.tokenizer_json, content)

    log.info("%d pairs, %d other texts, %d val pictures", len(material.paired), len(material.alone), len(val_ids))
    sizes = TrainSettings(
        seed=loop.seed,
        epochs=loop.epochs,
        batch=1,
        lr=loop.lr,
        weight_decay=loop.weight_decay,
        warmup=loop.warmup,
        patience=loop.patience,
        threads=loop.threads,
        half=loop.half,
    )
    Trainer(model, NextToken(loop.smoothing), drawn, sizes, validate, keep, out, identity).run(resume)
    if not language:
        finish(best, model, whole, out)
    return best


def finish(best: Path, model: CaptionDecoder, whole: Material, out: Path) -> None:
    """Measure the best epoch as the product would use it, and keep the figures and the decision on drafts with it."""
    kept = checkpoint.load(best)
    model.load_state_dict(kept.state)
    if model.config.centred:
        # Trained on rows that were centred already; served are rows that are not.
        model.get_buffer("shift").copy_(torch.from_numpy(whole.image_mean))
    written = drafts(model, whole.tokenizer, whole.val_images)
    lines = [{"text": caption.text, "tokens": caption.tokens, "log_probs": caption.log_probs} for caption in written]
    (out / "written.json").write_text(json.dumps(lines) + "\n", encoding="utf-8")
    found = report.report([caption.text for caption in written], whole)
    (out / "captions.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    merged = {**kept.extra, "metrics": {**kept.extra["metrics"], **found}, "draft": report.decision(found)}
    checkpoint.save(best, kept.kind, kept.config, model, kept.tokenizer_json, merged)
    log.info("%s: %s", best, json.dumps(found))


def main(argv: Sequence[str]) -> int:
    options = arguments("captioner", "Train the caption decoder.", argv)
    train(read(options.config), options.data, options.out, options.cache, options.resume)
    return 0
