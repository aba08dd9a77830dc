"""Connected components are those of a flood fill."""

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.models.components import Component, components


def by_flood(values: NDArray[np.float64], threshold: float) -> list[Component]:
    """The same, by filling from each pixel that no region has yet."""
    rest = {(int(row), int(column)) for row, column in np.argwhere(values > threshold)}
    found = []
    while rest:
        region, waiting = set(), [min(rest)]
        while waiting:
            row, column = waiting.pop()
            if (row, column) in rest:
                rest.remove((row, column))
                region.add((row, column))
                waiting += [(row + down, column + across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
        rows, columns = zip(*region, strict=True)
        mean = float(np.mean([values[pixel] for pixel in region]))
        found.append(Component(min(rows), min(columns), max(rows) + 1, max(columns) + 1, pytest.approx(mean)))
    return found


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.7, 0.9, 1.0])
def test_components_are_those_of_a_flood_fill(threshold: float) -> None:
    draw = np.random.default_rng(3)
    for _ in range(20):
        values = draw.random(draw.integers(1, 30, 2))
        found = components(values, threshold)
        assert sorted(found, key=repr) == sorted(by_flood(values, threshold), key=repr)
