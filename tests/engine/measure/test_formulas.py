"""Lengths, angles and areas against numbers calculated by hand."""

import math
from itertools import product

import numpy as np
import pytest

from engine.dicom.listing import open_path
from engine.geometry.planes import to_image, to_patient
from engine.geometry.spacing import PixelSpacing
from engine.measure.formulas import angle, cobb, ellipse_area, intersects_itself, length, outline_area, rectangle_area
from engine.study import Point
from tests.engine.dicom_samples import dataset, sample

SQUARE = PixelSpacing()
TALL = PixelSpacing(row=2.0, column=0.5, unit="mm")


def test_a_length_uses_the_spacing_of_rows_and_of_columns() -> None:
    assert length((0, 0), (6, 2), TALL) == 5  # 6 x 0.5 = 3 across, 2 x 2 = 4 down


def test_an_angle_is_measured_in_millimetres_not_in_pixels() -> None:
    assert angle((4, 0), (0, 0), (0, 1), TALL) == pytest.approx(90)
    assert angle((4, 0), (0, 0), (4, 1), TALL) == pytest.approx(45)  # 2 mm across, 2 mm down
    assert angle((4, 0), (0, 0), (4, 1), SQUARE) == pytest.approx(math.degrees(math.atan2(1, 4)))
    assert angle((-3, 0), (0, 0), (3, 0), SQUARE) == pytest.approx(180)
    assert angle((0, 0), (0, 0), (3, 0), SQUARE) is None


def endplate(tilt: float, height: float) -> tuple[Point, Point]:
    """A line of length 20 around x = 50, tilted by degrees."""
    x, y = 10 * math.cos(math.radians(tilt)), 10 * math.sin(math.radians(tilt))
    return (50 - x, height - y), (50 + x, height + y)


@pytest.mark.parametrize(("upper", "lower"), [(20, -15), (50, -60), (0, 0), (-30, 10)])
def test_a_cobb_angle_is_the_same_whichever_way_the_lines_are_drawn(upper: float, lower: float) -> None:
    first, second = endplate(upper, 20), endplate(lower, 120)
    for flip_first, flip_second in product((False, True), repeat=2):
        one = first[::-1] if flip_first else first
        other = second[::-1] if flip_second else second
        assert cobb(one, other, SQUARE) == pytest.approx(abs(upper - lower), abs=1e-9)  # also above 90 degrees
        assert cobb(other, one, SQUARE) == pytest.approx(abs(upper - lower), abs=1e-9)


def test_a_cobb_angle_is_the_same_on_a_rotated_image() -> None:
    lines = endplate(50, 20), endplate(-60, 120)
    turned = tuple(tuple((-y, x) for x, y in line) for line in lines)
    assert cobb(turned[0], turned[1], SQUARE) == pytest.approx(110)


def test_areas_match_calculation_by_hand() -> None:
    assert rectangle_area((1, 1), (5, 4), TALL) == 12  # 2 mm by 6 mm
    assert ellipse_area((1, 1), (5, 4), TALL) == pytest.approx(math.pi * 1 * 3)
    assert outline_area([(0, 0), (4, 0), (0, 3)], SQUARE) == 6
    assert outline_area([(0, 0), (0, 3), (4, 0)], TALL) == 6  # 2 mm by 6 mm, halved
    assert outline_area([(0, 0), (4, 0)], SQUARE) is None


def test_an_outline_that_intersects_itself_has_no_area() -> None:
    assert outline_area([(0, 0), (4, 4), (4, 0), (0, 4)], SQUARE) is None
    assert not intersects_itself([(0, 0), (4, 0), (4, 4), (2, 2), (0, 4)])


def test_crossing_sides_are_found_as_by_comparing_all_of_them() -> None:
    """Against a plain loop over all pairs of sides with exact orientations of their corners."""

    def side(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    def plain(outline: list[tuple[int, int]]) -> bool:
        sides = list(zip(outline, [*outline[1:], outline[0]]))
        return any(
            side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
            for number, (a, b) in enumerate(sides)
            for c, d in sides[:number]
        )

    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        outline = [(int(x), int(y)) for x, y in rng.integers(0, 9, (rng.integers(3, 7), 2))]
        found.append(plain(outline))
        assert intersects_itself(outline) == found[-1], outline
    assert 50 < sum(found) < 350


def test_a_long_outline_drawn_by_hand_is_checked_in_a_few_rounds() -> None:
    turn = np.linspace(0, 2 * np.pi, 10_000, endpoint=False)
    circle = [(float(x), float(y)) for x, y in zip(300 + 200 * np.cos(turn), 300 + 150 * np.sin(turn))]
    assert outline_area(circle, SQUARE) == pytest.approx(np.pi * 200 * 150, rel=1e-5)
    circle[100] = (300.0, 460.0)
    assert intersects_itself(circle)


def test_a_length_on_real_oblique_mr_is_the_distance_in_the_patient() -> None:
    """Against PS3.3 C.7.6.2.1.1, calculated from the attributes of the file."""
    source = dataset("MR2_UNCI.dcm")
    assert abs(source.ImageOrientationPatient[0]) < 0.99  # oblique
    frame = next(open_path(sample("MR2_UNCI.dcm")).studies[0].frames())
    start, end = (100.5, 200.5), (700.5, 900.5)  # centres of pixels
    row, column = (np.array(source.ImageOrientationPatient[part], float) for part in (slice(3), slice(3, 6)))
    down, across = (float(part) for part in source.PixelSpacing)
    origin = np.array(source.ImagePositionPatient, float)
    positions = [origin + row * across * (x - 0.5) + column * down * (y - 0.5) for x, y in (start, end)]
    spacing = PixelSpacing(*frame.spacing, "mm", "pixel")  # type: ignore[misc]
    assert length(start, end, spacing) == pytest.approx(float(np.linalg.norm(positions[1] - positions[0])), rel=1e-4)
    assert to_patient(frame, start) == pytest.approx(positions[0])
    back = to_image(frame, to_patient(frame, end))  # type: ignore[arg-type]
    assert back is not None
    assert back[0] == pytest.approx(end, abs=1e-2)
    assert back[1] == pytest.approx(0, abs=1e-6)
