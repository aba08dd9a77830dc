"""Projects a tower's features into the shared space. Does not know the towers."""

from torch import nn


def head(width: int, dim: int, hidden: int = 0, dropout: float = 0.0) -> nn.Module:
    """Returns float [N, width] -> float [N, dim], not yet normalised.

    hidden 0 gives CLIP's linear projection. Otherwise two layers with dropout before each: from few pairs the linear
    projection memorises them (docs/results.md has the ablation).
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
