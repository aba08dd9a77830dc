"""Undo and redo of a report, with its marks and proposals. Knows no widgets and no study."""

from engine.reports.change import Change, change_between
from engine.reports.document import Document

LIMIT = 1000
"""Steps that can be undone."""


class History:
    """The versions of one report. Typing within a word, or deleting, is one step."""

    def __init__(self, document: Document | None = None) -> None:
        self._steps = [document or Document()]
        self._at = 0
        self._typed: Change | None = None
        """The latest step, while further typing can continue it."""

    @property
    def now(self) -> Document:
        """The report as it is."""
        return self._steps[self._at]

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier version."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether a step was undone."""
        return self._at + 1 < len(self._steps)

    def push(self, document: Document) -> None:
        """Make a new version; versions that were undone are dropped."""
        change = change_between(self.now.text, document.text)
        continued = self._continues(change, document.text)
        del self._steps[self._at + 1 :]
        if continued:
            self._steps[self._at] = document
        else:
            self._steps.append(document)
            del self._steps[: -LIMIT - 1]
        self._at = len(self._steps) - 1
        self._typed = change if change.length + change.end - change.start == 1 else None

    def undo(self) -> None:
        """Go back one version."""
        self._at, self._typed = max(0, self._at - 1), None

    def redo(self) -> None:
        """Go forward one version."""
        self._at, self._typed = min(len(self._steps) - 1, self._at + 1), None

    def _continues(self, change: Change, text: str) -> bool:
        """Whether a change goes on where the last one ended: one more character of a word, or one more deleted."""
        last = self._typed
        if last is None or change.length + change.end - change.start != 1 or last.length != change.length:
            return False
        if change.length:
            new_word = text[change.start - 1].isspace() and not text[change.start].isspace()
            return change.start == last.start + 1 and not new_word
        return change.end == last.start or change.start == last.start
