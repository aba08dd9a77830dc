"""Draft settings of a bundle: what a draft starts from, and the calibration of the captioner's confidence.

Does not know models or texts. The geometric mean of token probabilities measures how certain the captioner was of its
wording, not how often it is right. Where the bundle contains a logistic curve fitted on held-out pairs (Platt 1999),
confidence is the estimated share of such sentences that are right.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from engine.errors import UserError
from engine.text.sentences import MIN_PROBABILITY

Start = Literal["captioner", "nearest-report"]


@dataclass(frozen=True, slots=True)
class DraftSettings:
    """The entry `draft` of a manifest; without it drafts start from the captioner, which never abstains."""

    start: Start = "captioner"
    """What a draft starts from."""
    slope: float | None = None
    """Of the logistic curve over the mean log-probability of a sentence's tokens; None when not calibrated."""
    intercept: float | None = None
    abstain_below: float | None = None
    """Minimum mean confidence of the captioner's sentences for showing them; None for no minimum."""

    @classmethod
    def from_manifest(cls, content: Mapping[str, Any]) -> Self:
        """Read the entry `draft` of a manifest; every part is optional.

        Raises:
            UserError: a part is invalid.
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
                f"The 'draft' entry of the bundle's manifest is invalid ({error}); export the bundle again."
            ) from error

    @property
    def calibrated(self) -> bool:
        """Whether `confidence` estimates how often a sentence is right."""
        return self.slope is not None

    def confidence(self, probability: float) -> float:
        """Confidence for the geometric mean of a sentence's token probabilities, both 0 to 1."""
        if self.slope is None or self.intercept is None:
            return probability
        return 1 / (1 + math.exp(-(self.slope * math.log(max(probability, MIN_PROBABILITY)) + self.intercept)))

    def abstains(self, confidences: Sequence[float]) -> bool:
        """Whether sentences with these confidences are too uncertain to show."""
        if self.abstain_below is None or not confidences:
            return False
        return sum(confidences) / len(confidences) < self.abstain_below
