"""Reads single values out of a parsed header, taking damaged ones as absent. Knows nothing of what they are for."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

from pydicom.dataset import Dataset


class Header(Protocol):
    """A parsed header or one item of a sequence: pydicom's Dataset, or what `fast_header` found."""

    def get(self, keyword: str, /) -> Any: ...

    def __contains__(self, keyword: str, /) -> bool: ...


class FileHeader(Header, Protocol):
    """The header of a file, with its file meta information (PS3.10 7.1)."""

    @property
    def file_meta(self) -> Any: ...


def raw(dataset: Header, keyword: str) -> Any:
    """The value of an element, or None when it is absent, empty or cannot be converted."""
    try:
        value = dataset.get(keyword)
    except Exception:  # a damaged value raises whatever its converter raises: here it is the same as absent
        return None
    return None if value == "" else value


def text(dataset: Header, keyword: str) -> str:
    """One line of text; several values joined by a backslash as DICOM writes them; "" when absent."""
    value = raw(dataset, keyword)
    if value is None:
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = "\\".join(str(part) for part in value)
    return str(value).replace("\0", "").strip()


def texts(dataset: Header, keyword: str) -> list[str]:
    joined = text(dataset, keyword)
    return [part.strip() for part in joined.split("\\")] if joined else []


def number(dataset: Header, keyword: str) -> float | None:
    """The first finite number of an element."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def numbers(dataset: Header, keyword: str) -> list[float]:
    """All values of an element as finite numbers; empty when one of them is not."""
    value = raw(dataset, keyword)
    if value is None:
        return []
    values = value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]
    try:
        found = [float(part) for part in values]
    except (TypeError, ValueError, OverflowError):
        return []
    return found if all(math.isfinite(part) for part in found) else []


def integer(dataset: Header, keyword: str) -> int | None:
    found = number(dataset, keyword)
    return None if found is None else int(found)


def items(dataset: Header, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty when it is absent or no sequence."""
    value = raw(dataset, keyword)
    if value is None or isinstance(value, str | bytes) or not isinstance(value, Sequence):
        return []
    return [item for item in value if isinstance(item, Dataset)]


def item(dataset: Header | None, keyword: str) -> Dataset | None:
    """The first item of a sequence."""
    found = items(dataset, keyword) if dataset is not None else []
    return found[0] if found else None
