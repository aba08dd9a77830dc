"""What a distance on a frame means: millimetres and where they come from, or pixels. Knows no pixels and no figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.study import FrameRef, Point, UltrasoundRegion

_SOURCES = {
    "pixel": "pixel spacing",
    "pixel/unstated": "pixel spacing of a radiograph that does not say how it was calibrated",
    "imager": "at the detector, not corrected for magnification",
    "imager/magnification": "detector spacing corrected by the estimated magnification",
    "region": "ultrasound region",
}
_REMARKS = {
    "pixel": "",
    "pixel/unstated": "calibration not stated",
    "imager": "at the detector",
    "imager/magnification": "magnification estimated",
    "region": "ultrasound region",
}


@dataclass(frozen=True, slots=True)
class PixelSpacing:
    """Lengths of one step along a column (from row to row) and along a row, in `unit`."""

    row: float = 1.0
    column: float = 1.0
    unit: str = "px"
    """"mm", or "px" where the header gives no length: then a pixel's shorter side is 1."""
    source: str = ""
    """As FrameRef.spacing_source; "" for pixels."""
    why: str = "no pixel spacing"
    """In a few words, where millimetres come from or why there are none."""

    @property
    def known(self) -> bool:
        """Lengths are millimetres."""
        return self.unit == "mm"

    @property
    def remark(self) -> str:
        """What must stand beside a length, in two or three words; "" for a plain Pixel Spacing."""
        return _REMARKS.get(self.source, self.why)

    def offset(self, start: Point, end: Point) -> Point:
        """From one point to another: (right, down) in `unit`."""
        return (end[0] - start[0]) * self.column, (end[1] - start[1]) * self.row


def spacing_for(frame: FrameRef, points: Sequence[Point] = ()) -> PixelSpacing:
    """What lengths between these points of a frame mean.

    Ultrasound counts by the region that all points lie in (PS3.3 C.8.5.5): between two regions, outside of them and
    in a region whose axes are time or velocity there are no millimetres. Elsewhere the frame's spacing holds for all
    of it (PS3.3 10.7.1). No spacing is ever guessed.
    """
    if frame.image.regions:
        found = {region_at(frame.image.regions, *point) for point in points}
        region = next(iter(found)) if len(found) == 1 else None
        if region is not None and region.row is not None and region.column is not None:
            return PixelSpacing(region.row, region.column, "mm", "region", _SOURCES["region"])
        if points:
            why = "more than one ultrasound region" if len(found) > 1 else "no calibrated ultrasound region"
            return _in_pixels(frame, why)
    if frame.spacing is not None:
        row, column = frame.spacing
        return PixelSpacing(row, column, "mm", frame.spacing_source, _SOURCES.get(frame.spacing_source, ""))
    return _in_pixels(frame, "no pixel spacing")


def _in_pixels(frame: FrameRef, why: str) -> PixelSpacing:
    row, column = pixel_shape(frame) or (1.0, 1.0)
    finer = min(row, column)
    return PixelSpacing(row / finer, column / finer, why=why)


def pixel_shape(frame: FrameRef) -> tuple[float, float] | None:
    """Height and width of a pixel, for the aspect on screen: its spacing, else Pixel Aspect Ratio, else None."""
    return frame.spacing or frame.image.pixel_aspect


def common_spacing(found: Sequence[UltrasoundRegion]) -> tuple[float, float] | None:
    """Millimetres from row to row and column to column when all regions that are lengths agree, else None."""
    spacings = {(region.row, region.column) for region in found if region.row is not None}
    row, column = spacings.pop() if len(spacings) == 1 else (None, None)
    return (row, column) if row is not None and column is not None else None


def region_at(found: Sequence[UltrasoundRegion], column: float, row: float) -> UltrasoundRegion | None:
    """The region that holds at a place (continuous pixels, the first pixel's corner is 0, 0).

    Of overlapping regions of the same priority the smaller one: a colour bar lies over the picture.
    """
    inside = [
        region
        for region in found
        if region.left <= column <= region.right + 1 and region.top <= row <= region.bottom + 1
    ]
    return min(inside, key=lambda region: (region.low_priority, _size(region))) if inside else None


def _size(region: UltrasoundRegion) -> int:
    return (region.right - region.left + 1) * (region.bottom - region.top + 1)
