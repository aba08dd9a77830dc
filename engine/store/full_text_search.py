"""What an archive asks of the full-text index of its reports, and what it gets. Knows no store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.store.filters import ANY, Filters


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A report with words that were asked for."""

    case_id: int
    score: float
    """Higher is better; of one search only."""
    words: tuple[str, ...]
    """The matching words as they are in the report, in lower case."""


@dataclass(frozen=True, slots=True)
class PieceMatch:
    """A report that contains pieces of text."""

    case_id: int
    score: int
    """How many of the pieces."""
    text: str
    """Of the report."""


class FullTextSearch(Protocol):
    """The full-text index of one archive. Words match by their Porter stems, whatever their case and accents."""

    def find(self, phrases: Sequence[str], limit: int, filters: Filters = ANY) -> list[TextMatch]:
        """The reports that match best, best first.

        Args:
            phrases: words, or words with spaces between them that have to follow each other; any of them is enough.
            limit: how many at most.
            filters: which cases may be found; `kinds` is ignored.

        Raises:
            UserError: the archive is damaged, or cannot be reached.
        """

    def containing(self, pieces: Sequence[str], limit: int, filters: Filters = ANY) -> list[PieceMatch]:
        """The reports that contain the most of some pieces of text, wherever these are, best first.

        Reads every report. It is for scripts without spaces, of which an index takes a run of characters as one word.

        Args:
            pieces: at most 1,000.
            limit: how many reports at most.
            filters: which cases may be found; `kinds` is ignored.
        """
