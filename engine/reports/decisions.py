"""What became of the sentences that drafts proposed, and whether a person has written something. Pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.reports.document import Document
from engine.text.words import counted, words

FEWEST_WORDS = 3
"""Own words from which a report counts as written."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """Numbers of proposed sentences in signed reports."""

    reports: int = 0
    """Signed reports with proposals."""
    accepted: int = 0
    """In the text as they were proposed."""
    edited: int = 0
    dismissed: int = 0
    """Not in the text: dismissed, replaced by another draft, or deleted later."""

    @property
    def text(self) -> str:
        """One sentence for the user."""
        total = self.accepted + self.edited + self.dismissed
        if not total:
            return "No draft was proposed for a signed report yet."
        return (
            f"Of {counted(total, 'proposed sentence')} in {counted(self.reports, 'signed report')}, {self.accepted:,} "
            f"were accepted unchanged, {self.edited:,} edited, and {self.dismissed:,} dismissed or deleted."
        )


def decisions(documents: Iterable[Document]) -> Decisions:
    """Count the decisions in signed reports; what was taken over by hand is not a draft."""
    reports = accepted = edited = dismissed = 0
    for document in documents:
        drafted = {number for number, one in enumerate(document.proposals) if not one.taken_from}
        kept = {mark.proposal: document.wording(mark) for mark in document.marks if mark.proposal in drafted}
        reports += bool(drafted)
        accepted += sum(wording == "unchanged" for wording in kept.values())
        edited += sum(wording == "edited" for wording in kept.values())
        dismissed += len(drafted - kept.keys())
    return Decisions(reports, accepted, edited, dismissed)


def is_written(document: Document) -> bool:
    """Whether somebody has written something: a few own words, in the fields if there are any."""
    masked = list(document.text)
    for mark in document.marks:
        masked[mark.start : mark.end] = " " * (mark.end - mark.start)
    own, fields = "".join(masked), [link for link in document.links if link.kind == "field"]
    if not fields:
        return len(words(own)) >= FEWEST_WORDS
    typed = (own[link.start : link.end] for link in fields if own[link.start : link.end] != link.inserted)
    return sum(len(words(one)) for one in typed) >= FEWEST_WORDS
