"""What a bundle says about ranking beside its score scale: what agreeing facts weigh, and which images are the same.

Knows no archive and no query. The constants hold for bundles without an entry of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from engine.facts.fact import KINDS, FactKind

NEAR_IDENTICAL = 0.98
"""Of the pairs of val images with at least this cosine, all 33 are of one case (pairs, IU, ROCO, VQA-Med; starter
bundle, `python -m benchmarks.ranking`); at 0.97 it is 70 %, since chest radiographs of different people come close."""


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


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """The constants of one bundle, from the entry "ranking" and "facts" of its manifest."""

    near_identical: float = NEAR_IDENTICAL
    """Cosine from which two images count as the same one."""
    fact_weights: Mapping[FactKind, FactWeight] = field(default_factory=lambda: FACT_WEIGHTS)

    @classmethod
    def from_manifest(cls, content: Mapping[str, Any]) -> Self:
        """From {"facts": {"weights": {kind: {"agree", "disagree"}}}, "near_identical": {"threshold"}}."""
        weights = content.get("facts", {}).get("weights", {})
        measured = {kind: FactWeight(**weights[kind]) for kind in KINDS if kind in weights}
        threshold = content.get("near_identical", {}).get("threshold", NEAR_IDENTICAL)
        return cls(float(threshold), {**FACT_WEIGHTS, **measured})
