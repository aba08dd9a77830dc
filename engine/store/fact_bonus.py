"""What the facts of a case add to the score of its vectors. Knows no query and no store."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.facts.fact import FactKind


@dataclass(frozen=True, slots=True)
class FactBonus:
    """The sum over the facts of a case: the weight of its value, times its probability."""

    weights: Mapping[FactKind, Mapping[str, float]] = field(default_factory=dict)
    """By kind and value; a case without a fact of a kind gets nothing for it."""
    other: Mapping[FactKind, float] = field(default_factory=dict)
    """By kind, of every value that `weights` does not have."""

    def __bool__(self) -> bool:
        """Whether any fact counts."""
        return bool(self.weights or self.other)

    def of(self, kind: FactKind, value: str) -> float:
        """The weight of one value."""
        return self.weights.get(kind, {}).get(value, self.other.get(kind, 0.0))


NO_BONUS = FactBonus()
