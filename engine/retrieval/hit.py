"""One search result and why it was found, as values. Knows no archive and no ranking."""

from dataclasses import dataclass, field, fields
from typing import Any

from engine.facts.fact import Facts, as_dict, value_of
from engine.store.case import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One case, represented by its best match."""

    case_id: int
    kind: Kind
    """Whether an image or the report of the case matched best."""
    score: float
    """Calibrated z-score (vector), BM25 (lexical) or sum of reciprocal ranks (hybrid). Higher is better; comparable
    within one search only."""
    cosine: float | None
    """Raw cosine with the (composed) query vector; None when only words matched."""
    text: str
    """The report of the case, or its description when there is none."""
    why: str
    """Why the case was found, for the reader."""
    modality: str
    sex: str
    age: int | None
    """Years."""
    image_id: int | None
    """The matching image, else the first of the case; None for a case without images."""
    prior: bool = False
    """The case belongs to the patient of the open study."""
    facts: Facts = field(default_factory=dict)
    """What is known of the case, and who says so."""
    frame: int | None = None
    """Which frame of the query the case is nearest to, from 0, when a series is asked as a whole; else None."""

    same: bool = False
    """The picture or the words are those of the query."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "region": value_of(self.facts, "region"), "facts": as_dict(self.facts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """What is known of why a case was found."""

    kind: Kind
    by_image: bool
    """The query has an image, and vectors were compared."""
    by_text: bool
    """The query has text, and vectors were compared."""
    shared_words: tuple[str, ...] = ()
    """Words of the query that the report contains too, after a match by vectors."""
    found_words: tuple[str, ...] = ()
    """Words of the report that the full-text index matched."""
    prior: bool = False
    same: bool = False
    """The matching image is the same picture as that of the query, or the report has its words and no others."""
    others: tuple[str, ...] = ()
    """What else speaks for or against the case."""

    def sentence(self) -> str:
        """Why the case was found, in a few words."""
        parts = []
        if self.by_image or self.by_text:
            parts.append(SAME[self.kind] if self.same else MATCHES[self.kind, self.by_image, self.by_text])
        if self.found_words:
            parts.append(f"report contains: {', '.join(self.found_words)}")
        elif self.shared_words and not self.same:
            parts.append(f"shared words: {', '.join(self.shared_words)}")
        parts += self.others
        if self.prior:
            parts.append("prior of the same patient")
        text = "; ".join(parts)
        return text[:1].upper() + text[1:]


MATCHES: dict[tuple[Kind, bool, bool], str] = {
    ("image", True, False): "similar image",
    ("image", False, True): "image matched by text",
    ("image", True, True): "image matched by image and text",
    ("report", True, False): "matched by wording",
    ("report", False, True): "similar wording",
    ("report", True, True): "wording matched by image and text",
}
"""By kind of match, and whether the query has an image and a text."""
SAME: dict[Kind, str] = {"image": "same image", "report": "same wording"}
