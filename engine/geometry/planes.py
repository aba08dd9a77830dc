"""Converts between image points and patient positions, and finds the orientation letters of a frame.

Knows no files and no pixels. Patient coordinates are millimeters (PS3.3 C.7.6.2.1.1): x to the left, y to posterior, z
to the head.
"""

import math
from collections.abc import Sequence

import numpy as np

from engine.study import FrameRef, Orientation, Point, Vector

MIN_SLICE_STEP = 1e-3
"""Millimeters along the normal: frames closer than this have the same position."""

COSINE_TOLERANCE = 1e-3
"""Direction cosines within a stack may differ by this much, since scanners round them."""


def valid_orientation(cosines: Sequence[float]) -> Orientation | None:
    """The direction cosines if they are two perpendicular unit vectors (within 1e-2, as scanners round), else None."""
    if len(cosines) != 6 or not all(math.isfinite(value) for value in cosines):
        return None
    a, b, c, d, e, f = (float(value) for value in cosines)  # NumPy takes ten times as long for three numbers
    lengths = math.hypot(a, b, c), math.hypot(d, e, f)
    if any(abs(length - 1) > 1e-2 for length in lengths) or abs(a * d + b * e + c * f) > 1e-2:
        return None
    return (a, b, c, d, e, f)


def normal(orientation: Orientation) -> Vector:
    """Unit vector perpendicular to the frame: row direction x column direction."""
    a, b, c, d, e, f = orientation
    x, y, z = b * f - c * e, c * d - a * f, a * e - b * d
    length = math.hypot(x, y, z)
    return (x / length, y / length, z / length)


def position_along_normal(frame: FrameRef) -> float | None:
    """Millimeters from the origin of the frame of reference along the frame's normal; None without geometry."""
    if frame.position is None or frame.orientation is None:
        return None
    return sum(a * b for a, b in zip(frame.position, normal(frame.orientation)))


def to_patient(frame: FrameRef, point: Point) -> Vector | None:
    """Patient position (mm) of an image point, by PS3.3 C.7.6.2.1.1, where the center of the first pixel is (0, 0).

    None unless position, orientation and the spacing in the patient are known; a spacing at the detector is not enough.
    """
    if frame.position is None or frame.orientation is None or frame.spacing is None or frame.spacing_source != "pixel":
        return None
    row_step, column_step = frame.spacing
    across, down = (point[0] - 0.5) * column_step, (point[1] - 0.5) * row_step
    along_row, along_column = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
    x, y, z = np.array(frame.position) + across * along_row + down * along_column
    return (float(x), float(y), float(z))


def to_image(frame: FrameRef, position: Vector) -> tuple[Point, float] | None:
    """Image point of a patient position projected onto the frame, and its signed distance along the normal (mm).

    None if `to_patient` gives None.
    """
    if frame.position is None or frame.orientation is None or frame.spacing is None or frame.spacing_source != "pixel":
        return None
    offset = np.subtract(position, frame.position)
    row_step, column_step = frame.spacing
    column = float(offset @ frame.orientation[:3]) / column_step + 0.5
    row = float(offset @ frame.orientation[3:]) / row_step + 0.5
    return (column, row), float(offset @ normal(frame.orientation))


def direction_letters(direction: Sequence[float]) -> str:
    """Letters of the anatomical direction of a vector, largest component first, as "LP" (PS3.3 C.7.6.1.1.1)."""
    named = zip(direction, ("LR", "PA", "HF"), strict=True)
    largest = sorted(((abs(part), pair[0] if part > 0 else pair[1]) for part, pair in named), reverse=True)
    return "".join(letter for size, letter in largest if size > 0.0001)[:3]


def edge_letters(frame: FrameRef) -> tuple[str, str, str, str] | None:
    """Orientation letters of the left, top, right and bottom edge of the frame as stored.

    From the direction cosines, else from Patient Orientation (0020,0020), else None: never inferred.
    """
    if frame.orientation is not None:
        right, down = direction_letters(frame.orientation[:3]), direction_letters(frame.orientation[3:])
    elif frame.image.patient_orientation is not None:
        right, down = frame.image.patient_orientation
    else:
        return None
    return opposite_letters(right), opposite_letters(down), right, down


def opposite_letters(letters: str) -> str:
    """The letters of the opposite direction: "RA" for "LP"."""
    return letters.translate(str.maketrans("LRPAHF", "RLAPFH"))
