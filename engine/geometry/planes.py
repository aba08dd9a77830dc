"""Where a frame lies in the patient: normal, position along it, letters at the edges. Knows no files and no pixels.

Coordinates are the patient's (PS3.3 C.7.6.2.1.1): x to the Left, y to the Posterior, z to the Head, millimetres.
"""

import math
from collections.abc import Sequence

import numpy as np

from engine.study import FrameRef, Orientation, Point, Vector

MIN_SLICE_STEP = 1e-3
"""Millimetres: frames closer along the normal than this lie at the same place."""


def valid_orientation(cosines: Sequence[float]) -> Orientation | None:
    """Six direction cosines as unit vectors at a right angle (within 1e-2, as scanners round them), else None."""
    if len(cosines) != 6 or not all(math.isfinite(value) for value in cosines):
        return None
    a, b, c, d, e, f = (float(value) for value in cosines)  # numpy takes ten times as long for three numbers
    lengths = math.hypot(a, b, c), math.hypot(d, e, f)
    if any(abs(length - 1) > 1e-2 for length in lengths) or abs(a * d + b * e + c * f) > 1e-2:
        return None
    return (a, b, c, d, e, f)


def normal(orientation: Orientation) -> Vector:
    """Unit vector at a right angle to the frame: row direction x column direction."""
    a, b, c, d, e, f = orientation
    x, y, z = b * f - c * e, c * d - a * f, a * e - b * d
    length = math.hypot(x, y, z)
    return (x / length, y / length, z / length)


def along_normal(frame: FrameRef) -> float | None:
    """Millimetres from the origin of the frame of reference along the frame's normal; None without geometry."""
    if frame.position is None or frame.orientation is None:
        return None
    return sum(here * along for here, along in zip(frame.position, normal(frame.orientation)))


def to_patient(frame: FrameRef, point: Point) -> Vector | None:
    """Patient coordinates (mm) of an image point (column, row; the first pixel's centre is 0.5, 0.5), else None.

    PS3.3 C.7.6.2.1.1, where the first pixel's centre is column 0, row 0. Only where position, orientation and the
    spacing in the patient are known: a spacing at the detector places nothing.
    """
    if frame.position is None or frame.orientation is None or frame.spacing is None or frame.spacing_source != "pixel":
        return None
    row_step, column_step = frame.spacing
    across, down = (point[0] - 0.5) * column_step, (point[1] - 0.5) * row_step
    place = np.array(frame.position) + across * np.array(frame.orientation[:3]) + down * np.array(frame.orientation[3:])
    return (float(place[0]), float(place[1]), float(place[2]))


def to_image(frame: FrameRef, place: Vector) -> tuple[Point, float] | None:
    """Image point (column, row) of the foot of a place in the patient, and its distance from the frame (mm).

    The distance counts along the frame's normal. None where `to_patient` gives None.
    """
    if frame.position is None or frame.orientation is None or frame.spacing is None or frame.spacing_source != "pixel":
        return None
    offset = np.subtract(place, frame.position)
    row_step, column_step = frame.spacing
    column = float(offset @ frame.orientation[:3]) / column_step + 0.5
    row = float(offset @ frame.orientation[3:]) / row_step + 0.5
    return (column, row), float(offset @ normal(frame.orientation))


def direction_letters(direction: Sequence[float]) -> str:
    """Letters of the anatomical direction a vector points to, strongest first, for example "LP" (PS3.3 C.7.6.1.1.1)."""
    named = zip(direction, ("LR", "PA", "HF"), strict=True)
    strongest = sorted(((abs(part), pair[0] if part > 0 else pair[1]) for part, pair in named), reverse=True)
    return "".join(letter for size, letter in strongest if size > 0.0001)[:3]


def edge_letters(frame: FrameRef) -> tuple[str, str, str, str] | None:
    """Letters for the left, top, right and bottom edge of the frame as stored.

    From the direction cosines, else from Patient Orientation (0020,0020), else None: never inferred.
    """
    if frame.orientation is not None:
        right, down = direction_letters(frame.orientation[:3]), direction_letters(frame.orientation[3:])
    elif frame.image.patient_orientation is not None:
        right, down = frame.image.patient_orientation
    else:
        return None
    return opposite(right), opposite(down), right, down


def opposite(letters: str) -> str:
    return letters.translate(str.maketrans("LRPAHF", "RLAPFH"))
