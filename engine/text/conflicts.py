"""Finds conflicts between two report sentences in negation, side, body part or examination. Does not know similarity.

Rules over words after NegEx (Chapman et al. 2001): a cue negates what follows it up to the end of the clause or, as in
"not seen", what precedes it. A negation ends earlier where a new statement begins. The rules err towards conflict:
false evidence misleads, while missing evidence only leaves a sentence marked as unsupported.
"""

import re
from dataclasses import dataclass

from engine.text.body_regions import PART_OF, exclude_each_other, parts_of
from engine.text.not_in_image import examinations
from engine.text.words import STOP_WORDS, singular, words

NEGATION = re.compile(
    r"\b(?:no longer|no|not|without|absent|absence of|free of|clear of|negative for|denies|denied|excludes?|excluded|"
    r"ruled out|rules out|never|neither|nor|cannot|none|nonspecific for|lack of|lacks)\b"
)
NEGATED_BEFORE = re.compile(
    r"\b(?:(?:cannot|not|no longer|never) (?:be |been |clearly |definitely )*(?:recogni[sz]able|recogni[sz]ed|seen|"
    r"visible|visuali[sz]ed|identified|identifiable|present|detected|detectable|evident|demonstrated|appreciated|observed|"
    r"noted|found|shown|delineated)|(?:is|are|was|were) (?:absent|excluded|ruled out)|(?:has |have )?resolved)\b"
)
CLAUSE_END = re.compile(r"\b(?:but|however|although|though|except|apart from|besides|yet|while|whereas)\b|[.;:]")
STATEMENT = (
    r"(?:an?|the|there|left|right|bilateral|mild\w*|moderate\w*|severe\w*|marked\w*|small|tiny|minimal\w*|slight\w*|"
    r"stable|unchanged|chronic|old|known|normal|clear)\b"
)
SCOPE_END = re.compile(
    rf"(?<!consistent)(?<!compatible)(?<!compared)(?<!associated)(?<!keeping)\s+with\s+(?={STATEMENT})|"
    rf"(?<!left)(?<!right)\s+and\s+(?={STATEMENT})|"
    rf"\s*,\s*(?:and\s+)?(?={STATEMENT}|(?:heart|lungs)\b)(?!.*\b(?:or|nor)\b)"
)
"""Where a negation ends before the end of its clause: "no effusion and mild cardiomegaly". A list goes on, as in "no
effusion, pneumothorax" and "no effusion, small mass or fracture"."""
LAST_ITEM = re.compile(r",(?!.*(?:,|\b(?:and|or|nor)\b))")
"""The comma before the one thing that is "not seen": "mild cardiomegaly, effusion is not seen"."""
NORMAL = re.compile(r"\b(?:normal|unremarkable|clear|intact|within normal limits|healthy|negative)\b")
SIDES = {
    **dict.fromkeys(["left", "lt", "sinistral"], "left"),
    **dict.fromkeys(["right", "rt", "dextral"], "right"),
    **dict.fromkeys(["bilateral", "bilaterally", "both"], "both"),
}
NOT_FINDINGS = STOP_WORDS | set(
    re.findall(
        r"\w+",
        "image images scan radiograph radiographs ray xray film ct mr mri ultrasound ultrasonography tomography "
        "computed magnetic resonance view views axial coronal sagittal contrast enhanced weighted t1 t2 flair arrow "
        "arrows seen shows showing show demonstrates demonstrating demonstrated revealed "
        "reveals revealing evidence sign signs visible recognizable identified noted present again demonstrate reveal "
        "detected evident observed imaging notes finding findings patient after before follow up upper lower lobe "
        "lobes side sided region area areas acute any right left bilateral both male female year old man woman "
        "anterior posterior lateral medial",
    )
)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a sentence affirms and negates, and where."""

    affirmed: frozenset[str]
    """Stems of words that may name a finding."""
    negated: frozenset[str]
    """Stems of words within the scope of a negation."""
    sides: frozenset[str]
    """Any of "left", "right" and "both"."""
    parts: frozenset[str]
    """Body parts; see `body_regions.parts_of`."""
    normal: bool
    """Whether it calls something normal."""


def claims(sentence: str) -> Claims:
    """Parse a sentence by the rules of this module."""
    lower = sentence.lower()
    affirmed: set[str] = set()
    negated: set[str] = set()
    normal = False
    for text, is_negated in clauses(lower):
        (negated if is_negated else affirmed).update(_finding_terms(text))
        normal = normal or ("abnormal" in text if is_negated else bool(NORMAL.search(text)))
    found = words(lower)
    sides = frozenset(SIDES[word] for word in found if word in SIDES)
    if sides == {"left", "right"} or "both" in sides:
        sides = frozenset({"both"})
    return Claims(frozenset(affirmed), frozenset(negated), sides, parts_of(lower), normal)


def clauses(lower: str) -> list[tuple[str, bool]]:
    """The clauses of a lower-case sentence, each split into what it says and what it negates, as (text, negated)."""
    found: list[tuple[str, bool]] = []
    for clause in CLAUSE_END.split(re.sub(r"(?<=\d)\.(?=\d)", "", lower)):
        negated_before = NEGATED_BEFORE.search(clause)
        if negated_before is not None and not NEGATION.search(clause[: negated_before.start()]):
            *said, scope = LAST_ITEM.split(clause[: negated_before.start()])
            if not _finding_terms(scope):  # "which is not seen"
                said, scope = [], clause[: negated_before.start()]
            found += [*((text, False) for text in said), (scope, True)]
            clause = clause[negated_before.end() :]
        while (cue := NEGATION.search(clause)) is not None:
            scope, *rest = SCOPE_END.split(clause[cue.end() :], maxsplit=1)
            found += [(clause[: cue.start()], False), (scope, True)]
            clause = rest[0] if rest else ""
        found.append((clause, False))
    return [(text, is_negated) for text, is_negated in found if text.strip()]


def conflict(one: str, other: str) -> str | None:
    """What two sentences conflict in, or None.

    Returns:
        "negation", "laterality", "body part" or "examination" (both name one, and they differ).
    """
    a, b = claims(one), claims(other)
    if a.affirmed & b.negated - b.affirmed or b.affirmed & a.negated - a.affirmed:
        return "negation"
    if a.normal != b.normal and not _only_negates(b if a.normal else a):
        return "negation"
    if a.sides and b.sides and a.sides != b.sides:
        return "laterality"
    if exclude_each_other(one, other):
        return "body part"
    named, asked = examinations(one), examinations(other)
    if named and asked and not named & asked:
        return "examination"
    return None


def _only_negates(claim: Claims) -> bool:
    """Whether it affirms nothing, as in "No acute abnormality", which agrees with a normal finding."""
    return bool(claim.negated) and not claim.affirmed


def _finding_terms(text: str) -> set[str]:
    """Stems of the words that may name a finding: not grammar, technique, sides or body parts."""
    return {
        singular(word)
        for word in words(text)
        if len(word) > 2 and not word.isdigit() and not (word in NOT_FINDINGS or word in PART_OF or word in SIDES)
    }
