"""How a bundle wants its drafts begun, and what its decoder's confidence is worth. Knows no models and no texts.

The geometric mean of token probabilities says how sure a decoder was of its words, not how often it is right; where
the bundle carries the two constants of a logistic curve measured on held-out pairs (Platt 1999), confidence is the
estimated share of such sentences that are right.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from engine.errors import UserError

Start = Literal["captioner", "nearest-report"]
LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class DraftSettings:
    """`draft` of a manifest; a bundle without it begins with the captioner and never abstains.

    start: who writes the draft. slope, intercept: of the logistic curve over the mean log-probability of a sentence's
    tokens; None when it was not measured. abstain_below: least mean confidence of a description that is shown.
    """

    start: Start = "captioner"
    slope: float | None = None
    intercept: float | None = None
    abstain_below: float | None = None

    @classmethod
    def from_manifest(cls, content: Mapping[str, Any]) -> Self:
        """Read the manifest's `draft`; every part may be absent.

        Raises:
            UserError: a part is there and makes no sense.
        """
        draft = content.get("draft") or {}
        try:
            start = draft.get("start", "captioner")
            curve = draft.get("confidence") or {}
            slope, intercept = (None if curve.get(key) is None else float(curve[key]) for key in ("slope", "intercept"))
            least = draft.get("abstain_below")
            if start not in ("captioner", "nearest-report") or (slope is None) != (intercept is None):
                raise ValueError(draft)
            return cls(start, slope, intercept, None if least is None else float(least))
        except (AttributeError, TypeError, ValueError) as error:
            raise UserError(
                f"The bundle's manifest has an unusable 'draft' entry ({error}); export it again."
            ) from error

    @property
    def calibrated(self) -> bool:
        """Whether `confidence` estimates how often a sentence is right."""
        return self.slope is not None

    def confidence(self, probability: float) -> float:
        """Geometric mean of token probabilities -> confidence, both 0 to 1."""
        if self.slope is None or self.intercept is None:
            return probability
        return 1 / (1 + math.exp(-(self.slope * math.log(max(probability, LEAST)) + self.intercept)))

    def abstains(self, confidences: Sequence[float]) -> bool:
        """Whether a description of these confidences is too unsure to be shown."""
        if self.abstain_below is None or not confidences:
            return False
        return sum(confidences) / len(confidences) < self.abstain_below
