"""Fits the familiarity model, which detects images unlike the training images. Knows only the file it writes.

It is fitted on the features of the image tower before the projection, since the projection drops what reports do not
need. It consists of their mean and principal directions, from which no image can be reconstructed. The threshold is
slightly above the residual of nearly all held-out images, because images of another hospital differ more from the
training images than held-out images of the same sources do; a few of these are no radiology, and do not count.
"""

from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import UserError
from engine.models.familiarity import FamiliarityModel
from engine.models.manifest import file_entry
from training.arrays import Float32Array

FILE = "familiarity.npz"
DIRECTIONS = 64
"""More directions do not separate better, see docs/familiarity.md."""
NEARLY_ALL = 0.99
"""Share of the held-out images that are familiar before the margin. The most unusual ones of many sources lie where
photographs do: at .998 not one of three photographs was told."""
MARGIN = 1.05
"""Factor on the residual that nearly all of the held-out images are below."""
MIN_IMAGES = 20
"""Of each kind."""


def fit(train: Float32Array, held_out: Float32Array, directions: int = DIRECTIONS) -> FamiliarityModel:
    """Mean and leading directions of `train`, threshold from `held_out`.

    Args:
        train: float32 [N, F], unit rows, one per training image.
        held_out: float32 [M, F], the same for images that no model was trained on.
        directions: number of directions; at most half of F, so that a residual remains.

    Raises:
        UserError: too few images.
    """
    if min(len(train), len(held_out)) < MIN_IMAGES:
        raise UserError(
            f"Familiarity needs at least {MIN_IMAGES} training and {MIN_IMAGES} held-out images; use more pairs."
        )
    mean = train.mean(axis=0, dtype=np.float64)
    centred = train - mean
    # Of the scatter [F, F], ascending: a decomposition of the rows themselves takes minutes for 17,000 of them.
    _, axes = np.linalg.eigh(centred.T @ centred)
    leading = axes.T[::-1][: min(directions, train.shape[1] // 2)].astype(np.float32)
    model = FamiliarityModel(mean.astype(np.float32), leading, 1.0)
    return FamiliarityModel(model.mean, leading, threshold(model, held_out))


def threshold(model: FamiliarityModel, held_out: Float32Array) -> float:
    """The largest residual of a familiar image, from the features of held-out ones, float32 [M, F]."""
    return MARGIN * float(np.quantile(model.residuals(held_out), NEARLY_ALL))


def write(folder: Path, train: Float32Array, held_out: Float32Array) -> dict[str, Any]:
    """Write FILE into a bundle's folder and return its entry `familiarity` of the manifest."""
    model = fit(train, held_out)
    model.write(folder / FILE)
    # The file rounds the directions, so the threshold is computed from what the application will read.
    stored = FamiliarityModel.from_file(folder / FILE, model.threshold)
    limit = threshold(stored, held_out)
    return {
        **file_entry(folder / FILE),
        "rows": "features",
        "threshold": limit,
        "directions": len(model.directions),
        "training_pictures": len(train),
        "held_out_pictures": len(held_out),
        "held_out_unfamiliar": int((stored.residuals(held_out) > limit).sum()),
    }
