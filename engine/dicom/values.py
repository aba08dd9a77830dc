"""Reads single values of a parsed header, treating damaged ones as absent. Knows nothing of their meaning."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

from pydicom.dataset import Dataset


class Header(Protocol):
    """A parsed header or one item of a sequence: a pydicom Dataset or a FastHeader."""

    def get(self, keyword: str, /) -> Any:
        """The value of an element, or None when it is absent."""

    def __contains__(self, keyword: str, /) -> bool: ...


class FileHeader(Header, Protocol):
    """The header of a file, with its file meta information (PS3.10 7.1)."""

    @property
    def file_meta(self) -> Any:
        """The file meta information."""


def raw(dataset: Header, keyword: str) -> Any:
    """The value of an element; None when it is absent, empty or cannot be converted."""
    try:
        value = dataset.get(keyword)
    except Exception:  # converters of damaged values raise anything
        return None
    return None if value == "" else value


def text(dataset: Header, keyword: str) -> str:
    """The value as text, several values joined by backslashes as in DICOM; "" when absent."""
    value = raw(dataset, keyword)
    if value is None:
        return ""
    if not isinstance(value, str) and isinstance(value, Sequence):  # in this order: the second takes ten times as long
        value = "\\".join(str(part) for part in value)
    return str(value).replace("\0", "").strip()


def texts(dataset: Header, keyword: str) -> list[str]:
    """All values of an element as text; empty when absent."""
    joined = text(dataset, keyword)
    return [part.strip() for part in joined.split("\\")] if joined else []


def number(dataset: Header, keyword: str) -> float | None:
    """The first value of an element as a finite number; None when any of its values is not one."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def numbers(dataset: Header, keyword: str) -> list[float]:
    """All values of an element as finite numbers; empty when one of them is not."""
    value = raw(dataset, keyword)
    if value is None:
        return []
    values = value if not isinstance(value, str | bytes | int) and isinstance(value, Sequence) else [value]
    try:
        found = [float(part) for part in values]
    except (TypeError, ValueError, OverflowError):
        return []
    return found if all(math.isfinite(part) for part in found) else []


def integer(dataset: Header, keyword: str) -> int | None:
    """The first value of an element truncated to an integer; None like `number`."""
    found = number(dataset, keyword)
    return None if found is None else int(found)


def items(dataset: Header, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty when it is absent or not a sequence."""
    value = raw(dataset, keyword)
    if value is None or isinstance(value, str | bytes) or not isinstance(value, Sequence):
        return []
    return [item for item in value if isinstance(item, Dataset)]


def item(dataset: Header | None, keyword: str) -> Dataset | None:
    """The first item of a sequence, or None."""
    found = items(dataset, keyword) if dataset is not None else []
    return found[0] if found else None
