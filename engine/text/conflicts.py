"""Whether two report sentences contradict each other in negation, side, region or examination. Knows no similarity.

A rule of words after NegEx (Chapman et al. 2001): a cue negates what follows it until the clause ends, or, as in "not
seen", what stands before it. It errs towards conflict, since a false support misleads and a missing one only leaves a
sentence marked as unsupported.
"""

import re
from dataclasses import dataclass

from engine.text.body_regions import PART_OF, apart, parts_of
from engine.text.not_in_image import examinations
from engine.text.words import STOP, singular, words

NEGATION = re.compile(
    r"\b(?:no longer|no|not|without|absent|absence of|free of|negative for|denies|denied|excludes?|excluded|ruled out|"
    r"rules out|never|neither|nor|cannot|none|nonspecific for|lack of|lacks)\b"
)
NEGATED_BEFORE = re.compile(
    r"\b(?:(?:cannot|not|no longer|never) (?:be |been |clearly |definitely )*(?:recogni[sz]able|recogni[sz]ed|seen|"
    r"visible|visuali[sz]ed|identified|identifiable|present|detected|detectable|evident|demonstrated|appreciated|observed|"
    r"noted|found|shown|delineated)|(?:is|are|was|were) (?:absent|excluded|ruled out)|(?:has |have )?resolved)\b"
)
CLAUSE_END = re.compile(r"\b(?:but|however|although|though|except|apart from|besides|yet|while|whereas)\b|[.;:]")
NORMAL = re.compile(r"\b(?:normal|unremarkable|clear|intact|within normal limits|healthy|negative)\b")
SIDES = {
    **dict.fromkeys(["left", "lt", "sinistral"], "left"),
    **dict.fromkeys(["right", "rt", "dextral"], "right"),
    **dict.fromkeys(["bilateral", "bilaterally", "both"], "both"),
}
NEUTRAL = STOP | set(
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
    """What a sentence says: affirmed and negated words, sides, body parts, and whether it calls things normal."""

    affirmed: frozenset[str]
    negated: frozenset[str]
    sides: frozenset[str]
    parts: frozenset[str]
    normal: bool


def claims(sentence: str) -> Claims:
    """Read a sentence by the rules of this module."""
    lower = sentence.lower()
    affirmed: set[str] = set()
    negated: set[str] = set()
    normal = False
    for clause in CLAUSE_END.split(re.sub(r"(?<=\d)\.(?=\d)", "", lower)):
        denied = NEGATED_BEFORE.search(clause)
        if denied is not None and not NEGATION.search(clause[: denied.start()]):
            negated |= _terms(clause[: denied.start()])
            clause = clause[denied.end() :]
        cue = NEGATION.search(clause)
        before, after = (clause, "") if cue is None else (clause[: cue.start()], clause[cue.end() :])
        affirmed |= _terms(before)
        negated |= _terms(after)
        normal = normal or bool(NORMAL.search(before)) or (cue is not None and "abnormal" in after)
    found = words(lower)
    sides = frozenset(SIDES[word] for word in found if word in SIDES)
    if sides == {"left", "right"} or "both" in sides:
        sides = frozenset({"both"})
    return Claims(frozenset(affirmed), frozenset(negated), sides, parts_of(lower), normal)


def conflict(one: str, other: str) -> str | None:
    """What two sentences contradict each other in; None when in nothing.

    Returns:
        "negation", "laterality", "body part" or "examination" (each names one, and not the same).
    """
    a, b = claims(one), claims(other)
    if a.affirmed & b.negated - b.affirmed or b.affirmed & a.negated - a.affirmed:
        return "negation"
    if a.normal != b.normal and not _only_denies(b if a.normal else a):
        return "negation"
    if a.sides and b.sides and a.sides != b.sides:
        return "laterality"
    if apart(one, other):
        return "body part"
    named, asked = examinations(one), examinations(other)
    if named and asked and not named & asked:
        return "examination"
    return None


def contradiction(one: str, other: str) -> str | None:
    """The conflict of two sentences about one thing: they share a finding, or one calls its body part normal.

    Two sentences that merely differ in what they are about are in conflict as evidence, but dispute nothing.
    """
    kind = conflict(one, other)
    if kind not in ("negation", "laterality"):
        return None
    a, b = claims(one), claims(other)
    same_finding = bool((a.affirmed | a.negated) & (b.affirmed | b.negated))
    return kind if same_finding or (kind == "negation" and a.normal != b.normal and a.parts & b.parts) else None


def _only_denies(claim: Claims) -> bool:
    """It affirms nothing, as in "No acute abnormality": that goes with a normal finding."""
    return bool(claim.negated) and not claim.affirmed


def _terms(text: str) -> set[str]:
    """Words that may name a finding: stems of what is neither grammar, technique, side nor body part."""
    return {
        singular(word)
        for word in words(text)
        if len(word) > 2 and not word.isdigit() and word not in NEUTRAL and word not in PART_OF and word not in SIDES
    }
