"""Checks sides: against the header, between findings and impression, and where anatomy has one side only.

Rules over words. A side counts only where a sentence affirms one and no other. Does not know the image.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.facts.from_words import NO_SIDE
from engine.reports.checks.check import Check, Known, Line
from engine.text.findings import findings

PAIRED = frozenset(("limb", "breast"))
"""Regions whose images have one side; what a header says of a chest or an abdomen is the side it lay on."""
OTHER_SIDE = re.compile(
    r"\b(?:contralateral|opposite|other side|compar\w+|versus|vs|than|asymmetr\w+|symmetr\w+|lateral to|shift\w*|"
    r"deviat\w+|displac\w+|crosses|towards?)\b",
    re.IGNORECASE,
)
"""In a sentence that may name the other side rightly."""
SIDE = re.compile(r"\b(left|right|lt|rt)(?:-sided)?\b", re.IGNORECASE)
SAME = {"lt": "left", "rt": "right"}
ONE_SIDE = (
    (
        re.compile(r"\bleft middle lobe\b", re.IGNORECASE),
        "The left lung has no middle lobe.",
    ),
    (re.compile(r"\bright (?:upper lobe )?lingula(?:r)?\b", re.IGNORECASE), "The lingula is on the left."),
)
RELATED = (
    frozenset(("opacity", "consolidation", "pneumonia", "atelectasis", "low volume")),
    frozenset(("nodule", "mass", "granuloma", "calcification", "metastasis")),
    frozenset(("effusion", "blunted angle", "thickening")),
    frozenset(("fracture", "dislocation")),
    frozenset(("cyst", "mass", "hypodensity")),
    frozenset(("stone", "hydronephrosis", "obstruction")),
    frozenset(("hemorrhage", "collection")),
    frozenset(("infarction", "hypodensity", "restricted diffusion")),
)
"""Findings that an impression may call by another name."""


@dataclass(frozen=True, slots=True)
class Said:
    """The one side of what a sentence affirms."""

    line: Line
    side: str
    findings: frozenset[str]
    organs: frozenset[str]


def side_checks(lines: Sequence[Line], known: Known) -> Iterable[Check]:
    """Every side that cannot be right by the rules of this module."""
    yield from _header(lines, known)
    said = [one for line in lines if (one := _said(line)) is not None]
    yield from _impression(said)
    yield from _impossible(lines)


def _header(lines: Sequence[Line], known: Known) -> Iterable[Check]:
    if not known.side or not known.regions or not known.regions <= PAIRED:
        return
    for line in lines:
        sides = _sides(line.text)
        if sides and known.side not in sides and not OTHER_SIDE.search(line.text):
            found = SIDE.search(line.text)
            if found is not None:
                message = f'The text says "{found[1].lower()}", the header of the images "{known.side}".'
                yield Check("header side", line.span_of(found), message)


def _impression(said: Sequence[Said]) -> Iterable[Check]:
    """A side in the impression that the findings give to nothing of the kind."""
    body = [one for one in said if not one.line.impression and not one.line.background]
    for one in (one for one in said if one.line.impression):
        sides = _sides_before(one, body)
        if sides and one.side not in sides and "both" not in sides and one.side != "both":
            found = SIDE.search(one.line.text)
            if found is not None:
                other = " or ".join(sorted(sides))
                name = next(iter(sorted(one.findings)))
                message = f'The impression says "{one.side}" of the {name}, the findings "{other}".'
                yield Check("text side", one.line.span_of(found), message)


def _sides_before(one: Said, body: Sequence[Said]) -> set[str]:
    """The sides of the same finding in the findings, else of one that may be meant."""
    same = {other.side for other in body if other.findings & one.findings}
    if same:
        return same
    meant = frozenset[str]().union(*(group for group in RELATED if group & one.findings))
    return {other.side for other in body if other.findings & meant}


def _impossible(lines: Sequence[Line]) -> Iterable[Check]:
    for line in lines:
        for pattern, message in ONE_SIDE:
            for found in pattern.finditer(line.text):
                yield Check("text side", line.span_of(found), message)


def _sides(text: str) -> set[str]:
    """The sides that a sentence names, chambers of the heart aside."""
    return {SAME.get(side.lower(), side.lower()) for side in SIDE.findall(NO_SIDE.sub(" ", text.lower()))}


def _said(line: Line) -> Said | None:
    """What a sentence affirms of one side; None when it affirms no finding, or names no side or several."""
    plain = NO_SIDE.sub(" ", line.text.lower())
    found = findings(plain)
    if not found.abnormal or len(found.sides) != 1:
        return None
    (side,) = found.sides
    return Said(line, side, found.abnormal, found.organs)
