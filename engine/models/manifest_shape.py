"""What types the entries of a manifest have. Knows no file, and not which entries a bundle needs.

A manifest comes from outside: an entry of another type, a size of a billion or a number that is none is refused by its
name before anything computes with it.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

LARGEST = 1 << 20
"""The most that any size of a model may be."""
Shape = Mapping[str, Any] | Callable[[Any], bool]
EACH = "*"
"""Stands for every name that a shape does not list."""


def _size(value: Any) -> bool:
    return type(value) is int and 1 <= value <= LARGEST


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def _number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= 1e12 and math.isfinite(value)


def _text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value and value.isprintable()


ENTRY = {"file": _text, "sha256": _text, "bytes": _count}
PAIR = {"mean": _number, "std": _number}
SHAPE: Shape = {
    "name": _text,
    "preprocess": {"size": _size},
    "embedding_size": _size,
    "tokenizer": {**ENTRY, "max_length": _size},
    "variants": {EACH: {EACH: ENTRY}},
    "captioner": {"layers": _size, "heads": _size, "head_dim": _size, "max_tokens": _size},
    "calibration": {EACH: PAIR},
    "heads": ENTRY,
    "fact_heads": ENTRY,
    "familiarity": {**ENTRY, "threshold": _number},
    "training_ngrams": ENTRY,
    "facts": {"weights": {EACH: {"agree": _number, "disagree": _number}}},
}
OPTIONAL = {"heads", "fact_heads", "familiarity", "training_ngrams", "facts", "captioner"}
"""Entries that may be null."""


def first_wrong(value: Any, shape: Shape = SHAPE, name: str = "") -> str:
    """The name of the first entry of another type, as in "variants.int8.image.bytes"; "" when there is none."""
    if callable(shape):
        return "" if shape(value) else name
    if not isinstance(value, dict):
        return "" if value is None and name in OPTIONAL else name
    for key, part in value.items():
        wanted = shape.get(key, shape.get(EACH))
        if wanted is not None and (found := first_wrong(part, wanted, f"{name}.{key}" if name else str(key))):
            return found
    return ""
