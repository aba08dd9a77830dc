"""Images unlike the training images are detected."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.archive import Archive
from engine.errors import UserError
from engine.models.familiarity import BLANK, OUTSIDE, FamiliarityModel, check_familiarity, is_blank
from engine.retrieval.search import Query, search


def plane(threshold: float = 0.25) -> FamiliarityModel:
    """A model of the plane of the first two of four axes, around a mean."""
    return FamiliarityModel(np.array([0.1, 0, 0, 0], np.float32), np.eye(2, 4, dtype=np.float32), threshold)


@dataclass
class ConstantFeatures:
    """A bundle that returns the same features for every image."""

    familiarity: FamiliarityModel | None
    features: tuple[float, ...] = (0, 0, 1, 0)

    def image_features(self, images: Sequence[NDArray[np.uint8]], /) -> NDArray[np.float32]:
        return np.array([self.features] * len(images), np.float32)


def test_the_residual_is_the_squared_length_outside_the_directions() -> None:
    rows = np.array([[0.6, 0.8, 0, 0], [0, 0, 1, 0], [0, 0.6, 0, 0.8]], np.float32)
    np.testing.assert_allclose(plane().residuals(rows), [0, 1, 0.64], atol=1e-6)


def test_residuals_agree_with_a_plain_projection() -> None:
    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.normal(size=(16, 5)))[0].T.astype(np.float32)
    model = FamiliarityModel(rng.normal(size=16).astype(np.float32), basis, 1.0)
    rows = rng.normal(size=(7, 16)).astype(np.float32)
    plain = [np.linalg.norm((row - model.mean) - basis.T @ (basis @ (row - model.mean))) ** 2 for row in rows]
    np.testing.assert_allclose(model.residuals(rows), plain, rtol=1e-4)


def test_an_image_outside_the_directions_is_unfamiliar() -> None:
    gray = np.arange(64, dtype=np.uint8).reshape(8, 8)
    inside = check_familiarity(ConstantFeatures(plane(), (0.6, 0.8, 0, 0)), gray)
    outside = check_familiarity(ConstantFeatures(plane()), gray)
    assert (inside.familiar, inside.notice) == (True, "")
    assert (outside.familiar, outside.notice) == (False, OUTSIDE)
    assert outside.score == pytest.approx(4.0)


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_blank_frame_is_unfamiliar_whatever_its_features(level: int) -> None:
    gray = np.full((40, 30), level, np.uint8)
    gray[:2, :2] = min(255, level + 3)
    assert is_blank(gray)
    assert check_familiarity(ConstantFeatures(plane()), gray).notice == BLANK


def test_without_statistics_an_image_is_familiar() -> None:
    seen = check_familiarity(ConstantFeatures(None), np.arange(64, dtype=np.uint8).reshape(8, 8))
    assert (seen.familiar, seen.score) == (True, None)


def test_residuals_of_directions_stored_in_eight_bits_are_nearly_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    basis = np.linalg.qr(rng.normal(size=(64, 20)))[0].T.astype(np.float32)
    model = FamiliarityModel(rng.normal(size=64).astype(np.float32) / 30, basis, 0.3)
    model.write(tmp_path / "familiarity.npz")
    again = FamiliarityModel.from_file(tmp_path / "familiarity.npz", 0.3)
    rows = rng.normal(size=(50, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(again.residuals(rows), model.residuals(rows), atol=0.01)


def test_a_damaged_file_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "familiarity.npz").write_bytes(b"nothing")
    with pytest.raises(UserError, match="export the bundle again"):
        FamiliarityModel.from_file(tmp_path / "familiarity.npz", 0.3)


def test_hits_for_an_unfamiliar_image_carry_the_notice(
    archive: Archive, encoder, make_case: Callable, make_picture: Callable
) -> None:
    archive.add_case(make_case("1", "Large effusion.", seeds=(1,)))
    assert search(archive, encoder, Query(make_picture(1))).familiarity.familiar
    encoder.familiarity = FamiliarityModel(
        np.zeros(encoder.dim, np.float32), np.zeros((1, encoder.dim), np.float32), threshold=0.5
    )
    found = search(archive, encoder, Query(make_picture(1)))
    assert found.familiarity.notice == OUTSIDE
    assert [hit.case_id for hit in found.hits] == [1]
    assert search(archive, encoder, Query(text="effusion")).familiarity.familiar
