"""Spans of a report that stand for something: a measurement, an image, or a field of a template. Knows no document.

A link moves with its words. That of a measurement or an image goes with them; a field stays where it was when its words
are deleted, since it may have to be filled, and what is typed at its ends belongs to it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, get_args

from engine.reports.change import Change, Span, changes_between

LinkKind = Literal["measurement", "image", "field"]
Rule = Literal["required", "warn", "free"]
"""Whether a report can be signed while a field is empty: no, after a warning, or yes."""
FieldType = Literal["text", "number", "choice", "date"]


@dataclass(frozen=True, slots=True)
class Link:
    """One linked span of a text."""

    start: int
    end: int
    """[start, end) in characters of the text; a field may be empty."""
    kind: LinkKind
    target: str
    """Id of the measurement, key of the image, or name of the field."""
    inserted: str = ""
    """The words as they were inserted; of a field its placeholder, or what filled it."""
    state: str = ""
    """What the measurement was like then; opaque here."""
    rule: Rule = "free"
    type: FieldType = "text"
    choices: tuple[str, ...] = ()
    """Values of a field of the type "choice"."""

    @property
    def placeholder(self) -> str:
        """What stands for an empty field that should be filled, "" for one that may stay empty."""
        return "" if self.kind != "field" or self.rule == "free" else f"[{self.target}]"

    def is_empty(self, text: str) -> bool:
        """Whether it is a field without a value in this text."""
        return self.kind == "field" and text[self.start : self.end].strip() in ("", f"[{self.target}]")

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """The link of what `as_dict` gave.

        Raises:
            ValueError, KeyError or TypeError: it is none.
        """
        link = cls(**{**stored, "choices": tuple(map(str, stored["choices"]))})
        known = link.kind in get_args(LinkKind) and link.rule in get_args(Rule) and link.type in get_args(FieldType)
        if not known or not 0 <= int(link.start) <= int(link.end):
            raise ValueError("not a link")
        return link


def as_dict(link: Link) -> dict[str, Any]:
    """For JSON."""
    return asdict(link)


def moved_links(links: Iterable[Link], old: str, new: str) -> tuple[Link, ...]:
    """Where links are after an edit, in order; those whose words are gone are left out, and all without any text."""
    changes = changes_between(old, new)
    kept = []
    for link in links if new.strip() else ():
        span = (link.start, link.end)
        if link.kind == "field":
            moved = max((_field_moved(span, change) for change in changes), key=lambda one: one[1] - one[0])
        else:
            moved = min(changes, key=lambda change: change.cuts(span)).moved(span)  # type: ignore[assignment]
        if moved is not None:
            kept.append(replace(link, start=moved[0], end=moved[1]))
    return tuple(kept)


def shifted(links: Iterable[Link], change: Change) -> tuple[Link, ...]:
    """Where links are after something was inserted that is not theirs unless it is inside them."""
    spans = ((link, change.moved((link.start, link.end))) for link in links)
    return tuple(replace(link, start=span[0], end=span[1]) for link, span in spans if span is not None)


def _field_moved(field: Span, change: Change) -> Span:
    start, end = field
    by = change.length - (change.end - change.start)
    if change.end < start or (change.end == start and change.start < change.end):
        return start + by, end + by
    if change.start > end:
        return field
    if change.start < start and change.end > end:  # its surroundings go too: it stays, without words
        return change.start, change.start
    return (start if change.start >= start else change.start + change.length), max(end, change.end) + by


def numbers_in(text: str) -> list[float]:
    """The numbers that a text names, a decimal comma as a point."""
    return [float(found.replace(",", ".")) for found in re.findall(r"\d+(?:[.,]\d+)?", text)]
