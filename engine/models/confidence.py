"""Draft settings of a bundle: when there is a draft, and the calibration of the captioner's confidence.

Does not know models or texts. `python -m benchmarks.drafts` measures when a draft is right and prints the entry of the
manifest. The geometric mean of token probabilities measures how certain the captioner was of its wording, not how often
it is right. Where the bundle contains a logistic curve fitted on held-out pairs (Platt 1999), confidence is the
estimated share of such sentences that are right.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from engine.errors import UserError
from engine.text.sentences import MIN_PROBABILITY

NEAR, SHARE, NORMAL = 1.0, 0.8, 0.9
"""Where a bundle has no measured values. With the starter bundle no affirmed finding of a smaller share was right often
enough, nor was a smaller share of normal reports; `near` made no difference (docs/drafts.md)."""
NEVER = 2.0
"""A share that no sentence reaches."""


@dataclass(frozen=True, slots=True)
class DraftSettings:
    """The entry `draft` of a manifest."""

    slope: float | None = None
    """Of the logistic curve over the mean log-probability of a sentence's tokens; None when not calibrated."""
    intercept: float | None = None
    near: float = NEAR
    """Least score of the report that a draft starts from; see `engine.retrieval.fusion`."""
    share: float = SHARE
    """Least share of the near reports that have the finding that a sentence affirms, 0 to 1; NEVER forbids it."""
    normal: float = NORMAL
    """Least share of the near reports that call normal what a sentence calls normal, at least one half; or NEVER."""
    captioner: bool = True
    """Whether the captioner was trained in the space of the encoders; in an adapted bundle it was not."""

    @classmethod
    def from_manifest(cls, content: Mapping[str, Any]) -> Self:
        """Read the entry `draft` of a manifest; every part is optional.

        Raises:
            UserError: a part is invalid.
        """
        draft = content.get("draft") or {}
        try:
            curve = draft.get("confidence") or {}
            slope, intercept = (None if curve.get(key) is None else float(curve[key]) for key in ("slope", "intercept"))
            least = {name: float(draft[name]) for name in ("near", "share", "normal") if name in draft}
            if (slope is None) != (intercept is None) or any(map(math.isnan, least.values())):
                raise ValueError(draft)
            return cls(slope, intercept, **least, captioner=bool(draft.get("captioner", True)))
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
