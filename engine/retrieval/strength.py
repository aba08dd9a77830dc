"""Says in a word and a number from 0 to 1 how strong a hit is, on one scale for images and reports. A pure function.

The score of a search by vectors is a z-score among unrelated pairs of its kind plus the log-odds of the facts that
agree, so one scale serves hits of both kinds. Scores of words and of fused rankings have no such scale: they are shown
beside the best of their list.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.retrieval.hit import Hit

MODERATE, STRONG = 2.33, 4.0
"""Scores from which a hit is moderate and strong; 99 % of unrelated pairs are below the first."""
FULL = 6.0
"""The score of a full bar."""


@dataclass(frozen=True, slots=True)
class Strength:
    """How strong a hit is."""

    fill: float
    """Of a bar, 0 to 1."""
    word: str
    """"Same", "Strong", "Moderate" or "Weak"; "" for a hit by words."""


def strengths(hits: Sequence[Hit], fused: bool = False) -> list[Strength]:
    """The strength of each hit of one list; `fused` says that ranks were fused, so that scores have no scale."""
    best = max((hit.score for hit in hits), default=0.0)
    return [_strength(hit, best, fused) for hit in hits]


def _strength(hit: Hit, best: float, fused: bool) -> Strength:
    if hit.same:
        return Strength(1.0, "Same")
    if fused or hit.cosine is None:
        return Strength(hit.score / best if best > 0 else 0.0, "")
    word = "Strong" if hit.score >= STRONG else "Moderate" if hit.score >= MODERATE else "Weak"
    return Strength(min(1.0, max(0.0, hit.score / FULL)), word)
