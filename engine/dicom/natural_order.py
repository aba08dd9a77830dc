"""Sorts names as people do: IM2 before IM10. Knows no files."""

import re

NaturalKey = tuple[tuple[str | tuple[int, str], ...], str]

_DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> NaturalKey:
    """Sort key of a name: its numbers count as numbers, its letters without case; the name itself settles ties."""
    parts: list[str | tuple[int, str]] = [*_DIGITS.split(name.casefold())]
    for index in range(1, len(parts), 2):
        digits = str(parts[index]).lstrip("0")
        parts[index] = (len(digits), digits)  # int() refuses thousands of digits
    return tuple(parts), name
