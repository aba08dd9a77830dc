"""Reads the calibrated regions of an ultrasound image (PS3.3 C.8.5.5). Knows no pixels and measures nothing."""

from collections.abc import Sequence

from engine.dicom_values import Header, integer, items, number
from engine.study import UltrasoundRegion

_CENTIMETRES = 3
_LOW_PRIORITY = 1
_SLACK = 1
"""Pixels: devices write the last column + 1 as the right edge."""


def regions(dataset: Header, rows: int, columns: int) -> tuple[UltrasoundRegion, ...]:
    """The regions of Sequence of Ultrasound Regions (0018,6011), in the file's order.

    None at all when one reaches beyond the image: such an image was scaled or cut after the device calibrated it, and
    its millimetres would be wrong.
    """
    found = []
    for item in items(dataset, "SequenceOfUltrasoundRegions"):
        edges = [
            integer(item, keyword)
            for keyword in (
                "RegionLocationMinX0",
                "RegionLocationMinY0",
                "RegionLocationMaxX1",
                "RegionLocationMaxY1",
            )
        ]
        left, top, right, bottom = edges
        if left is None or top is None or right is None or bottom is None:
            continue
        if not (0 <= left <= right < columns + _SLACK and 0 <= top <= bottom < rows + _SLACK):
            return ()
        row, column = _spacing(item)
        low = bool((integer(item, "RegionFlags") or 0) & _LOW_PRIORITY)
        found.append(UltrasoundRegion(left, top, right, bottom, row, column, low))
    return tuple(found)


def _spacing(item: Header) -> tuple[float | None, float | None]:
    """Millimetres from row to row and column to column; a delta is negative where the axis points up or left."""
    units = integer(item, "PhysicalUnitsXDirection"), integer(item, "PhysicalUnitsYDirection")
    across, down = number(item, "PhysicalDeltaX"), number(item, "PhysicalDeltaY")
    if units != (_CENTIMETRES, _CENTIMETRES) or not across or not down:
        return None, None
    return abs(down) * 10, abs(across) * 10


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
