"""AdamW with a cosine schedule, and a moving average of the weights. Does not know what is minimised."""

from collections.abc import Mapping

import numpy as np

from engine.adapt.network import Gradients
from engine.models.heads import Rows

WARM_UP = 0.1
"""Share of the steps over which the rate rises from 0."""
BETAS, EPSILON = (0.9, 0.98), 1e-8


def rate_at(step: int, steps: int, highest: float) -> float:
    """The learning rate of a step, counted from 0: a linear rise, then half a cosine down to 0."""
    rising = max(1, round(WARM_UP * steps))
    if step < rising:
        return highest * (step + 1) / rising
    share = (step - rising) / max(1, steps - rising)
    return float(highest * 0.5 * (1 + np.cos(np.pi * share)))


class AdamW:
    """Decoupled weight decay (Loshchilov and Hutter 2019), here towards the starting weights instead of towards 0."""

    def __init__(self, start: Mapping[str, Rows], pull: float, average: float) -> None:
        """`pull` is the decay per unit of the rate; `average` the share of the moving average that a step keeps."""
        self.start = dict(start)
        self.weights = {name: value.copy() for name, value in start.items()}
        self.averaged = {name: value.copy() for name, value in start.items()}
        self._first = {name: np.zeros_like(value) for name, value in start.items()}
        self._second = {name: np.zeros_like(value) for name, value in start.items()}
        self._pull, self._average, self._steps = pull, average, 0

    def step(self, gradients: Gradients, rate: float) -> None:
        """Move every weight, and the moving average after it."""
        self._steps += 1
        low, high = BETAS
        correction = np.float32(np.sqrt(1 - high**self._steps) / (1 - low**self._steps))
        # The average starts at the starting weights and follows faster at first, or a short training would stay there.
        keep = np.float32(min(self._average, (1 + self._steps) / (10 + self._steps)))
        for name, slope in gradients.items():
            first, second, weight = self._first[name], self._second[name], self.weights[name]
            first += np.float32(1 - low) * (slope - first)
            second += np.float32(1 - high) * (slope * slope - second)
            weight -= np.float32(rate * self._pull) * (weight - self.start[name])
            weight -= np.float32(rate) * correction * first / (np.sqrt(second) + np.float32(EPSILON) * correction)
            self.averaged[name] += (1 - keep) * (weight - self.averaged[name])
