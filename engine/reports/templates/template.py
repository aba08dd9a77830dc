"""A template of a report as a value, and how it is put into a document. Knows no files and no HTML."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.reports.document import Document
from engine.reports.links import FieldType, Link, Rule


@dataclass(frozen=True, slots=True)
class Field:
    """A place of a template to be filled."""

    name: str
    type: FieldType = "text"
    rule: Rule = "free"
    value: str = ""
    """What it begins with; "" for an empty field."""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """Text and fields in order."""

    name: str
    parts: tuple[str | Field, ...]
    modality: str = ""
    """Kind of examination as in `engine.facts.fact.MODALITIES`; "" for any."""
    region: str = ""
    """Body region as in `engine.facts.fact.REGIONS`; "" for any."""
    own: bool = False
    """Whether it is the user's own."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields in order."""
        return tuple(part for part in self.parts if isinstance(part, Field))

    @property
    def text(self) -> str:
        """As it looks before anything is filled in."""
        return with_parts(Document(), 0, self.parts, {}).text


def with_template(document: Document, template: Template, values: Mapping[str, str]) -> Document:
    """With a template below the text, its fields filled by name as far as values are known.

    Args:
        document: the report; one without text takes only the template.
        template: what is put in.
        values: by lower-case name of a field; what the template itself begins with goes first.
    """
    if not document.text.strip():
        cleared = document.edited("")
        return with_parts(cleared, 0, template.parts, values)
    text = document.text.rstrip("\n")
    document = replace(document, text=text + "\n\n")
    return with_parts(document, len(document.text), template.parts, values)


def with_parts(document: Document, at: int, parts: tuple[str | Field, ...], values: Mapping[str, str]) -> Document:
    """With text and fields put in at a position; links and marks behind it move."""
    words, links = "", []
    for part in parts:
        if isinstance(part, str):
            words += part
            continue
        value = part.value or values.get(part.name.lower(), "")
        link = Link(0, 0, "field", part.name, rule=part.rule, type=part.type, choices=part.choices)
        shown = value or link.placeholder
        links.append(replace(link, start=at + len(words), end=at + len(words) + len(shown), inserted=shown))
        words += shown
    by = len(words)
    marks = [
        replace(mark, start=mark.start + by, end=mark.end + by) if mark.start >= at else mark for mark in document.marks
    ]
    kept = [
        replace(link, start=link.start + by, end=link.end + by) if link.start >= at else link for link in document.links
    ]
    return replace(
        document,
        text=document.text[:at] + words + document.text[at:],
        marks=tuple(marks),
        links=tuple(sorted([*kept, *links], key=lambda link: (link.start, link.end))),
    )
