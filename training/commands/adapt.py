"""Adapt a bundle to a hospital's own archive: `python -m training adapt --archive DIR --bundle B --checkpoint PT`.

Trains on, from the checkpoint that the bundle was exported from (a bundle holds no weights that can be trained), what
its training did not freeze. Then it hands over to `export.adapted` in a process of its own, since training does not
know export: that makes the new bundle, measures both on held-out patients, and keeps the new one only if it is better.
All of it is offline.
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
LEAST_COSINE = 0.95
"""Mean row cosine of a checkpoint with its own int8 bundle is above 0.99; unrelated models are near 0."""
VIEWS = 4
EPOCHS, EPOCHS_OF_HEADS = 8, 24


def adapt(archive: Path, bundle: Path, start: Path, run: Path, epochs: int, rate: float, most: int) -> Path:
    """Train on; the path of the best checkpoint.

    Args:
        archive: folder of the archive.
        bundle: folder of the bundle that is in use.
        start: encoders checkpoint that the bundle was exported from.
        run: folder that takes best.pt, last.pt, log.jsonl and, for the time of the run, what frozen layers answer. One
            that was killed leaves those answers in its folder "cache" until the next.
        epochs: how long; 0 for EPOCHS, or for EPOCHS_OF_HEADS where both trunks are frozen.
        rate: share of the learning rates that made the checkpoint.
        most: pairs at most.

    Raises:
        UserError: too few pairs or patients, or a checkpoint of other models.
    """
    cache = run / "cache"
    shutil.rmtree(cache, ignore_errors=True)  # of a run that was killed
    saved = checkpoint.load(start)
    settings = config.from_dict(saved.extra.get("settings", {}))
    with Archive.open(archive) as opened:
        pairs = archive_pairs.read(opened, int(saved.config.get("size", settings.towers.size)), most)
    trained = FromCheckpoint(start)
    require_same(Bundle.open(bundle), trained, pairs, start)
    count = sum(row.split == archive_pairs.TRAIN for row in pairs.rows)
    torch.set_num_threads(settings.train.threads)
    trained.model.freeze(settings.towers.frozen_image_stages, settings.towers.frozen_text_layers)
    trunks = [*trained.model.image_tower.parameters(), *trained.model.text_tower.parameters()]
    epochs = epochs or (EPOCHS if any(value.requires_grad for value in trunks) else EPOCHS_OF_HEADS)
    settings = replace(
        settings,
        loss=replace(settings.loss, mask_same=True),  # in a hospital many patients share a stock text
        train=replace(
            settings.train,
            epochs=epochs,
            lr=settings.train.lr * rate,
            projection_lr=settings.train.projection_lr * rate,
            batch=min(settings.train.batch, max(2, count // 2)),
            accumulate=1,
            crops=min(VIEWS, settings.train.crops),
            case_texts=0.0,
            case_modality=False,
            patience=max(2, epochs // 3),
            keep_last=False,  # the epoch is chosen on val, and judged on patients who are in no split of this training
        ),
    )
    try:
        return fit(EncoderRun(settings, trained.model, saved.tokenizer_json, run, cache), pairs)
    finally:
        shutil.rmtree(cache, ignore_errors=True)  # patients' pictures and reports in another form: gone with the run


def require_same(bundle: Bundle, model: FromCheckpoint, pairs: Pairs, start: Path) -> None:
    """Raise UserError unless the bundle embeds some pictures and reports as the checkpoint does."""
    texts = [row.text for row in pairs.rows[:SAMPLES]]
    pictures = list(pairs.images[:SAMPLES])
    both = ((model.images(pictures), bundle.embed_images(pictures)), (model.texts(texts), bundle.embed_texts(texts)))
    cosines = [float((a * b).sum(1).mean()) if a.shape == b.shape else 0.0 for a, b in both]
    if not np.isfinite(cosines).all() or min(cosines) < LEAST_COSINE:
        raise UserError(
            f"{start} is not the checkpoint of the bundle {bundle.folder}: their embeddings agree by a cosine of "
            f"{min(cosines):.2f} only. Give the best.pt that this bundle was exported from."
        )


def main(argv: Sequence[str]) -> int:
    """Exit code 0 when a new bundle was written; UserError says why not otherwise, before the training where it can."""
    parser = argparse.ArgumentParser(prog="python -m training adapt", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--archive", type=Path, required=True, help="the archive whose image-report pairs are learned from")
    add("--bundle", type=Path, required=True, help="the bundle in use")
    add("--checkpoint", type=Path, required=True, help="best.pt of the encoders that this bundle was exported from")
    add("--out", type=Path, required=True, help="folder of the new bundle")
    add("--force", action="store_true", help="write the new bundle even if it is not better")
    add("--run", type=Path, help="folder of the training run; default OUT.run")
    add("--epochs", type=int, default=0, help="default 8, or 24 where only the projections learn")
    add("--rate", type=float, default=0.25, help="share of the learning rates that made the checkpoint")
    add("--most", type=int, default=archive_pairs.MOST_PAIRS, help="pairs at most")
    options = parser.parse_args(argv)
    require_export_target(options.out)
    run = options.run or options.out.with_name(options.out.name + ".run")
    best = adapt(options.archive, options.bundle, options.checkpoint, run, options.epochs, options.rate, options.most)
    export = [sys.executable, "-m", "export.adapted", str(best), "--archive", str(options.archive)]
    export += ["--bundle", str(options.bundle), "--out", str(options.out), "--most", str(options.most)]
    return hand_over([*export, *(["--force"] if options.force else [])])


def hand_over(command: list[str]) -> int:
    """Run a command, passing on what it says; its last line becomes the UserError when it ends with code 2."""
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
        raise RuntimeError(f"{' '.join(command)} ended with code {child.returncode}")
    return 0
