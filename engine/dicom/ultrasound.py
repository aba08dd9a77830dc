"""Reads the calibrated regions of an ultrasound image (PS3.3 C.8.5.5). Knows no pixels and measures nothing."""

from engine.dicom.values import Header, integer, items, number
from engine.study import UltrasoundRegion

_CENTIMETERS = 3
"""Physical Units (0018,6024) and (0018,6026): cm."""
_LOW_PRIORITY = 1
"""Region Flags (0018,6016), bit 0."""
_SLACK = 1
"""Pixels of tolerance: some devices write the last column + 1 as the right edge."""


def regions(dataset: Header, rows: int, columns: int) -> tuple[UltrasoundRegion, ...]:
    """The regions of Sequence of Ultrasound Regions (0018,6011), in the file's order.

    Empty when any region reaches beyond the image: the image was scaled or cropped after calibration, and its
    millimeters would be wrong.
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
    """Millimeters from row to row and column to column. Deltas are negative where the axis points up or left."""
    units = integer(item, "PhysicalUnitsXDirection"), integer(item, "PhysicalUnitsYDirection")
    across, down = number(item, "PhysicalDeltaX"), number(item, "PhysicalDeltaY")
    if units != (_CENTIMETERS, _CENTIMETERS) or not across or not down:
        return None, None
    return abs(down) * 10, abs(across) * 10
