"""Where two texts differ, as one replaced part, and where that moves a span. Knows no report.

The same change can often be described in several ways: what is left of "The heart. The lungs." without its first half
is "The lungs.", whichever "The " went. The description is chosen that cuts the fewest given spans, so that whole
sentences are removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[int, int]
"""[start, end) in characters of a text."""


@dataclass(frozen=True, slots=True)
class Change:
    """One part of a text replaced by another."""

    start: int
    end: int
    """[start, end) of the old text was removed."""
    length: int
    """Characters that were inserted there."""

    @property
    def inserted(self) -> Span:
        """The span of what was inserted, in the new text."""
        return self.start, self.start + self.length

    def moved(self, span: Span) -> Span | None:
        """Where a span of the old text is in the new one; None when nothing of it is left.

        What is inserted inside the span belongs to it, but not what is inserted at its ends.
        """
        start, end = span
        by = self.length - (self.end - self.start)
        if end <= self.start:
            return span
        if start >= self.end:
            return start + by, end + by
        if start == self.start and end == self.end:
            return None  # replaced as a whole: other words now
        if start <= self.start and end >= self.end:
            return start, end + by
        if start < self.start:
            return start, self.start
        if end > self.end:
            return self.start + self.length, end + by
        return None

    def cuts(self, span: Span) -> bool:
        """Whether a part of a span, not all of it, is removed or gets something inserted."""
        start, end = span
        if self.start == self.end:
            return start < self.start < end
        return start < self.end and self.start < end and not (self.start <= start and end <= self.end)


def change_between(old: str, new: str, spans: Sequence[Span] = ()) -> Change:
    """The change that makes one text of the other.

    Args:
        old: the text before.
        new: the text after.
        spans: parts of the old text that should stay or go as a whole.
    """
    return min(changes_between(old, new), key=lambda one: sum(one.cuts(span) for span in spans))


def changes_between(old: str, new: str) -> list[Change]:
    """Every way to tell the change that makes one text of the other, the rightmost first."""
    prefix = _common(old, new)
    most = min(len(old), len(new)) - prefix
    suffix = _common(old[len(old) - most :][::-1], new[len(new) - most :][::-1])
    change = Change(prefix, len(old) - suffix, len(new) - suffix - prefix)
    same = [change]
    while (left := _further_left(same[-1], old, new)) is not None:
        same.append(left)
    return same


def _common(one: str, other: str) -> int:
    """The number of characters with which both texts begin."""
    differ = (number for number, (a, b) in enumerate(zip(one, other)) if a != b)
    return next(differ, min(len(one), len(other)))


def _further_left(change: Change, old: str, new: str) -> Change | None:
    """The same removal or insertion described one character further left; None when there is none."""
    start, end, length = change.start, change.end, change.length
    if start == 0 or (length and start != end):
        return None
    kept = old[end - 1] if not length else new[start + length - 1]
    return Change(start - 1, end - 1, length) if old[start - 1] == kept else None
