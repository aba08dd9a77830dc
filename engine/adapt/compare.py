"""Decides whether adapted heads are better than those before, on held-out patients. Does not know bundles or archives.

The rule: on held-out patients, recall@10 (the mean of both directions) must rise or the gap over its floor must fall,
with a 95% interval that excludes 0, and neither may be clearly worse; and on pairs of other sources recall@10 may fall
by at most one point, or by no more than chance explains. Intervals are from a paired bootstrap over patients.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.adapt.measures import Embedded, auroc_by_words, chance, gap, hits
from engine.models.heads import Rows

DRAWS = 1000
LOST = 0.01
"""How much recall@10 on other sources may fall."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one set of heads reaches on a set of pairs."""

    pairs: int
    patients: int
    texts: int
    gap: float
    floor: float
    recall_image_to_text: float
    """Share of images whose report is among the first ten texts."""
    recall_text_to_image: float
    findings: dict[str, float] = field(default_factory=dict)
    """AUROC of images by the word alone."""

    @property
    def recall(self) -> float:
        """The mean of both directions."""
        return (self.recall_image_to_text + self.recall_text_to_image) / 2

    @property
    def over_floor(self) -> float:
        """The gap over its floor."""
        return self.gap - self.floor


@dataclass(frozen=True, slots=True)
class Change:
    """After minus before, with its 95% interval."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Heads before and after on the same pairs."""

    before: Figures
    after: Figures
    chance: tuple[float, float]
    """Expected recall@10 of a random order, image to text and text to image."""
    recall: Change
    over_floor: Change

    def as_dict(self) -> dict[str, Any]:
        """For JSON and the manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_dict` gave. Raises LookupError, TypeError or ValueError for anything else."""
        first, second = stored["chance"]
        return cls(
            Figures(**stored["before"]),
            Figures(**stored["after"]),
            (float(first), float(second)),
            Change(**stored["recall"]),
            Change(**stored["over_floor"]),
        )


def figures(pairs: Embedded, words: Mapping[str, Rows], has: Mapping[str, NDArray[np.bool_]]) -> Figures:
    """The figures of embedded pairs; `words` and `has` as in `auroc_by_words`, empty for none."""
    apart, floor = gap(pairs)
    to_text, to_image = hits(pairs)
    return Figures(
        len(pairs.images),
        int(pairs.persons.max()) + 1,
        len(pairs.texts),
        float(apart[0]),
        float(floor[0]),
        float(to_text.mean()),
        float(to_image.mean()),
        auroc_by_words(pairs, words, has),
    )


def compare(
    before: Embedded,
    after: Embedded,
    has: Mapping[str, NDArray[np.bool_]] | None = None,
    words: tuple[Mapping[str, Rows], Mapping[str, Rows]] = ({}, {}),
) -> Comparison:
    """Compare two embeddings of the same pairs.

    Args:
        has: bool [N] for each finding.
        words: the embedding of each finding's word, before and after.
    """
    people = int(before.persons.max()) + 1
    times = np.random.default_rng(0).multinomial(people, np.full(people, 1 / people), DRAWS).astype(np.float64)
    recalls = [_recalls(pairs, times) for pairs in (before, after)]
    overs = [np.subtract(*gap(pairs, times)) for pairs in (before, after)]
    found = [figures(pairs, word, has or {}) for pairs, word in zip((before, after), words, strict=True)]
    return Comparison(
        found[0],
        found[1],
        chance(before),
        _change(found[1].recall - found[0].recall, recalls[1] - recalls[0]),
        _change(found[1].over_floor - found[0].over_floor, overs[1] - overs[0]),
    )


def against(own: Comparison, others: Comparison | None) -> list[str]:
    """The reasons against the heads after, by the rule of this module; none if they are better."""
    reasons = []
    if own.recall.low <= 0 and own.over_floor.high >= 0:
        reasons.append("neither recall@10 nor the gap is clearly better on held-out patients")
    if own.recall.high < 0:
        reasons.append(f"recall@10 falls by {-100 * own.recall.difference:.1f} points on held-out patients")
    if own.over_floor.low > 0:
        reasons.append(f"the gap over its floor grows by {own.over_floor.difference:.2f}")
    if others is not None and others.recall.difference < -LOST and others.recall.high < 0:
        reasons.append(f"recall@10 on other sources falls by {-100 * others.recall.difference:.1f} points")
    return reasons


def _recalls(pairs: Embedded, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean recall of both directions in each resample; a text belongs to the patient of its first image."""
    to_text, to_image = hits(pairs)
    first = np.unique(pairs.text_of, return_index=True)[1]
    drawn, drawn_texts = times[:, pairs.persons], times[:, pairs.persons[first]]
    return np.asarray((drawn @ to_text / drawn.sum(1) + drawn_texts @ to_image / drawn_texts.sum(1)) / 2)


def _change(difference: float, samples: NDArray[np.float64]) -> Change:
    low, high = np.quantile(samples, [0.025, 0.975])
    return Change(float(difference), float(low), float(high))
