"""What agreeing and disagreeing facts weigh in a ranking, as a bundle says it. Knows no archive and no query."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from engine.facts.fact import KINDS, FactKind


@dataclass(frozen=True, slots=True)
class FactWeight:
    """What one kind of fact adds to the score of a case, in z; what is unknown adds nothing."""

    agree: float
    disagree: float
    """Below zero."""


FACT_WEIGHTS: Mapping[FactKind, FactWeight] = {
    "modality": FactWeight(1.0, -1.5),
    "region": FactWeight(1.85, -1.85),
    "laterality": FactWeight(0.3, -0.5),
    "view": FactWeight(0.3, -0.3),
    "contrast": FactWeight(0.1, -0.1),
}
"""Modality and region: log-odds of being relevant over the slope of z, between those of MedPix, ROCO and VQA-Med val
(`python -m benchmarks.ranking --only facts`); the others are not measured, and only break ties."""


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """The ranking constants of one bundle."""

    fact_weights: Mapping[FactKind, FactWeight] = field(default_factory=lambda: FACT_WEIGHTS)

    @classmethod
    def from_manifest(cls, content: Mapping[str, Any]) -> Self:
        """From {"facts": {"weights": {kind: {"agree", "disagree"}}}}; FACT_WEIGHTS where it says nothing."""
        weights = content.get("facts", {}).get("weights", {})
        measured = {kind: FactWeight(**weights[kind]) for kind in KINDS if kind in weights}
        return cls({**FACT_WEIGHTS, **measured})
