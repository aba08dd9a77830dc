"""Slabs: maximum, minimum and mean of neighboring planes, against plain loops; clipped at the ends of the volume."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.image.mpr import Planes, is_plane, planes_of
from engine.image.pixels import read_frame
from engine.image.slab import THIN, Slab, project, slab_of
from engine.image.volume import load_volume
from engine.progress import ignore, never
from engine.study import Series
from tests.engine.image.test_mpr import AXIAL, SAGITTAL, stack

KINDS = ("max", "min", "mean")


def plainly(planes: NDArray[Any], masks: NDArray[np.bool_] | None, kind: str) -> list[list[float | None]]:
    """Voxel by voxel with Python's own numbers; None where all is padding."""
    depth, rows, columns = planes.shape
    found: list[list[float | None]] = []
    for row in range(rows):
        line: list[float | None] = []
        for column in range(columns):
            seen = [
                float(planes[plane, row, column])
                for plane in range(depth)
                if masks is None or not masks[plane, row, column]
            ]
            value = {"max": max, "min": min, "mean": lambda values: math.fsum(values) / len(values)}[kind]
            line.append(value(seen) if seen else None)
        found.append(line)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
@pytest.mark.parametrize("masked", [False, True])
def test_a_projection_is_that_of_plain_loops(kind: str, order: tuple[int, int, int], masked: bool) -> None:
    random = np.random.default_rng(3)
    planes = random.integers(-1024, 3071, (4, 5, 6), dtype=np.int16).transpose(order)[:, ::-1]
    masks = (random.random((4, 5, 6)) < 0.5).transpose(order)[:, ::-1] if masked else None
    values, padding = project(planes, masks, kind)
    expected = plainly(planes, masks, kind)
    assert values.dtype == np.float32
    for row, line in enumerate(expected):
        for column, value in enumerate(line):
            assert values[row, column] == pytest.approx(0.0 if value is None else value, rel=1e-6)
            assert (value is None) == (padding is not None and padding[row, column])


def test_one_plane_is_itself() -> None:
    planes = np.arange(12, dtype=np.int16).reshape(1, 3, 4)
    for kind in ("", *KINDS):
        assert project(planes, None, kind)[0].tolist() == planes[0].tolist()


@pytest.mark.parametrize(
    ("thickness", "index", "planes"),
    [
        (0.5, 5, [5]),  # thinner than a plane
        (2.5, 5, [5]),
        (5.0, 5, [5, 6]),
        (7.5, 5, [4, 5, 6]),
        (10.0, 5, [4, 5, 6, 7]),
        (7.5, 0, [0, 1]),  # clipped at the first plane
        (7.5, 9, [8, 9]),
        (1000.0, 5, list(range(10))),
    ],
)
def test_a_slab_has_the_planes_that_come_closest_to_its_thickness(
    thickness: float, index: int, planes: list[int]
) -> None:
    assert list(slab_of(Slab("max", thickness), index, 10, 2.5)) == planes
    assert list(slab_of(THIN, index, 10, 2.5)) == [index]


def planes_with(series: Series, slab: Slab) -> Planes:
    return planes_of(load_volume(series, read_frame, ignore, never)).with_slab(slab)


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL])
@pytest.mark.parametrize("kind", KINDS)
def test_slabs_of_a_real_stack_are_projections_of_its_single_planes(
    tmp_path: Path, orientation: list[float], kind: str
) -> None:
    series = stack(tmp_path, orientation, [0.0, 2.5, 5.0, 7.5, 10.0])
    thin, thick = planes_with(series, THIN), planes_with(series, Slab(kind, 7.5))
    for single, slabs in zip(thin.series, thick.series):
        for index in (0, len(single.frames) // 2, len(single.frames) - 1):
            frame = slabs.frames[index]
            assert frame.thickness is not None
            step = np.linalg.norm(np.subtract(single.frames[1].position, single.frames[0].position))
            around = slab_of(Slab(kind, 7.5), index, len(single.frames), float(step))
            assert frame.thickness == pytest.approx(len(around) * step)  # what is there, not what was asked for
            assert (frame.position, frame.spacing) == (single.frames[index].position, single.frames[index].spacing)
            each = np.stack([thin.read(single.frames[one]).values for one in around])
            expected = {"max": each.max(axis=0), "min": each.min(axis=0), "mean": each.mean(axis=0)}[kind]
            np.testing.assert_allclose(thick.read(frame).values, expected, rtol=1e-5)


def test_slabs_are_other_images_than_single_planes_and_say_what_they_are(tmp_path: Path) -> None:
    series = stack(tmp_path, AXIAL, [0.0, 2.5, 5.0])
    thin = planes_with(series, THIN)
    thick = thin.with_slab(Slab("max", 5.0))
    assert [one.part for one in thick.series] == ["Axial · MIP", "Coronal · MIP", "Sagittal · MIP"]
    single, slab = thin.series[0].frames[1], thick.series[0].frames[1]
    assert is_plane(slab)
    assert single.image.sop_uid != slab.image.sop_uid  # a ROI on one must not read the values of the other
    assert single.thickness is None
    thick.read(single)  # a request that was under way
