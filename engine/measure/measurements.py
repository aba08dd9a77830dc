"""What can be measured on a frame, and what a measurement reads. Knows neither the screen nor where it is kept.

A measurement is bound to one frame by its SOP Instance UID and frame number, and holds nothing but points: lengths
and values are read anew from the frame, so that they can never disagree with it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from engine.geometry.spacing import PixelSpacing, spacing_for
from engine.image.pixels import Pixels
from engine.measure import figures, roi
from engine.measure.roi import Statistics
from engine.study import FrameRef, Point

Kind = Literal["length", "angle", "cobb", "rectangle", "ellipse", "region", "probe"]
KINDS: tuple[Kind, ...] = get_args(Kind)
POINTS: dict[Kind, int] = {"length": 2, "angle": 3, "cobb": 4, "rectangle": 2, "ellipse": 2, "probe": 1}
"""How many points define a measurement; a "region" has any number from 3."""
NAMES: dict[Kind, str] = {
    "length": "Length",
    "angle": "Angle",
    "cobb": "Cobb angle",
    "rectangle": "Rectangle",
    "ellipse": "Ellipse",
    "region": "Free region",
    "probe": "Probe",
}
MAX_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure on one frame. `points`: angle: side, corner, side; cobb: two lines; rectangle, ellipse: two corners."""

    kind: Kind
    points: tuple[Point, ...]
    sop_uid: str
    frame: int = 0
    """0-based frame of the image."""
    series_uid: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def belongs_to(self, frame: FrameRef) -> bool:
        return bool(self.sop_uid) and (self.sop_uid, self.frame) == (frame.image.sop_uid, frame.frame)


@dataclass(frozen=True, slots=True)
class Reading:
    """The numbers of a measurement; what does not apply is None."""

    scale: PixelSpacing
    length: float | None = None
    """In the scale's unit."""
    angle: float | None = None
    """Degrees."""
    area: float | None = None
    """In the scale's unit, squared; None too for an outline that crosses itself."""
    statistics: Statistics | None = None
    value: float | tuple[int, int, int] | None = None
    """Modality value, or colour, under a probe."""
    unit: str = ""
    """Of `value`."""


def read(measurement: Measurement, frame: FrameRef, pixels: Pixels | None = None) -> Reading:
    """What a measurement reads on its frame.

    Args:
        pixels: the decoded frame; None leaves out all that comes from values.
    """
    kind, points = measurement.kind, measurement.points
    scale = spacing_for(frame, points)
    if kind == "length":
        return Reading(scale, length=figures.length(points[0], points[1], scale))
    if kind == "angle":
        return Reading(scale, angle=figures.angle(points[0], points[1], points[2], scale))
    if kind == "cobb":
        return Reading(scale, angle=figures.cobb((points[0], points[1]), (points[2], points[3]), scale))
    if kind == "probe":
        value = roi.value_at(pixels, points[0]) if pixels is not None else None
        return Reading(scale, value=value, unit=pixels.unit if pixels is not None else "")
    area = _area(kind, points, scale)
    return Reading(scale, area=area, statistics=_statistics(kind, points, frame, pixels))


def _area(kind: Kind, points: Sequence[Point], scale: PixelSpacing) -> float | None:
    if kind == "rectangle":
        return figures.rectangle_area(points[0], points[1], scale)
    if kind == "ellipse":
        return figures.ellipse_area(points[0], points[1], scale)
    return figures.outline_area(points, scale)


def _statistics(kind: Kind, points: Sequence[Point], frame: FrameRef, pixels: Pixels | None) -> Statistics | None:
    if pixels is None:
        return None
    shape = frame.image.rows, frame.image.columns
    if kind == "rectangle":
        part = roi.rectangle(points[0], points[1], shape)
    elif kind == "ellipse":
        part = roi.ellipse(points[0], points[1], shape)
    else:
        part = roi.outline(points, shape)
    return roi.statistics(pixels, part)


NO_VALUE = "no value"
BETWEEN = "   "
"""Between the numbers of one line."""


def lines(reading: Reading) -> tuple[str, ...]:
    """A reading in words, the number that was asked for first, each with its unit; none without a number."""
    words: list[str] = []
    unit = reading.scale.unit
    if reading.length is not None:
        words.append(_length(reading.length, unit))
    if reading.angle is not None:
        words.append(f"{reading.angle:.1f}°")
    if reading.value is not None:
        words.append(_value(reading.value, reading.unit))
    if reading.area is not None:
        words.append(_area_text(reading.area, unit))
    if reading.statistics is not None:
        found = reading.statistics
        words.append(f"mean {_value(found.mean, found.unit)}{BETWEEN}SD {_number(found.deviation)}")
        words.append(
            BETWEEN.join((f"min {_number(found.lowest)}", f"max {_number(found.highest)}", f"n {found.count:,}"))
        )
    if (reading.length is not None or reading.area is not None) and reading.scale.remark:
        words.append(reading.scale.remark)
    return tuple(words)


def said(reading: Reading) -> tuple[str, ...]:
    """The same, but never nothing: a probe beside the image has no value, nor has an angle with an arm of no length."""
    return lines(reading) or (NO_VALUE,)


def _length(value: float, unit: str) -> str:
    return f"{value:.1f} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def _area_text(value: float, unit: str) -> str:
    return f"{value / 100:.2f} cm²" if unit == "mm" and value >= 100 else f"{value:,.1f} {unit}²"


def _value(value: float | tuple[int, int, int], unit: str) -> str:
    if isinstance(value, tuple):
        return "RGB " + " ".join(str(part) for part in value)
    return f"{_number(value)} {unit}".rstrip()


def _number(value: float) -> str:
    """Enough digits to tell values of this size apart."""
    size = abs(value)
    if size >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.3g}"


def as_dict(measurement: Measurement) -> dict[str, Any]:
    """For JSON."""
    return {
        "id": measurement.id,
        "kind": measurement.kind,
        "points": [list(point) for point in measurement.points],
        "sop_uid": measurement.sop_uid,
        "frame": measurement.frame,
        "series_uid": measurement.series_uid,
    }


def from_dict(stored: dict[str, Any]) -> Measurement:
    """What `as_dict` gave.

    Raises:
        ValueError, KeyError, TypeError: it is something else.
    """
    if stored["kind"] not in KINDS:
        raise ValueError(f"unknown kind of measurement: {stored['kind']}")
    kind = cast(Kind, stored["kind"])
    points = tuple((float(column), float(row)) for column, row in stored["points"])
    if len(points) != POINTS.get(kind, len(points)) or not (kind != "region" or 3 <= len(points) <= MAX_POINTS):
        raise ValueError(f"{len(points)} points make no {kind}")
    return Measurement(
        kind, points, str(stored["sop_uid"]), int(stored["frame"]), str(stored["series_uid"]), str(stored["id"])
    )
