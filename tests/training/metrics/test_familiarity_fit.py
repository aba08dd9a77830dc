"""The familiarity model: fitted on one set, its threshold set on another, stored as aggregates."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import UserError
from engine.models.familiarity import FamiliarityModel
from training.metrics.familiarity import FILE, MARGIN, fit, write


def rows(seed: int, count: int, known: bool = True) -> np.ndarray:
    """Unit rows near a plane of four directions in sixteen, or anywhere."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, 16)) * ([3.0] * 4 + [0.1] * 12 if known else [1.0] * 16)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_most_images_off_the_plane_and_few_others_are_above_the_threshold() -> None:
    model = fit(rows(0, 400), rows(1, 300), directions=4)
    assert (model.residuals(rows(2, 1000, known=False)) > model.threshold).mean() > 0.95
    assert (model.residuals(rows(3, 1000)) > model.threshold).mean() < 0.05


def test_the_threshold_is_slightly_above_nearly_all_held_out_images() -> None:
    held_out = rows(1, 1000)
    model = fit(rows(0, 400), held_out, directions=4)
    in_order = np.sort(model.residuals(held_out))
    assert in_order[988] <= model.threshold / MARGIN <= in_order[990]


def test_a_held_out_image_that_is_no_radiology_does_not_set_the_threshold() -> None:
    held_out = np.concatenate([rows(1, 1000), rows(5, 1, known=False)])
    model = fit(rows(0, 400), held_out, directions=4)
    assert model.residuals(held_out[-1:])[0] > 2 * model.threshold


def test_the_bundle_gets_a_file_and_its_entry(tmp_path: Path) -> None:
    entry = write(tmp_path, rows(0, 400), rows(1, 300))
    assert entry["file"] == FILE
    assert entry["directions"] == 8
    again = FamiliarityModel.from_file(tmp_path / FILE, entry["threshold"])
    assert again.directions.shape == (8, 16)


def test_rounding_the_directions_does_not_make_images_unfamiliar(tmp_path: Path) -> None:
    """Rows that lie within the directions up to their rounding: the threshold is that of the stored directions."""
    rng = np.random.default_rng(4)
    rows = np.concatenate([rng.normal(size=(400, 4)), rng.normal(size=(400, 12)) * 1e-3], axis=1)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    entry = write(tmp_path, rows[:200], rows[200:])
    again = FamiliarityModel.from_file(tmp_path / FILE, entry["threshold"])
    assert again.residuals(rows[200:]).max() <= entry["threshold"]


def test_too_few_images_are_refused() -> None:
    with pytest.raises(UserError, match="needs at least"):
        fit(rows(0, 400), rows(1, 5))
