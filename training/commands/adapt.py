"""Adapt a bundle to a hospital's own archive: `python -m training adapt --archive DIR --bundle B --checkpoint PT`.

Continues the training of the checkpoint that the bundle was exported from, since a bundle does not contain trainable
weights; layers that were frozen in that training stay frozen. Then runs `export.adapted` in a separate process, since
training does not know export: it writes the new bundle, evaluates both on held-out patients, and keeps the new one only
if it is better. Works offline.
"""

import argparse
import logging
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.models.manifest import require_export_target
from training.commands.train_encoders import EncoderRun, fit
from training.data import archive_pairs
from training.data.pairs import Pairs
from training.loop import config
from training.metrics.embedders import FromCheckpoint
from training.networks import checkpoint

log = logging.getLogger(__name__)
SAMPLES = 16
"""Images and reports whose embeddings are compared."""
MIN_COSINE = 0.95
"""Of the embeddings of checkpoint and bundle. With its own int8 bundle it is above 0.99, with another one near 0."""
MAX_VIEWS = 4
"""Cached augmented views per image."""
EPOCHS, HEAD_EPOCHS = 8, 24
"""Default number of epochs, and that if only the projections are trained."""


def adapt(archive: Path, bundle: Path, start: Path, run: Path, *, epochs: int, rate: float, limit: int) -> Path:
    """Continue the training on the archive; the path of the best checkpoint.

    Args:
        archive: folder of the archive.
        bundle: folder of the current bundle.
        start: encoders checkpoint that the bundle was exported from.
        run: folder for best.pt, last.pt, log.jsonl and, during the run, "cache" with the output of frozen layers. A
            killed run leaves its cache behind; the next one deletes it.
        epochs: number of epochs; 0 for EPOCHS, or HEAD_EPOCHS if both trunks are frozen.
        rate: factor on the learning rates of the original training.
        limit: maximum number of pairs.

    Raises:
        UserError: too few pairs or patients, or the checkpoint is not that of the bundle.
    """
    cache = run / "cache"
    shutil.rmtree(cache, ignore_errors=True)  # left by a killed run
    saved = checkpoint.load(start)
    settings = config.from_dict(saved.extra.get("settings", {}))
    with Archive.open(archive) as opened:
        pairs = archive_pairs.read(opened, int(saved.config.get("size", settings.towers.size)), limit)
    trained = FromCheckpoint(start)
    require_same(Bundle.open(bundle), trained, pairs, start)
    count = sum(row.split == archive_pairs.TRAIN for row in pairs.rows)
    torch.set_num_threads(settings.train.threads)
    trained.model.freeze(settings.towers.frozen_image_stages, settings.towers.frozen_text_layers)
    trunks = [*trained.model.image_tower.parameters(), *trained.model.text_tower.parameters()]
    epochs = epochs or (EPOCHS if any(value.requires_grad for value in trunks) else HEAD_EPOCHS)
    settings = replace(
        settings,
        loss=replace(settings.loss, mask_same=True),  # many patients of a hospital share a stock text
        train=replace(
            settings.train,
            epochs=epochs,
            lr=settings.train.lr * rate,
            projection_lr=settings.train.projection_lr * rate,
            batch=min(settings.train.batch, max(2, count // 2)),
            accumulate=1,
            crops=min(MAX_VIEWS, settings.train.crops),
            case_texts=0.0,
            case_modality=False,
            patience=max(2, epochs // 3),
            keep_last=False,  # the epoch is chosen on val; the bundle is evaluated on patients outside of train and val
        ),
    )
    try:
        return fit(EncoderRun(settings, trained.model, saved.tokenizer_json, run, cache), pairs)
    finally:
        shutil.rmtree(
            cache, ignore_errors=True
        )  # it is derived from patients' images and reports, so it must not outlive the run


def require_same(bundle: Bundle, model: FromCheckpoint, pairs: Pairs, start: Path) -> None:
    """Raise UserError unless bundle and checkpoint have similar embeddings of some images and reports."""
    texts = [row.text for row in pairs.rows[:SAMPLES]]
    images = list(pairs.images[:SAMPLES])
    both = ((model.images(images), bundle.embed_images(images)), (model.texts(texts), bundle.embed_texts(texts)))
    cosines = [float((a * b).sum(1).mean()) if a.shape == b.shape else 0.0 for a, b in both]
    if not np.isfinite(cosines).all() or min(cosines) < MIN_COSINE:
        raise UserError(
            f"{start} is not the checkpoint of the bundle {bundle.folder}: the mean cosine of their embeddings is only "
            f"{min(cosines):.2f}. Give the best.pt that this bundle was exported from."
        )


def main(argv: Sequence[str]) -> int:
    """Run the command; 0 if a new bundle was written.

    Raises:
        UserError: otherwise; problems with the inputs are found before the training.
    """
    parser = argparse.ArgumentParser(prog="python -m training adapt", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--archive", type=Path, required=True, help="archive with the image-report pairs to train on")
    add("--bundle", type=Path, required=True, help="current bundle")
    add("--checkpoint", type=Path, required=True, help="best.pt of the encoders that this bundle was exported from")
    add("--out", type=Path, required=True, help="folder of the new bundle")
    add("--force", action="store_true", help="write the new bundle even if it is not better")
    add("--run", type=Path, help="folder of the training run; default OUT.run")
    add("--epochs", type=int, default=0, help="default 8, or 24 if only the projections are trained")
    add("--rate", type=float, default=0.25, help="factor on the learning rates of the original training; default 0.25")
    add("--most", type=int, default=archive_pairs.MAX_PAIRS, help="maximum number of pairs; default 10000")
    options = parser.parse_args(argv)
    require_export_target(options.out)
    run = options.run or options.out.with_name(options.out.name + ".run")
    best = adapt(
        options.archive,
        options.bundle,
        options.checkpoint,
        run,
        epochs=options.epochs,
        rate=options.rate,
        limit=options.most,
    )
    export = [sys.executable, "-m", "export.adapted", str(best), "--archive", str(options.archive)]
    export += ["--bundle", str(options.bundle), "--out", str(options.out), "--most", str(options.most)]
    return run_export([*export, *(["--force"] if options.force else [])])


def run_export(command: list[str]) -> int:
    """Run a command and forward its stderr; if it exits with code 2, its last line becomes a UserError."""
    last = ""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        for line in child.stderr:
            sys.stderr.write(last)
            last = line
    if child.returncode == 2:
        raise UserError(last.strip())
    sys.stderr.write(last)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} exited with code {child.returncode}")
    return 0
