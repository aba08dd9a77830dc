"""Forward and backward passes of a head in numpy. Does not know losses or optimizers.

The layers are those of `engine.models.heads`, with dropout before each matrix. Features are constants, so no gradient
flows into them; for a head with a LayerNorm they are normalised once, beforehand (`prepared`).
"""

from dataclasses import dataclass

import numpy as np

from engine.models.heads import Floats, Parameters, layer_norm, normal_distribution

Gradients = dict[str, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """What the backward pass of a batch needs from its forward pass."""

    rows: Floats
    """float32 [N, D], of unit length: the embeddings."""
    lengths: Floats
    """float32 [N, 1], lengths before they were made 1."""
    features: Floats
    """float32 [N, F], prepared."""
    inputs: Floats
    """float32 [N, F], after LayerNorm's weights and dropout."""
    before: Floats
    """float32 [N, H], before GELU; empty in a linear head."""
    hidden: Floats
    """float32 [N, H], after GELU and dropout."""
    kept: tuple[Floats, Floats]
    """Factors of both dropouts, [N, F] and [N, H]: 0, or 1 over the share that is kept."""


def prepared(head: Parameters, features: Floats) -> Floats:
    """Features as `forward` wants them: normalised where the head starts with a LayerNorm."""
    return layer_norm(features) if "first.weight" in head else features


def forward(head: Parameters, features: Floats, dropout: float = 0.0, rng: np.random.Generator | None = None) -> Pass:
    """Embed a batch.

    Args:
        features: float32 [N, F], as `prepared` returns them.
        dropout: share of entries set to 0 before each matrix; 0 for none.
        rng: for the dropout.
    """
    count = len(features)
    empty = np.zeros((count, 0), np.float32)
    if "first.weight" not in head:
        rows, lengths = unit(features @ head["last.weight"].T)
        return Pass(rows, lengths, features, features, empty, features, (empty, empty))
    sizes = (features.shape[1], len(head["first.bias"]))
    kept = tuple(_dropout((count, size), dropout, rng) for size in sizes)
    inputs = (features * head["norm.weight"] + head["norm.bias"]) * kept[0]
    before = inputs @ head["first.weight"].T + head["first.bias"]
    hidden = before * normal_distribution(before) * kept[1]
    rows, lengths = unit(hidden @ head["last.weight"].T + head["last.bias"])
    return Pass(rows, lengths, features, inputs, before, hidden, (kept[0], kept[1]))


def backward(head: Parameters, batch: Pass, gradient: Floats) -> Gradients:
    """Gradients of all parameters from that of the embeddings, float32 [N, D]."""
    outer = unit_backward(batch.rows, batch.lengths, gradient)
    found: Gradients = {"last.weight": outer.T @ batch.hidden}
    if "first.weight" not in head:
        return found
    inner = (outer @ head["last.weight"]) * batch.kept[1] * gelu_slope(batch.before)
    shifted = (inner @ head["first.weight"]) * batch.kept[0]
    return found | {
        "last.bias": outer.sum(axis=0),
        "first.weight": inner.T @ batch.inputs,
        "first.bias": inner.sum(axis=0),
        "norm.weight": (shifted * batch.features).sum(axis=0),
        "norm.bias": shifted.sum(axis=0),
    }


def unit(rows: Floats) -> tuple[Floats, Floats]:
    """Floats of unit length, and the lengths [N, 1] that they had."""
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return rows / lengths, lengths


def unit_backward(rows: Floats, lengths: Floats, gradient: Floats) -> Floats:
    """The gradient before `unit` from that after it."""
    return np.asarray((gradient - rows * (gradient * rows).sum(axis=1, keepdims=True)) / lengths)


def gelu_slope(values: Floats) -> Floats:
    """The derivative of GELU: P(Z <= x) + x times the normal density at x."""
    density = np.exp(-0.5 * values * values) * values.dtype.type(1 / np.sqrt(2 * np.pi))
    return np.asarray(normal_distribution(values) + values * density)


def _dropout(shape: tuple[int, int], share: float, rng: np.random.Generator | None) -> Floats:
    if not share or rng is None:
        return np.ones(shape, np.float32)
    return (rng.random(shape, np.float32) >= share).astype(np.float32) / np.float32(1 - share)
