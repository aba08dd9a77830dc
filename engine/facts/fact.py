"""A fact of a query or a case, as a value: what kind, what it says, and who says so. Knows no headers and no models."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

FactKind = Literal["modality", "region", "laterality", "view", "contrast"]
FactSource = Literal["header", "words", "models", "user"]

KINDS: tuple[FactKind, ...] = get_args(FactKind)
MODALITIES = ("CT", "MR", "CR", "US", "MG", "NM", "PT", "XA", "ES", "OT")
"""Kinds of examination by the code that stands for each (0008,0060): CR for every radiograph, XA for angiography and
fluoroscopy, ES for every photograph of the patient, OT for what is no image of a patient."""
REGIONS = ("head", "neck", "chest", "abdomen", "pelvis", "spine", "limb", "breast")
LATERALITIES = ("left", "right", "both")
VIEWS = ("frontal", "lateral", "axial", "coronal", "sagittal")
CONTRASTS = ("with", "without")
VALUES: Mapping[FactKind, tuple[str, ...]] = {
    "modality": MODALITIES,
    "region": REGIONS,
    "laterality": LATERALITIES,
    "view": VIEWS,
    "contrast": CONTRASTS,
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. What is not known has no fact."""

    value: str
    """One of VALUES of its kind."""
    source: FactSource
    probability: float = 1.0
    """Calibrated, for a fact that the models say; 1 for every other."""

    @property
    def text(self) -> str:
        """For a chip: a value that only the models say carries a question mark."""
        return f"{self.value}?" if self.source == "models" else self.value

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


Facts = Mapping[FactKind, Fact]
"""At most one fact of each kind."""
NO_FACTS: Facts = {}


def first_of(*sources: Facts) -> Facts:
    """The facts of the first source that has each kind; the sources stand in order of trust."""
    return {kind: facts[kind] for kind in KINDS for facts in reversed(sources) if kind in facts}


def corrected(facts: Facts, corrections: Mapping[FactKind, str]) -> Facts:
    """Facts with those that the user set instead; "" removes a kind."""
    kept = {kind: fact for kind, fact in facts.items() if kind not in corrections}
    kept |= {kind: Fact(value, "user") for kind, value in corrections.items() if value}
    return {kind: kept[kind] for kind in KINDS if kind in kept}


def agreed(many: Iterable[Facts], marked: bool = False) -> Facts:
    """The facts of several images of one case in which all that have them agree.

    With `marked`, a kind in which they contradict each other has the value "", which no image has.
    """
    found: dict[FactKind, Fact] = {}
    contradicted: set[FactKind] = set()
    for facts in many:
        contradicted |= {kind for kind, fact in facts.items() if found.setdefault(kind, fact).value != fact.value}
    agreeing = {kind: fact for kind, fact in found.items() if kind not in contradicted}
    return agreeing | {kind: Fact("", found[kind].source) for kind in contradicted if marked}


def conflict(one: Facts, other: Facts) -> FactKind | None:
    """The first kind whose values contradict each other, or None. "both" sides contradict neither side."""
    for kind in KINDS:
        if kind in one and kind in other:
            values = {one[kind].value, other[kind].value}
            if len(values) == 2 and "both" not in values:
                return kind
    return None


def value_of(facts: Facts, kind: FactKind) -> str:
    """What the facts say of one kind, "" for nothing."""
    fact = facts.get(kind)
    return "" if fact is None else fact.value


def values_of(facts: Facts) -> dict[FactKind, str]:
    """What the facts say, by kind, without who says so."""
    return {kind: fact.value for kind, fact in facts.items()}


def as_dict(facts: Facts) -> dict[str, Any]:
    """For JSON, by kind."""
    return {kind: fact.as_dict() for kind, fact in facts.items()}
