"""Trains the heads of a bundle on features of pairs. Does not know archives, images or texts.

The loss is that of the encoders' training (docs/method.md, "Losses") over the archive's pairs. So that what the heads
knew before is not lost, pairs of other sources are replayed: their embeddings are held near those of the old heads, and
the weights are drawn towards the old ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.adapt import losses, network
from engine.adapt.optimizer import AdamW, rate_at
from engine.errors import Cancelled
from engine.models.heads import Heads, Rows
from engine.progress import IsCancelled, Progress, ignore, never


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings of a training; the default is what docs/adapt.md measures."""

    steps: int = 150
    batch: int = 256
    """Pairs of the archive; as many others are replayed."""
    rate: float = 1e-3
    tau: float = 0.1
    align: float = 0.5
    """Weight of Align True Pairs."""
    uniform: float = 0.5
    """Weight of Centroid Uniformity."""
    hold: float = 4.0
    """Weight of the squared distance of replayed embeddings from the old ones."""
    pull: float = 0.0
    """Decay of the weights towards the old ones, per unit of the rate."""
    dropout: float = 0.3
    average: float = 0.95
    """Share that the moving average of the weights keeps at a step."""
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class TrainingFeatures:
    """Trunk features of pairs."""

    images: Rows
    """float32 [V, N, F]: V views of each image."""
    texts: Rows
    """float32 [T, G]: different texts."""
    text_of: NDArray[np.intp]
    """int [N]."""


def train(
    start: Heads,
    own: TrainingFeatures,
    others: TrainingFeatures,
    recipe: Recipe,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
) -> Heads:
    """The heads after training; the same for the same seed.

    Args:
        own: the archive's pairs.
        others: pairs to replay; may be empty.

    Raises:
        Cancelled: `cancelled` returned True, which is asked before every step.
    """
    rng = np.random.default_rng(recipe.seed)
    image, text = (AdamW(head, recipe.pull, recipe.average) for head in (start.image, start.text))
    mine, replayed = _Batches(start, own, recipe.batch, rng), _Batches(start, others, recipe.batch, rng)
    old = [network.forward(start.image, replayed.images[0]).rows, network.forward(start.text, replayed.texts).rows]
    for step in range(recipe.steps):
        if cancelled():
            raise Cancelled
        progress(step, recipe.steps, "Training")
        pairs, kept = mine.draw(), replayed.draw()
        count, texts = len(pairs), np.concatenate([own.text_of[pairs], others.text_of[kept]])
        given = np.concatenate([mine.views(pairs), replayed.images[0][kept]])
        images = network.forward(image.weights, given, recipe.dropout, rng)
        given = np.concatenate([mine.texts[texts[:count]], replayed.texts[texts[count:]]])
        reports = network.forward(text.weights, given, recipe.dropout, rng)
        slopes = [np.zeros_like(images.rows), np.zeros_like(reports.rows)]
        same = texts[:count, None] == texts[None, :count]
        _, slopes[0][:count], slopes[1][:count] = losses.objective(
            images.rows[:count], reports.rows[:count], recipe.tau, same, recipe.align, recipe.uniform
        )
        if len(kept):
            hold = np.float32(2 * recipe.hold / len(kept))
            slopes[0][count:] = hold * (images.rows[count:] - old[0][kept])
            slopes[1][count:] = hold * (reports.rows[count:] - old[1][texts[count:]])
        rate = rate_at(step, recipe.steps, recipe.rate)
        image.step(network.backward(image.weights, images, slopes[0]), rate)
        text.step(network.backward(text.weights, reports, slopes[1]), rate)
    progress(recipe.steps, recipe.steps, "Training")
    return Heads(image.averaged, text.averaged)


class _Batches:
    """Prepared features, and random pairs of them: each once before any is drawn again."""

    def __init__(self, heads: Heads, features: TrainingFeatures, size: int, rng: np.random.Generator) -> None:
        views, count, width = features.images.shape
        flat = network.prepared(heads.image, features.images.reshape(views * count, width))
        self.images = flat.reshape(views, count, width)
        self.texts = network.prepared(heads.text, features.texts)
        self._size, self._rng = min(size, count), rng
        self._waiting = np.zeros(0, np.intp)

    def draw(self) -> NDArray[np.intp]:
        """The numbers of the pairs of a batch."""
        if len(self._waiting) < self._size:
            self._waiting = self._rng.permutation(self.images.shape[1])
        drawn, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
        return drawn

    def views(self, pairs: NDArray[np.intp]) -> Rows:
        """A random view of each of the pairs."""
        return self.images[self._rng.integers(0, len(self.images), len(pairs)), pairs]
