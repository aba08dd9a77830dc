"""Train the caption decoder on a frozen shared space: `python -m training captioner --config FILE`.

Mode "text" trains on text embeddings only, "pairs" on image embeddings, "both" on either; all are validated as they
are used, on val IMAGES. "language" trains on the wording of all texts without any embedding, for other runs to start
from. Does not know the export.
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
from training.captions.examples import CaptionExamples, NextToken, Sampling
from training.captions.material import CaptionDataSettings, Material, gather, training_texts
from training.loop.command import arguments
from training.loop.config import TrainSettings
from training.loop.trainer import Metrics, Trainer
from training.networks import checkpoint
from training.networks.captioner import CaptionDecoder, CaptionerConfig, drafts

log = logging.getLogger(__name__)
MODES = ("text", "pairs", "both", "language")


@dataclass(frozen=True)
class ModelSettings:
    """[model]: sizes of the decoder, see `CaptionerConfig`."""

    dim: int = 256
    layers: int = 3
    heads: int = 4
    memory: int = 4
    max_tokens: int = 64
    dropout: float = 0.1


@dataclass(frozen=True)
class LoopSettings:
    """[train]: optimization and early stopping."""

    seed: int = 1
    epochs: int = 16
    steps: int = 120
    """Batches per epoch."""
    batch: int = 64
    lr: float = 1.5e-3
    weight_decay: float = 0.05
    warmup: float = 0.05
    patience: int = 5
    threads: int = 2
    half: bool = True
    smoothing: float = 0.0
    """Label smoothing, see `NextToken`."""


@dataclass(frozen=True)
class CaptionerSettings:
    """All settings of a captioner run."""

    encoders: str
    """Path of the encoders checkpoint whose shared space the decoder reads."""
    mode: str = "both"
    """One of MODES, see the module."""
    start: str = ""
    """Path of a captioner checkpoint to start from, with the same tokenizer; "" starts with new weights."""
    data: CaptionDataSettings = field(default_factory=CaptionDataSettings)
    model: ModelSettings = ModelSettings()
    train: LoopSettings = LoopSettings()


def read(path: Path, rows: bool = False) -> CaptionerSettings:
    """Settings from a TOML file; with `rows` it may also have [[rows]], which `caption_matrix` reads.

    Raises:
        UserError: the file is missing, is not TOML, or has an unknown setting.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        if rows:
            values.pop("rows", None)
        settings = from_dict(values)
    except OSError as problem:
        raise UserError(f"Cannot read the configuration {path}; see training/configs for examples.") from problem
    except (tomllib.TOMLDecodeError, TypeError) as problem:
        raise UserError(f"{path} is not a captioner configuration: {problem}.") from problem
    if settings.mode not in MODES:
        raise UserError(f"Unknown mode {settings.mode!r} in {path}; the modes are {', '.join(MODES)}.")
    return settings


def from_dict(values: Mapping[str, Any]) -> CaptionerSettings:
    """Settings from nested tables, as in a TOML file or a checkpoint; TypeError for an unknown setting."""
    parts: dict[str, Any] = {"data": CaptionDataSettings, "model": ModelSettings, "train": LoopSettings}
    return CaptionerSettings(
        **{name: parts[name](**value) if name in parts else value for name, value in values.items()}
    )


def start_model(settings: CaptionerSettings, material: Material) -> CaptionDecoder:
    """A new decoder, or one with the weights of an earlier decoder that has the same tokenizer."""
    torch.manual_seed(settings.train.seed)
    sizes = {**asdict(settings.model), "centred": settings.data.centre}
    config = CaptionerConfig(vocab=material.tokenizer.size, embedding=material.conditions.shape[1], **sizes)
    model = CaptionDecoder(config)
    if settings.start:
        earlier = checkpoint.load(settings.start)
        same = replace(CaptionerConfig(**earlier.config), centred=config.centred) == config
        if earlier.tokenizer_json != material.tokenizer_json or not same:
            raise UserError(
                f"{settings.start} has another tokenizer or other sizes; remove `start` from the configuration."
            )
        own = {"shift": model.get_buffer("shift")} if config.centred else {}
        model.load_state_dict({name: value for name, value in earlier.state.items() if name != "shift"} | own)
    elif material.word_vectors is not None:
        with torch.no_grad():
            model.words.weight.copy_(torch.from_numpy(material.word_vectors))
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def trained_on(settings: CaptionerSettings) -> dict[str, list[str]]:
    """The manifests ("pairs") and text corpora ("texts") of these settings and of every decoder it starts from."""
    found = {"pairs": list(settings.data.pairs), "texts": list(settings.data.texts)}
    if settings.start:
        earlier = checkpoint.load(settings.start)
        found = {kind: list(dict.fromkeys([*names, *earlier.data_files(kind)])) for kind, names in found.items()}
    return found


def require_files(settings: CaptionerSettings, root: Path) -> None:
    """Raise UserError that names everything missing, before hours are spent on embedding the rest."""
    checkpoints = [name for name in (settings.encoders, settings.start) if name and not Path(name).is_file()]
    if checkpoints:
        raise UserError(
            f"There is no checkpoint {' and no '.join(checkpoints)}; train that first (docs/training.md lists the "
            "commands in order) or set another one in the configuration."
        )
    files = trained_on(settings)
    named = [*files["pairs"], *files["texts"]]
    missing = [str(root / name) for name in named if not (root / name).exists()]
    if missing:
        raise UserError(
            f"There is no {' and no '.join(missing)}; set the data folder with --data, or remove the file from "
            "`pairs` and `texts` in this configuration and in the one it starts from."
        )


def material_of(settings: CaptionerSettings, root: Path, cache: Path) -> Material:
    """The material of all modes; its known texts include those of the decoder that this one starts from.

    Raises:
        UserError: see `require_files`.
    """
    require_files(settings, root)
    material = gather(
        Path(settings.encoders),
        settings.data,
        root,
        cache,
        dim=settings.model.dim,
        max_tokens=settings.model.max_tokens,
        half=settings.train.half,
        language=settings.mode == "language",
    )
    return replace(material, known_texts=training_texts(**trained_on(settings), root=root))


def train(
    settings: CaptionerSettings, root: Path, out: Path, cache: Path, resume: bool = False, whole: Material | None = None
) -> Path:
    """Train one decoder; the path of its best checkpoint, with captions.json and written.json next to it.

    Args:
        whole: the result of `material_of` for these settings, if there is one.
    """
    torch.set_num_threads(settings.train.threads)
    whole = whole or material_of(settings, root, cache)
    material = (whole.centred() if settings.data.centre else whole).for_mode(settings.mode)
    model = start_model(settings, material)
    loop, tokenizer, language = settings.train, material.tokenizer, settings.mode == "language"
    noise = (0.0, 0.0) if language else (settings.data.noise_low, settings.data.noise_high)
    sampling = Sampling(loop.batch, loop.steps, settings.data.pairs_share, noise)
    drawn = CaptionExamples(material.paired, material.unpaired, material.conditions, tokenizer.pad_id, sampling)
    val_ids = examples.encode(material.val_texts, tokenizer, settings.model.max_tokens)
    best = out / "best.pt"
    extra: dict[str, Any] = {"settings": asdict(settings), "learned_from": trained_on(settings)}
    encoders = checkpoint.digest(Path(settings.encoders))
    if not language:
        extra["encoders_sha256"] = encoders
    # Encoders are identified by their content, since the file may have been moved or replaced.
    recipe = {name: value for name, value in asdict(settings).items() if name != "encoders"}
    identity = {"recipe": recipe, "encoders": encoders, "examples": [len(material.paired), len(material.unpaired)]}

    def validate() -> Metrics:
        loss = examples.token_loss(model, val_ids, material.val_images, tokenizer.pad_id)
        return {"score": -loss, "val_loss": loss, "val_perplexity": float(np.exp(loss))}

    def save_best(metrics: Metrics) -> None:
        content = {**extra, "metrics": dict(metrics)}
        checkpoint.save(best, checkpoint.CAPTIONER, model.config.as_dict(), model, material.tokenizer_json, content)

    log.info(
        "%d pairs, %d texts without images, %d val images", len(material.paired), len(material.unpaired), len(val_ids)
    )
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
    trainer = Trainer(
        model,
        NextToken(loop.smoothing),
        drawn,
        sizes,
        validate=validate,
        save_best=save_best,
        folder=out,
        identity=identity,
    )
    trainer.run(resume)
    if not language:
        finish(best, model, whole, out)
    return best


def finish(best: Path, model: CaptionDecoder, whole: Material, out: Path) -> None:
    """Measure the best epoch as the application uses it; save the scores and what starts a draft in its checkpoint."""
    saved = checkpoint.load(best)
    model.load_state_dict(saved.state)
    if model.config.centred:
        # Trained on centred rows; in use the rows are not centred.
        model.get_buffer("shift").copy_(torch.from_numpy(whole.image_mean))
    written = drafts(model, whole.tokenizer, whole.val_images)
    lines = [{"text": caption.text, "tokens": caption.tokens, "log_probs": caption.log_probs} for caption in written]
    (out / "written.json").write_text(json.dumps(lines) + "\n", encoding="utf-8")
    result = report.report([caption.text for caption in written], whole)
    (out / "captions.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    merged = {**saved.extra, "metrics": {**saved.extra["metrics"], **result}, "draft": report.decision(result)}
    checkpoint.save(best, saved.kind, saved.config, model, saved.tokenizer_json, merged)
    log.info("%s: %s", best, json.dumps(result))


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    options = arguments("captioner", "Train the caption decoder.", argv)
    train(read(options.config), options.data, options.out, options.cache, options.resume)
    return 0
