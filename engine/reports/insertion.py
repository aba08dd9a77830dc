"""Puts words with marks or links into a document at a position: measurements, images, excerpts, templates.

Knows no screen. Fields of a template take what is inserted in them in place of their placeholder.
"""

from collections.abc import Sequence
from dataclasses import replace

from engine.reports.change import Change, Span
from engine.reports.document import Document, Mark, Proposal
from engine.reports.draft import Sentence
from engine.reports.links import Link, shifted

OPENING = ("(", "[", "{", "/")
CLOSING = (".", ",", ";", ":", ")", "]", "}", "/")


def linked(document: Document, at: int, words: str, link: Link) -> tuple[Document, int]:
    """With words at a position that stand for something, and where they end.

    Args:
        document: the report.
        at: characters before the position; it is moved out of other links and of words of a case.
        words: what is inserted.
        link: what it stands for; its span is set here.
    """
    document, (start, end) = _put(document, at, words)
    new = replace(link, start=start, end=end, inserted=words)
    return replace(document, links=_ordered([*document.links, new])), end


def taken_over(
    document: Document, at: int, words: Sequence[str], source: str, case_id: int | None = None
) -> tuple[Document, int]:
    """With sentences of another report at a position, each marked with its source, and where they end.

    Args:
        document: the report.
        at: characters before the position.
        words: the sentences.
        source: in words, such as "case 7 in chest".
        case_id: the archived case that they are from.
    """
    for one in words:
        text = " ".join(one.split())
        document, (start, end) = _put(document, at, text)
        proposal = Proposal(Sentence(text, None, source=case_id), taken_from=source)
        mark = Mark(start, end, len(document.proposals))
        marks = sorted([*document.marks, mark], key=lambda other: other.start)
        document = replace(document, marks=tuple(marks), proposals=(*document.proposals, proposal))
        at = end
    return document, at


def replaced(document: Document, number: int, words: str, state: str) -> Document:
    """With other words for a link, such as those of a measurement that has changed."""
    link = document.links[number]
    now = document.edited(document.text[: link.start] + words + document.text[link.end :])
    others = [one for one in now.links if (one.kind, one.start) != (link.kind, link.start)]
    new = replace(link, end=link.start + len(words), inserted=words, state=state)
    return replace(now, links=_ordered([*others, new]))


def confirmed(document: Document, proposal: int) -> Document:
    """With the numbers and sides of a sentence confirmed for this patient."""
    return replace(document, confirmed=tuple(sorted({*document.confirmed, proposal})))


def _put(document: Document, at: int, words: str) -> tuple[Document, Span]:
    """Insert words that belong to nothing yet, set apart by spaces; an empty field loses its placeholder."""
    at = min(max(at, 0), len(document.text))
    field = next((one for one in document.links if one.start <= at <= one.end and one.is_empty(document.text)), None)
    if field is not None and field.end > field.start:
        document, at = _without(document, field), field.start
    taken = [(mark.start, mark.end) for mark in document.marks]
    taken += [(link.start, link.end) for link in document.links if link.kind != "field"]
    for start, end in taken:
        if start < at < end:
            at = end
    before, after = document.text[:at], document.text[at:]
    gap = " " if before and not before[-1].isspace() and not before.endswith(OPENING) else ""
    rest = " " if after and not after[0].isspace() and not after.startswith(CLOSING) else ""
    change = Change(at, at, len(gap) + len(words) + len(rest))
    marks = [
        replace(mark, start=span[0], end=span[1])
        for mark in document.marks
        if (span := change.moved((mark.start, mark.end))) is not None
    ]
    fields = [one for one in document.links if one.kind == "field" and one.start <= at <= one.end]
    others = shifted([one for one in document.links if one not in fields], change)
    grown = [replace(one, end=one.end + change.length - (len(rest) if one.end == at else 0)) for one in fields]
    document = replace(
        document, text=before + gap + words + rest + after, marks=tuple(marks), links=_ordered([*others, *grown])
    )
    start = at + len(gap)
    return document, (start, start + len(words))


def _without(document: Document, field: Link) -> Document:
    """With a field emptied of its placeholder."""
    now = document.edited(document.text[: field.start] + document.text[field.end :])
    others = [one for one in now.links if (one.kind, one.start) != ("field", field.start)]
    return replace(now, links=_ordered([*others, replace(field, end=field.start)]))


def _ordered(links: Sequence[Link]) -> tuple[Link, ...]:
    return tuple(sorted(links, key=lambda link: (link.start, link.end)))
