"""Understands a typed query as far as rules can: facts, findings that must be absent, and the rest to embed.

Models of images and texts hardly see a negation, so that "no pneumothorax" would find pneumothorax. Does not know
models, and ranks nothing.
"""

import re
from dataclasses import dataclass

from engine.facts.fact import Facts, first_of, value_of
from engine.facts.from_words import facts_of_words
from engine.text.conflicts import CLAUSE_END, NEGATED_BEFORE, NEGATION
from engine.text.findings import findings, together

NOT_NEGATED = re.compile(
    r"\bwith (?:and|or) without\b|\b(?:cannot|can't|(?:can |could |does )?not) (?:be )?(?:excluded?|ruled? out)\b",
    re.IGNORECASE,
)
"""Words of a negation that negate nothing."""
TYPED = 15
"""Words of a query that is typed; a longer one is a report, which is embedded as it is and excludes nothing."""
WITHOUT_CONTRAST = re.compile(r"\b(?:without|no) (?:iv |i\.v\. |intravenous )?contrast\b", re.IGNORECASE)
SCOPE_END = re.compile(r",?\s+(?:with|and with|and (?:an?|left|right|bilateral)|showing)\s+", re.IGNORECASE)
"""Where a negation in a query ends besides the end of a clause: "no effusion with cardiomegaly"."""


@dataclass(frozen=True, slots=True)
class QueryWords:
    """What a query asks for."""

    text: str
    """To embed: without what is negated; "normal chest" for a query that only negates."""
    facts: Facts
    """Modality, region, side, view and contrast that it names."""
    negated: frozenset[str] = frozenset()
    """Findings that a report must not affirm, as `engine.text.findings` names them."""


def understand(text: str) -> QueryWords:
    """What a typed query says by the rules of this module."""
    plain = " ".join(text.split())
    if plain.count(" ") >= TYPED:
        return QueryWords(plain, facts_of_words(plain))
    affirmed, negated = _parts(WITHOUT_CONTRAST.sub("unenhanced", NOT_NEGATED.sub(" ", plain)))
    said = together([*(findings(f"no {part}") for part in negated), *map(findings, affirmed)])
    facts = facts_of_words(". ".join(affirmed))
    implied = facts_of_words(". ".join(negated)).get("region")
    if "region" not in facts and implied is not None:
        facts = {**facts, "region": implied}
    if not negated:
        return QueryWords(plain, facts)
    rest = ", ".join(affirmed) or f"normal {value_of(facts, 'region')}".strip()
    return QueryWords(rest, facts, said.negated)


def facts_of_query(given: Facts, text: str | None) -> Facts:
    """The facts of a query: those given for its image, and those that its text says where these trust less.

    Args:
        given: by the user, the header and the models.
        text: of the query.
    """
    trusted = {kind: fact for kind, fact in given.items() if fact.source != "models"}
    return first_of(trusted, understand(text).facts if text else {}, given)


def _parts(text: str) -> tuple[list[str], list[str]]:
    """The phrases of a query that are affirmed, and those that are negated, in order."""
    affirmed: list[str] = []
    negated: list[str] = []
    for clause in CLAUSE_END.split(text):
        before = NEGATED_BEFORE.search(clause.lower())
        if before is not None and not NEGATION.search(clause.lower()[: before.start()]):
            negated.append(clause[: before.start()])
            clause = clause[before.end() :]
        while (cue := NEGATION.search(clause.lower())) is not None:
            affirmed.append(clause[: cue.start()])
            scope, *rest = SCOPE_END.split(clause[cue.end() :], maxsplit=1)
            negated.append(scope)
            clause = rest[0] if rest else ""
        affirmed.append(clause)
    return [one for one in map(_trimmed, affirmed) if one], [one for one in map(_trimmed, negated) if one]


def _trimmed(phrase: str) -> str:
    """A phrase without the punctuation and the joining words at its ends."""
    return re.sub(r"^(?:and|or|with)\s+|\s+(?:and|or|with|is|are)$", "", phrase.strip(" ,;.()")).strip(" ,;.()")
