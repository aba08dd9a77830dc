"""Tells modality, region and view of an image from features of the models, with calibrated probabilities.

One linear classifier a kind of fact, fitted by `training.metrics.fact_heads`. Does not know which model the features
come from, and decides nothing: a fact that only the models say is marked as such wherever it is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError
from engine.facts.fact import KINDS, Fact, FactKind, Facts

LEAST = 0.5
"""Below this probability nothing is said."""


@dataclass(frozen=True, slots=True, eq=False)
class FactHead:
    """A multinomial logistic regression with a temperature (Guo et al. 2017, arXiv:1706.04599)."""

    classes: tuple[str, ...]
    """Values of the kind, C of them."""
    weights: NDArray[np.float32]
    """float32 [C, F]."""
    bias: NDArray[np.float32]
    """float32 [C]."""
    temperature: float = 1.0

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Unit rows float32 [N, F] -> float64 [N, C], rows of sum 1."""
        logits = (features @ self.weights.T + self.bias).astype(np.float64) / self.temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class FactHeads:
    """The classifiers of one bundle, by kind of fact."""

    heads: Mapping[FactKind, FactHead]

    def facts_of(self, features: NDArray[np.float32]) -> list[Facts]:
        """Unit rows float32 [N, F] -> the facts of each that are more likely than not."""
        found: list[dict[FactKind, Fact]] = [{} for _ in features]
        for kind, head in self.heads.items():
            for facts, row in zip(found, head.probabilities(features)):
                best = int(row.argmax())
                if row[best] >= LEAST:
                    facts[kind] = Fact(head.classes[best], "models", round(float(row[best]), 3))
        return list(found)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a file written by `write`.

        Raises:
            UserError: the file cannot be read.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                heads = {kind: _head(kept, kind) for kind in KINDS if f"{kind}_classes" in kept}
            for head in heads.values():  # whether the shapes go together
                head.probabilities(np.zeros((1, head.weights.shape[1]), np.float32))[0, len(head.classes) - 1]
            return cls(heads)
        except Exception as error:  # numpy and zipfile promise no type for damaged input
            raise UserError(
                f"{path.name} in the bundle {path.parent} cannot be read; export the bundle again."
            ) from error

    def write(self, path: Path) -> None:
        """Write all heads, weights as float16."""
        arrays: dict[str, Any] = {}
        for kind, head in self.heads.items():
            arrays[f"{kind}_classes"] = np.array(head.classes)
            arrays[f"{kind}_weights"] = head.weights.astype(np.float16)
            arrays[f"{kind}_bias"] = head.bias.astype(np.float32)
            arrays[f"{kind}_temperature"] = np.float32(head.temperature)
        np.savez(path, **arrays)


def _head(kept: Mapping[str, NDArray[Any]], kind: FactKind) -> FactHead:
    return FactHead(
        tuple(map(str, kept[f"{kind}_classes"])),
        kept[f"{kind}_weights"].astype(np.float32),
        kept[f"{kind}_bias"].astype(np.float32),
        float(kept[f"{kind}_temperature"]),
    )
