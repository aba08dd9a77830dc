"""Splits what an import has found into parts that do not touch each other. Knows no archive and no queue.

Every worker lists the same folder and splits it by itself, so that no name of a file or patient is stored for others.
"""

import hashlib
from collections.abc import Sequence

from engine.errors import Rejected
from engine.importing.importer import marks_of
from engine.importing.source import FoundCase

Item = FoundCase | Rejected


def parts_of(items: Sequence[Item], count: int) -> list[list[Item]]:
    """The items in `count` parts, each in their order; what may turn out to be one case is in one part.

    The part of a case depends on nothing but what it is joined by, so that all workers find the same parts.
    """
    parts: list[list[Item]] = [[] for _ in range(count)]
    names = _names(items)
    for item, name in zip(items, names, strict=True):
        parts[int(hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest(), 16) % count].append(item)
    return parts


def _names(items: Sequence[Item]) -> list[str]:
    """A name for each item, which those share that have a key or join in common, directly or by way of others."""
    parents: dict[str, str] = {}

    def root(mark: str) -> str:
        while parents[mark] != mark:
            parents[mark] = parents[parents[mark]]
            mark = parents[mark]
        return mark

    marks = [sorted(map(repr, marks_of(item))) if isinstance(item, FoundCase) else [item.path] for item in items]
    for own in marks:
        for mark in own:
            parents.setdefault(mark, mark)
        for mark in own[1:]:
            first, second = sorted((root(own[0]), root(mark)))
            parents[second] = first
    return [root(own[0]) for own in marks]
