"""Determines the pixel spacing that lengths on a frame are measured with, and where it comes from.

Knows no pixels and no figures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.study import FrameRef, Point, UltrasoundRegion

SPACING_TOLERANCE = 1e-3
"""Spacings that differ by less than this part are equal: half a pixel over 500, and scanners round them."""
_DESCRIPTIONS = {
    "pixel": "pixel spacing",
    "pixel/unstated": "pixel spacing of a radiograph without a stated calibration",
    "imager": "at the detector, not corrected for magnification",
    "imager/magnification": "detector spacing corrected by the estimated magnification",
    "region": "ultrasound region",
}
"""By FrameRef.spacing_source."""
_REMARKS = {
    "pixel": "",
    "pixel/unstated": "spacing calibration not stated",
    "imager": "at the detector",
    "imager/magnification": "magnification estimated",
    "region": "ultrasound region",
}
"""By FrameRef.spacing_source."""


@dataclass(frozen=True, slots=True)
class PixelSpacing:
    """Distance between neighboring pixels, and its source."""

    row: float = 1.0
    """From row to row, in `unit`."""
    column: float = 1.0
    """From column to column, in `unit`."""
    unit: str = "px"
    """"mm", or "px" if the header gives no lengths; the shorter side of a pixel is then 1."""
    source: str = ""
    """As FrameRef.spacing_source; "" if the unit is pixels."""
    description: str = "no pixel spacing"
    """Where the millimeters come from, or why there are none."""

    @property
    def in_mm(self) -> bool:
        """Whether lengths are millimeters."""
        return self.unit == "mm"

    @property
    def remark(self) -> str:
        """What has to be shown with every length, in two or three words; "" for a plain Pixel Spacing."""
        return _REMARKS.get(self.source, self.description)

    def offset(self, start: Point, end: Point) -> Point:
        """Vector from one image point to another: (right, down) in `unit`."""
        return (end[0] - start[0]) * self.column, (end[1] - start[1]) * self.row


def spacing_for(frame: FrameRef, points: Sequence[Point] = ()) -> PixelSpacing:
    """The spacing for measurements between these points of a frame. Never a guess.

    On ultrasound, it is that of the region that contains all points (PS3.3 C.8.5.5). There are no millimeters between
    two regions, outside all of them, and in a region whose axes are time or velocity. On other images the spacing of
    the frame holds everywhere (PS3.3 10.7.1).
    """
    if frame.image.regions:
        found = {region_at(frame.image.regions, *point) for point in points}
        region = next(iter(found)) if len(found) == 1 else None
        if region is not None and region.row is not None and region.column is not None:
            return PixelSpacing(region.row, region.column, "mm", "region", _DESCRIPTIONS["region"])
        if points:
            return _in_pixels(
                frame, "more than one ultrasound region" if len(found) > 1 else "no calibrated ultrasound region"
            )
    if frame.spacing is not None:
        row, column = frame.spacing
        return PixelSpacing(row, column, "mm", frame.spacing_source, _DESCRIPTIONS.get(frame.spacing_source, ""))
    return _in_pixels(frame, "no pixel spacing")


def _in_pixels(frame: FrameRef, description: str) -> PixelSpacing:
    row, column = pixel_shape(frame) or (1.0, 1.0)
    shorter = min(row, column)
    return PixelSpacing(row / shorter, column / shorter, description=description)


def pixel_shape(frame: FrameRef) -> tuple[float, float] | None:
    """Height and width of a pixel, for its aspect on screen: the spacing, else Pixel Aspect Ratio, else None."""
    return frame.spacing or frame.image.pixel_aspect


def common_spacing(regions: Sequence[UltrasoundRegion]) -> tuple[float, float] | None:
    """Row and column spacing in millimeters if all regions with lengths agree on it, else None."""
    spacings = [(one.row, one.column) for one in regions if one.row is not None and one.column is not None]
    lengths = len(spacings) == sum(region.row is not None for region in regions)
    return spacings[0] if spacings and lengths and all(same_spacing(spacings[0], one) for one in spacings) else None


def same_spacing(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two spacings are equal but for their last digits."""
    return all(math.isclose(a, b, rel_tol=SPACING_TOLERANCE) for a, b in zip(one, other))


def region_at(regions: Sequence[UltrasoundRegion], column: float, row: float) -> UltrasoundRegion | None:
    """The region at an image point; None outside all regions.

    Of overlapping regions with the same priority the smaller one: a color bar lies over the image.
    """
    inside = [
        region
        for region in regions
        if region.left <= column <= region.right + 1 and region.top <= row <= region.bottom + 1
    ]
    return min(inside, key=lambda region: (region.low_priority, _size(region))) if inside else None


def _size(region: UltrasoundRegion) -> int:
    return (region.right - region.left + 1) * (region.bottom - region.top + 1)
