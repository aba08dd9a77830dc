"""Oblique planes: fields and bodies whose cuts are known, plain loops, distances, the edge of the volume."""

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.dicom.origins import FileOrigin
from engine.geometry.planes import normal, to_image, to_patient
from engine.geometry.spacing import spacing_for
from engine.image.mpr import planes_of
from engine.image.oblique import Tilt, is_oblique, oblique_stack, trilinear, turned
from engine.image.pixels import Pixels
from engine.image.slab import THIN, Slab, slab_of
from engine.image.volume import Volume
from engine.measure.measurements import Measurement, read
from engine.study import FrameRef, ImageRef, Series, Vector

TURNED = ((0.36, -0.48, 0.8), (-0.48, 0.64, 0.6), (0.8, 0.6, 0.0))
"""From slice to slice, row to row and column to column: oblique to all three axes of the patient."""
UPRIGHT = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
Field = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def volume(
    field: Field,
    shape: tuple[int, int, int] = (12, 20, 16),
    steps: tuple[float, float, float] = (2.0, 0.5, 0.8),
    axes: tuple[Vector, Vector, Vector] = UPRIGHT,
    masked: NDArray[np.bool_] | None = None,
) -> Volume:
    """Voxels that have the value of a field at their position [..., 3] in the patient (mm)."""
    origin = (3.0, -40.0, 7.0)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    positions = np.array(origin) + (index * np.array(steps)) @ np.array(axes)
    values = field(positions).astype(np.float32)
    image = ImageRef(FileOrigin(Path("no file")), sop_uid="1.2", rows=shape[1], columns=shape[2])
    frame = FrameRef(image, position=origin, spacing=steps[1:], spacing_source="pixel", frame_of_reference="1.2.3")
    series = Series("1.2.3.4", "1.2.3.4", 1, "", "CT", "", (frame,))
    return Volume(series, values, origin, axes, steps, Pixels(values[0]), masked)


def middle(made: Volume) -> Vector:
    half = (np.array(made.values.shape) // 2) * np.array(made.steps)
    x, y, z = (np.array(made.origin) + half @ np.array(made.axes)).tolist()
    return (x, y, z)


def linear(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = positions @ np.array((3.0, -2.0, 5.0)) + 11
    return found


def tilted(made: Volume, one: float, other: float) -> Tilt:
    start = Tilt((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), middle(made))
    return turned(turned(start, (1.0, 0.0, 0.0), one), (0.0, 1.0, 0.3), other)


@pytest.mark.parametrize("axes", [UPRIGHT, TURNED])
@pytest.mark.parametrize(("one", "other"), [(0, 0), (30, 0), (0, -75), (40, 25), (123, 200)])
def test_a_linear_field_is_itself_at_any_angle(axes: tuple[Vector, Vector, Vector], one: float, other: float) -> None:
    made = volume(linear, axes=axes)
    series, cut, index = oblique_stack(made, tilted(made, one, other), THIN)
    planes = planes_of(made).with_oblique((series, cut))
    seen = 0
    for number in (index, max(0, index - 3), len(series.frames) - 1):
        frame = series.frames[number]
        pixels = planes.read(frame)
        padding = pixels.padding
        assert padding is not None
        for row, column in np.argwhere(~padding)[::37].tolist():
            position = to_patient(frame, (column + 0.5, row + 0.5))
            assert position is not None
            assert pixels.values[row, column] == pytest.approx(float(linear(np.array(position))), abs=0.01)
            seen += 1
    assert seen > 5


def test_a_plane_along_the_volume_has_its_very_values() -> None:
    random = np.random.default_rng(5)
    made = volume(lambda positions: random.integers(-1000, 1000, positions.shape[:3]), steps=(2.0, 0.5, 0.5))
    series, cut, index = oblique_stack(made, Tilt((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), middle(made)), THIN)
    values, mask = cut.plane(made, index)
    assert mask is not None
    assert values[~mask].reshape(20, 16).tolist() == made.values[6].tolist()
    assert len(series.frames) == 2 * 22 + 1  # slices 2 mm apart in steps of 0.5 mm


def test_between_voxels_it_is_that_of_plain_loops() -> None:
    random = np.random.default_rng(6)
    made = volume(lambda positions: random.normal(size=positions.shape[:3]), (4, 5, 6))
    where = [random.uniform(0, size - 1, 50) for size in made.values.shape]
    where = [np.append(one, (0.0, size - 1.0)) for one, size in zip(where, made.values.shape)]
    found, _ = trilinear(made, where)
    for value, *point in zip(found, *where):
        expected = 0.0
        for corner in product((0, 1), repeat=3):
            lower = [min(int(part), size - 2) for part, size in zip(point, made.values.shape)]
            weight = math.prod(
                part - low if bit else 1 - (part - low) for part, low, bit in zip(point, lower, corner, strict=True)
            )
            expected += weight * made.values[tuple(low + bit for low, bit in zip(lower, corner))]
        assert value == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("one", "other"), [(0, 0), (35, 50), (80, -20)])
def test_a_ball_is_a_disk_of_its_radius_from_any_side(one: float, other: float) -> None:
    made = volume(linear, (31, 61, 61), (1.0, 0.5, 0.5))
    center, radius = np.array(middle(made)), 9.0
    ball = volume(lambda at: radius - np.linalg.norm(at - center, axis=-1), (31, 61, 61), (1.0, 0.5, 0.5))
    series, cut, index = oblique_stack(ball, tilted(ball, one, other), THIN)
    for offset, expected in ((0, radius), (8, math.sqrt(radius**2 - 4**2))):  # 4 mm beside the center
        values, mask = cut.plane(ball, index + offset)
        assert mask is not None
        area = np.count_nonzero((values > 0) & ~mask) * 0.5**2
        assert area == pytest.approx(math.pi * expected**2, rel=0.02)
    frame = series.frames[index]
    seen = to_image(frame, middle(ball))
    assert seen is not None
    assert seen[0] == pytest.approx((frame.image.columns / 2, frame.image.rows / 2))
    assert seen[1] == pytest.approx(0, abs=1e-6)


def test_lengths_on_an_oblique_plane_are_millimeters_in_the_patient() -> None:
    made = volume(linear, axes=TURNED)
    series, _, index = oblique_stack(made, tilted(made, 33, 21), THIN)
    frame = series.frames[index]
    points = ((10.0, 12.5), (31.0, 22.0))
    one, other = (to_patient(frame, point) for point in points)
    assert one is not None
    assert other is not None
    reading = read(Measurement("length", points, frame.image.sop_uid, frame.frame), frame)
    assert spacing_for(frame).in_mm
    assert reading.length == pytest.approx(math.dist(one, other))


def test_outside_the_volume_is_padding_and_nothing_is_extrapolated() -> None:
    made = volume(linear)
    series, cut, index = oblique_stack(made, tilted(made, 20, 10), THIN)
    _, mask = cut.plane(made, index)
    assert mask is not None
    frame = series.frames[index]
    for row, column in product(range(0, mask.shape[0], 3), range(0, mask.shape[1], 3)):
        position = to_patient(frame, (column + 0.5, row + 0.5))
        assert position is not None
        at = np.array(made.axes) @ np.subtract(position, made.origin) / made.steps
        inside = bool(np.all((at >= -1e-4) & (at <= np.array(made.values.shape) - 1 + 1e-4)))
        assert mask[row, column] != inside


def test_a_value_that_padding_has_a_part_in_is_padding() -> None:
    masked = np.zeros((12, 20, 16), np.bool_)
    masked[6, 10, 8] = True
    made = volume(linear, masked=masked)
    _, padding = trilinear(
        made, [np.array((6.0, 5.5, 5.0, 6.0)), np.array((9.5, 10, 10, 12)), np.array((8.0, 8, 8, 8))]
    )
    assert padding is not None
    assert padding.tolist() == [True, True, False, False]  # a share of 0 does not count


def test_an_oblique_slab_is_the_projection_of_its_planes() -> None:
    random = np.random.default_rng(7)
    made = volume(lambda positions: random.normal(size=positions.shape[:3]))
    tilt, slab = tilted(made, 30, 20), Slab("max", 2.0)
    thin, thick = oblique_stack(made, tilt, THIN), oblique_stack(made, tilt, slab)
    values, mask = thick[1].plane(made, thick[2])
    around = slab_of(slab, thick[2], len(thick[0].frames), 0.5)
    assert len(around) == 4
    assert thick[0].frames[thick[2]].thickness == 2.0
    each = [thin[1].plane(made, one) for one in around]
    expected = np.stack([np.where(one[1], -np.inf, one[0]) for one in each]).max(axis=0)
    assert mask is not None
    np.testing.assert_array_equal(values[~mask], expected[~mask])
    assert np.isinf(expected[mask]).all()
    assert thin[0].frames[0].image.sop_uid != thick[0].frames[0].image.sop_uid


def test_turning_is_right_handed_and_stays_perpendicular() -> None:
    tilt = Tilt((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0))
    assert turned(tilt, (0, 0, 2), 90).orientation == pytest.approx((0, 1, 0, -1, 0, 0))
    for _ in range(500):
        tilt = turned(tilt, (0.3, -0.5, 0.8), 7)
    right, down = np.array(tilt.orientation[:3]), np.array(tilt.orientation[3:])
    assert (right @ right, down @ down, right @ down) == pytest.approx((1, 1, 0), abs=1e-12)
    assert np.linalg.norm(normal(tilt.orientation)) == pytest.approx(1)


def test_its_size_does_not_depend_on_how_it_is_turned() -> None:
    made = volume(linear)
    sizes = set()
    for one in (0, 20, 60):
        series, cut, _ = oblique_stack(made, tilted(made, one, one / 2), THIN)
        sizes.add(cut.grid.shape)
        assert is_oblique(series.frames[0])
    assert len(sizes) == 1
