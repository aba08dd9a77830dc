"""Projections of the features of a tower into the shared space. Does not know the towers."""

from torch import nn


def head(width: int, dim: int, hidden: int = 0, dropout: float = 0.0) -> nn.Module:
    """Returns float [N, width] -> float [N, dim], not yet normalised.

    With hidden = 0 it is the linear projection of CLIP, which memorises few pairs (ablation in docs/sweeps.md).
    Otherwise it has two layers with dropout before each.
    """
    if not hidden:
        return nn.Linear(width, dim, bias=False)
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Dropout(dropout),
        nn.Linear(width, hidden),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, dim),
    )
