"""The text of a report with its marks: whose words they are, and which machine sentences are only proposed.

Does not know a screen, a database or how sentences are drafted. A document never changes: each step gives a new one.
What is proposed is not part of the text until someone takes it. Words without a mark are the user's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any, Literal, Self

from engine.errors import UserError
from engine.reports.change import Change, Span, change_between
from engine.reports.draft import Draft, Sentence
from engine.reports.links import Link, moved_links, shifted
from engine.reports.links import as_dict as link_as_dict
from engine.reports.sections import end_of_findings
from engine.reports.stored_sentence import sentence_as_dict, sentence_from
from engine.text.words import words

Wording = Literal["unchanged", "edited"]
REWRITTEN = 0.3
"""Below this likeness of words (difflib's ratio) an edited sentence is no longer the proposed one."""
LOST = "The marks of this report were damaged: which of its words are machine wording is unknown."
SENTENCE_ENDS = (".", "!", "?", ":", ";")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A machine sentence that was proposed for a report."""

    sentence: Sentence
    archive: str = ""
    """Name of the archive that its case numbers are of; "" when unknown."""
    model: str = ""
    """What drafted it."""
    taken_from: str = ""
    """What a person took it over from, such as "case 7 in chest"; "" for what a draft proposed."""

    @property
    def origin(self) -> str:
        """Where its words come from, such as "case 7 in chest"."""
        if self.taken_from:
            return self.taken_from
        if self.sentence.source is None:
            return "a draft"
        return f"case {self.sentence.source}{f' in {self.archive}' if self.archive else ''}"


@dataclass(frozen=True, slots=True)
class Mark:
    """Words of the text that come from a proposal, edited or not."""

    start: int
    end: int
    """[start, end) in characters of the text."""
    proposal: int
    """Index among the proposals of the document."""


@dataclass(frozen=True, slots=True)
class Document:
    """A report: text, marks and proposals."""

    text: str = ""
    marks: tuple[Mark, ...] = ()
    """In reading order, without overlaps."""
    proposals: tuple[Proposal, ...] = ()
    """Every machine sentence so far, taken over or not, so that pasting one gives it its mark again."""
    open: tuple[int, ...] = field(default=())
    """Indices of the proposals that nobody has decided on, in reading order."""
    lost: bool = False
    """Whether its marks were damaged, so that nobody knows which of its words are machine wording."""
    links: tuple[Link, ...] = ()
    """What stands for a measurement or an image, and the fields of a template, in reading order."""
    confirmed: tuple[int, ...] = ()
    """Indices of the proposals whose numbers and sides were confirmed for this patient."""

    def wording(self, mark: Mark) -> Wording:
        """Whether the marked words are still those of the proposal."""
        same = self.text[mark.start : mark.end] == self.proposals[mark.proposal].sentence.text
        return "unchanged" if same else "edited"

    def mark_of(self, proposal: int) -> Mark | None:
        """The first mark of a proposal; None unless it is in the text."""
        return next((mark for mark in self.marks if mark.proposal == proposal), None)

    @property
    def shown(self) -> tuple[int, ...]:
        """Indices of the proposals that are in the text or open, as they were proposed; evidence is shown for these."""
        return tuple(sorted({*self.open, *(mark.proposal for mark in self.marks)}))

    @property
    def model(self) -> str:
        """What drafted the latest proposal; "" without any."""
        return next((one.model for one in reversed(self.proposals) if one.model), "")

    @property
    def machine_words(self) -> int:
        """How many words of the text are unchanged machine wording, also inside edited sentences."""
        return sum(
            block.size
            for mark in self.marks
            for block in _matcher(
                self.proposals[mark.proposal].sentence.text, self.text[mark.start : mark.end]
            ).get_matching_blocks()
        )

    def proposing(self, draft: Draft, study_uid: str, archive: str = "") -> Self:
        """With the sentences of a draft as proposals, in place of those still open. The text stays as it is.

        A sentence that stands in the text unchanged is not proposed again.

        Raises:
            UserError: the draft was made for another study or for none.
        """
        if draft.study_uid != study_uid:
            raise UserError("This draft belongs to another study; create a new draft for this study.")
        # With single plain spaces, as an editor gives them back: else showing a sentence would count as editing it.
        sentences = [replace(one, text=" ".join(one.text.split())) for one in draft.sentences]
        there = {self.text[mark.start : mark.end] for mark in self.marks}
        new = [Proposal(one, archive, draft.model) for one in sentences if one.text not in there]
        first = len(self.proposals)
        return replace(self, proposals=(*self.proposals, *new), open=tuple(range(first, first + len(new))))

    def accepting(self, proposals: Iterable[int]) -> Self:
        """With open proposals taken into the text: in the order of the draft, the first below the findings."""
        document = self
        for proposal in proposals:
            if proposal in document.open:
                document = document._accept(proposal)
        return document

    def _accept(self, proposal: int) -> Self:
        words_in = self.proposals[proposal].sentence.text
        before = [mark.end for mark in self.marks if mark.proposal < proposal]
        after = [mark.start for mark in self.marks if mark.proposal > proposal]
        at = max(before) if before else min(after, default=end_of_findings(self.text))
        head, tail = self.text[:at], self.text[at:]
        if tail and not before and not after:
            tail = "\n" + tail  # a row of its own above the impression
        if head and not head[-1].isspace():
            head += " " if before or head.endswith(SENTENCE_ENDS) else "\n"
        if tail and not tail[0].isspace():
            tail = " " + tail
        start, end = len(head), len(head) + len(words_in)
        moved = len(head) + len(words_in) + len(tail) - len(self.text)
        marks = [mark if mark.end <= at else _moved(mark, moved) for mark in self.marks]
        marks = sorted([*marks, Mark(start, end, proposal)], key=lambda mark: mark.start)
        links = shifted(self.links, Change(at, at, moved))
        return replace(
            self, text=head + words_in + tail, marks=tuple(marks), open=_without(self.open, proposal), links=links
        )

    def dismissing(self, proposals: Iterable[int]) -> Self:
        """Without some of the open proposals."""
        return replace(self, open=_without(self.open, *proposals))

    def edited(self, text: str) -> Self:
        """With another text. Marks move with their words; a sentence that is removed or rewritten loses its mark.

        A machine sentence that stands there whole after it was pasted, copied or moved has its mark, or is accepted if
        it was open.
        """
        if text == self.text:
            return self
        change = change_between(self.text, text, [(mark.start, mark.end) for mark in self.marks])
        moved = [(change.moved((mark.start, mark.end)), mark.proposal) for mark in self.marks]
        spans = [(span, number) for span, number in moved if span is not None and span[0] < span[1]]
        known = {one.sentence.text: number for number, one in enumerate(self.proposals)}
        whole = [(span, known[text[slice(*span)]]) for span, _ in spans if text[slice(*span)] in known]
        edited = [one for one in spans if _like(self.proposals[one[1]].sentence.text, text[slice(*one[0])])]
        marks: list[Mark] = []
        for span, number in (*whole, *self._inserted(text, change), *edited):
            if all(span[1] <= mark.start or mark.end <= span[0] for mark in marks):
                marks.append(Mark(*span, number))
        marks.sort(key=lambda mark: mark.start)
        return replace(
            self,
            text=text,
            marks=tuple(marks),
            open=_without(self.open, *(mark.proposal for mark in marks)),
            lost=self.lost and bool(text.strip()),
            links=moved_links(self.links, self.text, text),
        )

    def _inserted(self, text: str, change: Change) -> Iterable[tuple[Span, int]]:
        """Where in a text proposals stand that a change has put there, longest first.

        Of a sentence that was moved, what it has in common with its neighbor is not in the change. Of one that was
        inserted, half is: who types the last letter of a sentence has written it.
        """
        start, end = change.inserted
        was_moved = change.end > change.start and " " in text[start:end].strip()
        for number, proposal in sorted(enumerate(self.proposals), key=lambda one: -len(one[1].sentence.text)):
            size = len(proposal.sentence.text)
            at = text.find(proposal.sentence.text, max(0, start - size)) if size else -1
            while 0 <= at < end:
                common = min(at + size, end) - max(at, start)
                if common > 0 and (was_moved or 2 * common >= size):
                    yield (at, at + size), number
                at = text.find(proposal.sentence.text, at + 1)

    def followed_by(self, other: Self) -> Self:
        """This document and another one as one, with an empty line between their texts."""
        gap = "\n\n" if self.text and other.text else ""
        first, moved = len(self.proposals), len(self.text) + len(gap)
        marks = [Mark(mark.start + moved, mark.end + moved, mark.proposal + first) for mark in other.marks]
        return replace(
            self,
            text=self.text + gap + other.text,
            marks=(*self.marks, *marks),
            proposals=(*self.proposals, *other.proposals),
            open=(*self.open, *(number + first for number in other.open)),
            lost=self.lost or other.lost,
            links=(*self.links, *shifted(other.links, Change(0, 0, moved))),
            confirmed=(*self.confirmed, *(number + first for number in other.confirmed)),
        )

    def as_dict(self) -> dict[str, Any]:
        """All but the text, for JSON; of a sentence that was removed or dismissed only the words, without evidence."""
        shown = set(self.shown)
        return {
            "marks": [[mark.start, mark.end, mark.proposal] for mark in self.marks],
            "open": list(self.open),
            "links": [link_as_dict(link) for link in self.links],
            "confirmed": list(self.confirmed),
            "proposals": [
                {
                    **sentence_as_dict(one.sentence, with_evidence=number in shown),
                    "archive": one.archive,
                    "model": one.model,
                    "taken_from": one.taken_from,
                }
                for number, one in enumerate(self.proposals)
            ],
        } | ({"lost": True} if self.lost else {})

    @classmethod
    def from_dict(cls, text: str, stored: Mapping[str, Any]) -> Self:
        """The document of a text and of what `as_dict` gave for it.

        Raises:
            ValueError, KeyError or TypeError: the marks are not of this text.
        """
        proposals = tuple(
            Proposal(sentence_from(one), one["archive"], one["model"], str(one.get("taken_from", "")))
            for one in stored["proposals"]
        )
        marks = tuple(Mark(*(int(number) for number in mark)) for mark in stored["marks"])
        links = tuple(Link.from_dict(one) for one in stored.get("links", ()))
        confirmed = tuple(int(number) for number in stored.get("confirmed", ()))
        numbers = [*(mark.proposal for mark in marks), *stored["open"], *confirmed]
        if not all(0 <= int(number) < len(proposals) for number in numbers):
            raise ValueError("a mark of no proposal")
        if not all(0 <= mark.start < mark.end <= len(text) for mark in marks) or any(
            link.end > len(text) for link in links
        ):
            raise ValueError("a mark outside the text")
        return cls(text, marks, proposals, tuple(stored["open"]), bool(stored.get("lost", False)), links, confirmed)


def provenance(document: Document) -> list[str]:
    """Whose words a text is, one line a mark, for copies and exports; empty for a text in own words."""
    if document.lost:
        return [LOST]
    lines = []
    for mark in document.marks:
        proposal, now = document.proposals[mark.proposal], document.text[mark.start : mark.end]
        how = "Accepted unchanged" if document.wording(mark) == "unchanged" else "Edited"
        lines.append(f'{how}, from {proposal.origin}: "{now}"')
    return [*lines, "Everything else: own words."] if lines else []


def _matcher(one: str, other: str) -> SequenceMatcher[str]:
    return SequenceMatcher(None, words(one), words(other), autojunk=False)


def _like(proposed: str, now: str) -> bool:
    """Whether marked words may still be called an edited proposal; words of another sentence are not."""
    return proposed == now or (bool(words(now)) and _matcher(proposed, now).ratio() >= REWRITTEN)


def _moved(mark: Mark, by: int) -> Mark:
    return replace(mark, start=mark.start + by, end=mark.end + by)


def _without(numbers: tuple[int, ...], *others: int) -> tuple[int, ...]:
    return tuple(number for number in numbers if number not in others)
