"""Formats the numbers of a measurement as text. Knows neither figures nor the screen."""

from dataclasses import dataclass, replace

from engine.geometry.spacing import PixelSpacing
from engine.measure.roi import Statistics

NO_VALUE = "no value"
SEPARATOR = "   "
"""Between the numbers of one line."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The numbers of a measurement; None for those that do not apply."""

    spacing: PixelSpacing
    length: float | None = None
    """In the unit of `spacing`."""
    angle: float | None = None
    """Degrees."""
    area: float | None = None
    """In the squared unit of `spacing`; also None for an outline that intersects itself."""
    statistics: Statistics | None = None
    value: float | tuple[int, int, int] | None = None
    """Modality value, or RGB color, of one pixel."""
    unit: str = ""
    """Of `value`."""


def lines(reading: Reading) -> tuple[str, ...]:
    """The numbers with their units, the most important first, one or more a line; empty if there are none."""
    found: list[str] = []
    unit = reading.spacing.unit
    if reading.length is not None:
        found.append(_length(reading.length, unit))
    if reading.angle is not None:
        found.append(f"{reading.angle:.1f}°")
    if reading.value is not None:
        found.append(_value(reading.value, reading.unit))
    if reading.area is not None:
        found.append(_area(reading.area, unit))
    if reading.statistics is not None:
        found += _statistics(reading.statistics)
    if (reading.length is not None or reading.area is not None) and reading.spacing.remark:
        found.append(reading.spacing.remark)
    return tuple(found)


def phrase(reading: Reading) -> str:
    """The numbers that belong into a report, in one line: without standard deviation, range and number of pixels."""
    found = list(lines(replace(reading, statistics=None)))
    remark = found.pop() if found[-1:] == [reading.spacing.remark] else ""
    if reading.statistics is not None:
        found.append(f"mean {_value(reading.statistics.mean, reading.statistics.unit)}")
    return ", ".join(found) + (f" ({remark})" if remark else "")


def lines_or_no_value(reading: Reading) -> tuple[str, ...]:
    """As `lines`, or "no value" if there are none: a probe outside the image, an angle with a side of length 0."""
    return lines(reading) or (NO_VALUE,)


def _length(value: float, unit: str) -> str:
    return f"{value:.1f} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def _area(value: float, unit: str) -> str:
    return f"{value / 100:.2f} cm²" if unit == "mm" and value >= 100 else f"{value:,.1f} {unit}²"


def _statistics(found: Statistics) -> tuple[str, str]:
    mean = f"mean {_value(found.mean, found.unit)}{SEPARATOR}SD {_number(found.deviation)}"
    ends = f"min {_number(found.lowest)}", f"max {_number(found.highest)}", f"n {found.count:,}"
    return mean, SEPARATOR.join(ends)


def _value(value: float | tuple[int, int, int], unit: str) -> str:
    if isinstance(value, tuple):
        return "RGB " + " ".join(str(part) for part in value)
    return f"{_number(value)} {unit}".rstrip()


def _number(value: float) -> str:
    """With enough digits to tell values of this magnitude apart."""
    size = abs(value)
    if size >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.3g}"
