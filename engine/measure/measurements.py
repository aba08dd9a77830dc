"""Measurements on a frame, as they are kept and read. Knows neither the screen nor where they are stored.

A measurement belongs to one frame by its SOP Instance UID and frame number and holds only points: lengths and values
are calculated from the frame each time, so they always agree with it.
"""

import textwrap
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from engine.image.pixels import Pixels
from engine.measure.figures import FIGURES, Figure, Points, Strokes
from engine.measure.readings import Reading, lines_or_no_value
from engine.study import FrameRef, Point

MAX_TEXT = 200
"""Characters of the text of an annotation."""
LINE = 40
"""Characters after which the text of an annotation goes on in another line."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure drawn on one frame."""

    kind: str
    """Key of `FIGURES`."""
    points: Points
    """What each means depends on the figure."""
    sop_uid: str
    frame: int = 0
    """0-based frame of the image."""
    series_uid: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    text: str = ""
    """What the user wrote, in one line; of annotations only."""

    @property
    def figure(self) -> Figure:
        """How measurements of its kind are drawn, dragged and read."""
        return FIGURES[self.kind]

    @property
    def is_complete(self) -> bool:
        """Whether there are enough points to read it."""
        return self.figure.is_complete(self.points)

    @property
    def handles(self) -> Points:
        """Points that can be dragged."""
        return self.figure.handles(self.points)

    @property
    def strokes(self) -> Strokes:
        """The lines to draw, also while points are still missing."""
        return self.figure.strokes(self.points)

    def belongs_to(self, frame: FrameRef) -> bool:
        """Whether it was drawn on this frame."""
        return bool(self.sop_uid) and (self.sop_uid, self.frame) == (frame.image.sop_uid, frame.frame)

    def with_points(self, points: Iterable[Point]) -> "Measurement":
        """The same measurement with other points."""
        return replace(self, points=tuple(points))

    def with_text(self, text: str) -> "Measurement":
        """The same annotation with another text: in one line, without what goes beyond `MAX_TEXT`."""
        return replace(self, text=" ".join(text.split())[:MAX_TEXT].strip())

    def with_handle_at(self, handle: int, target: Point) -> "Measurement":
        """The same measurement after one of its handles was dragged."""
        return replace(self, points=self.figure.move_handle(self.points, handle, target))


def read(measurement: Measurement, frame: FrameRef, pixels: Pixels | None = None) -> Reading:
    """The numbers of a complete measurement.

    Args:
        pixels: the decoded frame; None leaves out everything that depends on pixel values.
    """
    return measurement.figure.read(measurement.points, frame, pixels)


def lines_of(measurement: Measurement, reading: Reading) -> tuple[str, ...]:
    """What is written beside a measurement: its numbers, or the text of an annotation; empty for an arrow alone."""
    if measurement.figure.annotation:
        return tuple(textwrap.wrap(measurement.text, LINE))
    return lines_or_no_value(reading)


def as_dict(measurement: Measurement) -> dict[str, Any]:
    """For JSON."""
    stored: dict[str, Any] = {
        "id": measurement.id,
        "kind": measurement.kind,
        "points": [list(point) for point in measurement.points],
        "sop_uid": measurement.sop_uid,
        "frame": measurement.frame,
        "series_uid": measurement.series_uid,
    }
    return stored | {"text": measurement.text} if measurement.text else stored


def from_dict(stored: dict[str, Any]) -> Measurement:
    """The measurement that `as_dict` was given.

    Raises:
        ValueError, KeyError, TypeError: `stored` does not describe a measurement.
    """
    kind = stored["kind"]
    if kind not in FIGURES:
        raise ValueError(f"unknown kind of measurement: {kind}")
    points = tuple((float(column), float(row)) for column, row in stored["points"])
    if not FIGURES[kind].accepts(points):
        raise ValueError(f"{kind} with {len(points)} points")
    made = Measurement(
        kind, points, str(stored["sop_uid"]), int(stored["frame"]), str(stored["series_uid"]), str(stored["id"])
    ).with_text(str(stored.get("text", "")))
    if made.figure.needs_text and not made.text:
        raise ValueError(f"{kind} without text")
    return made
