"""What the training pictures have in common, so that a bundle can tell others. Knows no files but the one it writes.

Fitted on what the shipped image tower sees in the training pictures, before its projection, which forgets what no
report needs: their mean and leading directions, which are aggregates and give no picture back. Every
held-out picture passes, and a little more than the furthest of them: another hospital's pictures differ more from the
training pictures than held-out ones of the same sources do.
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
"""More keep the score no better apart, see docs/familiarity.md."""
MARGIN = 1.05
"""How much further out than the furthest held-out picture another may lie."""
FEWEST = 20


def fit(train: Float32Array, held_out: Float32Array, directions: int = DIRECTIONS) -> FamiliarityModel:
    """Mean and leading directions of `train`, threshold from `held_out`.

    Args:
        train: float32 [N, F], unit rows, one a training picture.
        held_out: float32 [M, F], the same of pictures that no model learned from.
        directions: how many to keep; at most half of F, so that something is left outside of them.

    Raises:
        UserError: too few pictures to measure on.
    """
    if min(len(train), len(held_out)) < FEWEST:
        raise UserError(f"At least {FEWEST} training and held-out pictures are needed to tell others; give more pairs.")
    mean = train.mean(axis=0, dtype=np.float64)
    _, _, axes = np.linalg.svd(train - mean, full_matrices=False)
    kept = axes[: min(directions, train.shape[1] // 2)].astype(np.float32)
    model = FamiliarityModel(mean.astype(np.float32), kept, 1.0)
    return FamiliarityModel(model.mean, kept, MARGIN * float(model.residuals(held_out).max()))


def write(folder: Path, train: Float32Array, held_out: Float32Array) -> dict[str, Any]:
    """Write FILE into a bundle's folder and return its entry `familiarity` of the manifest."""
    model = fit(train, held_out)
    model.write(folder / FILE)
    # The file rounds the directions, so the threshold is that of the residuals that the product will see.
    residuals = FamiliarityModel.from_file(folder / FILE, model.threshold).residuals(held_out)
    threshold = MARGIN * float(residuals.max())
    return {
        **file_entry(folder / FILE),
        "rows": "features",
        "threshold": threshold,
        "directions": len(model.directions),
        "training_pictures": len(train),
        "held_out_pictures": len(held_out),
    }
