"""Normals, positions and orientation letters of frames."""

from pathlib import Path

import numpy as np
import pytest

from engine.dicom.listing import open_path
from engine.dicom.origins import FileOrigin
from engine.geometry.planes import direction_letters, edge_letters, normal, position_along_normal, valid_orientation
from engine.study import FrameRef, ImageRef
from tests.engine.dicom_samples import sample

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def frame(
    position: tuple[float, float, float] | None = None, orientation: tuple[float, ...] | None = AXIAL
) -> FrameRef:
    assert orientation is None or len(orientation) == 6
    return FrameRef(ImageRef(FileOrigin(Path("x"))), position=position, orientation=orientation)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("orientation", "expected"), [(AXIAL, (0, 0, 1)), (SAGITTAL, (-1, 0, 0)), (CORONAL, (0, 1, 0))]
)
def test_the_normal_is_row_cross_column(orientation: tuple[float, ...], expected: tuple[int, ...]) -> None:
    assert normal(orientation) == pytest.approx(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("orientation", "letters"),
    [(AXIAL, ("R", "A", "L", "P")), (SAGITTAL, ("A", "H", "P", "F")), (CORONAL, ("R", "H", "L", "F"))],
)
def test_edges_of_standard_planes_carry_their_letters(orientation: tuple[float, ...], letters: tuple[str, ...]) -> None:
    assert edge_letters(frame(orientation=orientation)) == letters


def test_an_oblique_direction_names_its_largest_component_first() -> None:
    assert direction_letters((0.8, 0.6, 0.0)) == "LP"
    assert direction_letters((-0.36, 0.48, -0.8)) == "FPR"


def test_letters_fall_back_to_patient_orientation_and_are_never_inferred() -> None:
    oriented = FrameRef(ImageRef(FileOrigin(Path("x")), patient_orientation=("A", "F")))
    assert edge_letters(oriented) == ("P", "H", "A", "F")
    assert edge_letters(FrameRef(ImageRef(FileOrigin(Path("x"))))) is None


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("CT_small.dcm", ("R", "A", "L", "P")),
        ("MR2_UNCI.dcm", ("AR", "H", "PL", "F")),  # oblique sagittal shoulder
        ("RG1_UNCI.dcm", ("R", "H", "L", "F")),  # radiograph: Patient Orientation L\\F
        ("RG3_UNCI.dcm", ("L", "H", "R", "F")),
        ("US1_UNCI.dcm", None),
    ],
)
def test_letters_of_real_files(name: str, letters: tuple[str, ...] | None) -> None:
    assert edge_letters(next(open_path(sample(name)).studies[0].frames())) == letters


@pytest.mark.parametrize("cosines", [[1, 0, 0, 1, 0, 0], [2, 0, 0, 0, 1, 0], [1, 0, 0], [0] * 6, [float("nan")] * 6])
def test_cosines_that_are_not_perpendicular_unit_vectors_count_as_absent(cosines: list[float]) -> None:
    assert valid_orientation(cosines) is None


def test_position_along_an_oblique_normal_is_the_projection() -> None:
    turned = (1.0, 0.0, 0.0, 0.0, float(np.cos(0.5)), float(-np.sin(0.5)))
    expected = np.dot(np.cross(turned[:3], turned[3:]), (3, 4, 5))
    assert position_along_normal(frame((3, 4, 5), turned)) == pytest.approx(expected)
