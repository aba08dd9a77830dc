"""The order of examples in an epoch, with kinds of examples balanced. Does not know what the kinds are.

Several sources of different sizes in one training pull the shared space towards the largest; see docs/training.md,
"Several sources". Pure functions of their arguments and of the generator, so that a resumed epoch has the same order.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from training.arrays import Float64Array, IndexArray

MOST = 3.0
"""An example is drawn at most about this many times in an epoch: more would only memorise the smallest sources."""
Kind = tuple[str, str]
"""Source and, within it, modality."""


def balanced_order(kinds: Sequence[Kind], balance: float, rng: np.random.Generator) -> IndexArray:
    """Row numbers to draw in one epoch, as many as there are rows, spread so that every batch is balanced as well.

    Rows of a kind that is drawn less often than it has rows are a random part of them; rows of a rarer one repeat
    after all others of their kind have been drawn.

    Args:
        kinds: the kind of each row.
        balance: 0 draws every row once, 1 every source equally often (and its modalities), as far as MOST allows.

    Returns:
        int [N].
    """
    names = sorted(set(kinds))
    number = {name: index for index, name in enumerate(names)}
    of = np.array([number[kind] for kind in kinds])
    wanted = shares(Counter(kinds), balance)
    # Rounded at random to whole numbers whose sum is exactly N.
    ends = np.floor(np.cumsum([wanted[name] for name in names]) + rng.random())
    ends[-1] = len(of)
    drawn, positions = [], []
    for index, count in enumerate(np.diff(ends, prepend=0.0).astype(int)):
        rows = np.flatnonzero(of == index)
        cycles = [rng.permutation(rows) for _ in range(-(-count // len(rows)))]
        drawn.append(np.concatenate([*cycles, rows[:0]])[:count])
        positions.append((np.arange(count) + rng.random(count)) / max(1, count))
    order: IndexArray = np.concatenate(drawn)[np.argsort(np.concatenate(positions), kind="stable")]
    return order


def shares(counts: Counter[Kind], balance: float) -> dict[Kind, float]:
    """How many draws each kind gets in an epoch; their sum is that of `counts`.

    Each source has a weight of n ** (1 - balance), divided among its modalities by the same rule. What a kind would
    get beyond MOST draws of each of its rows goes to the others.
    """
    sources: Counter[str] = Counter()
    for (source, _), count in counts.items():
        sources[source] += count
    names = sorted(counts)
    size: Float64Array = np.array([counts[name] for name in names], np.float64)
    weight = size ** (1.0 - balance)
    for source, count in sources.items():
        inside = np.array([name[0] == source for name in names])
        weight[inside] *= count ** (1.0 - balance) / weight[inside].sum()
    full = np.zeros(len(names), bool)
    while True:
        draws = np.where(full, MOST * size, 0.0)
        draws[~full] = (size.sum() - draws.sum()) * weight[~full] / weight[~full].sum()
        over = ~full & (draws > MOST * size)
        if not over.any():
            return dict(zip(names, draws.tolist()))
        full |= over
