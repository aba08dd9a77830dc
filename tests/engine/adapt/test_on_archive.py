"""Gap and mixing of an archive, measured on its own vectors."""

from pathlib import Path

import numpy as np

from engine.adapt.on_archive import on_archive, other_share, project
from engine.archive import Archive
from engine.bundle import Bundle
from engine.store.score_scale import ScoreScale, Spread


def unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def plain_scale() -> ScoreScale:
    kinds = ("image-image", "image-report", "report-report")
    return ScoreScale({}, {kind: Spread(0.0, 1.0) for kind in kinds})  # type: ignore[misc]


def test_two_mixed_clouds_share_half_of_the_nearest_and_two_far_ones_none() -> None:
    rng = np.random.default_rng(0)
    images, reports = (unit(rng.normal(size=(200, 16))) for _ in range(2))
    assert abs(other_share(images, reports, plain_scale()) - 0.5) < 0.03
    away = np.eye(16)[0] * 8
    assert other_share(unit(images + away), unit(reports - away), plain_scale()) == 0


def test_the_picture_keeps_the_two_widest_directions() -> None:
    rng = np.random.default_rng(1)
    images, reports = (rng.normal(0, 0.1, (50, 8)) + sign * np.eye(8)[3] for sign in (1, -1))
    space = project(images.astype(np.float32), reports.astype(np.float32))
    assert space.shares[0] > 0.8
    assert abs(space.images[:, 0].mean() - space.reports[:, 0].mean()) > 1.5
    assert max(np.abs(space.images).max(), np.abs(space.reports).max()) <= 1


def test_an_archive_is_measured_on_its_own_vectors(bundle: Bundle, filled: Path, tmp_path: Path) -> None:
    with Archive.open(filled) as archive:
        found = on_archive(archive, bundle)
    assert found is not None
    assert found.pairs == 260
    assert found.gap > 5 * found.floor  # random heads
    assert 0 <= found.other_share <= 1
    assert found.space.images.shape == found.space.reports.shape == (200, 2)
    with Archive.create(tmp_path / "empty", bundle.id) as empty:
        assert on_archive(empty, bundle) is None
