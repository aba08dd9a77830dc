"""Trains the heads of a bundle on features of pairs. Does not know archives, images or texts.

The loss is that of the encoders' training (docs/method.md, "Losses") over the archive's pairs. So that what the heads
knew before is not lost, pairs of other sources are replayed: their embeddings are held near those of the old heads, and
the weights are drawn towards the old ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.adapt import losses, network
from engine.adapt.losses import Weights
from engine.adapt.network import Gradients
from engine.adapt.optimizer import AdamW, rate_at
from engine.errors import Cancelled
from engine.models.heads import Floats, Heads, Parameters, Rows
from engine.progress import IsCancelled, Progress, ignore, never


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings of a training; the default is what docs/adapt.md measures."""

    steps: int = 120
    batch: int = 256
    """Pairs of the archive; as many others are replayed."""
    rate: float = 2e-3
    loss: Weights = field(default_factory=lambda: Weights(tau=0.1, align=0.5, uniform=0.5, gap=4.0))
    hold: float = 50.0
    """Weight of the squared distance of replayed embeddings from the old ones."""
    pull: float = 0.0
    """Decay of the weights towards the old ones, per unit of the rate."""
    sentences: float = 0.5
    """Weight of the loss between images and one sentence of their report each; the rest is that of whole reports.
    Queries are short, and a finding is one sentence of many."""
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
    """float32 [T, G]: different texts, reports and their sentences."""
    text_of: NDArray[np.intp]
    """int [N]: the row in `texts` of each image's report."""
    sentences_of: Sequence[NDArray[np.intp]] = ()
    """The rows in `texts` of the sentences of each report; empty: whole reports only."""


def train(
    start: Heads,
    own: TrainingFeatures,
    others: TrainingFeatures | None,
    recipe: Recipe,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
) -> Heads:
    """The heads after training; the same for the same seed.

    Args:
        own: the archive's pairs.
        others: pairs to replay; None for none.

    Raises:
        Cancelled: `cancelled` returned True, which is asked before every step.
    """
    rng = np.random.default_rng(recipe.seed)
    image, text = (AdamW(head, recipe.pull, recipe.average) for head in (start.image, start.text))
    mine = _Batches(start, own, recipe, rng)
    held = _Held(start, others, recipe, rng) if others is not None else None
    for step in range(recipe.steps):
        if cancelled():
            raise Cancelled
        progress(step, recipe.steps, "Training")
        pairs = mine.numbers()
        images = network.forward(image.weights, mine.views(pairs), recipe.dropout, rng)
        slope = np.zeros_like(images.rows)
        slopes: tuple[Gradients, Gradients] = ({}, {})
        for share, texts in mine.wordings(pairs):
            reports = network.forward(text.weights, mine.texts[texts], recipe.dropout, rng)
            same = texts[:, None] == texts[None, :]
            _, of_images, of_reports = losses.objective(images.rows, reports.rows, same, recipe.loss)
            slope += share * of_images
            _add(slopes[1], network.backward(text.weights, reports, share * of_reports))
        _add(slopes[0], network.backward(image.weights, images, slope))
        if held is not None:
            held.add(slopes, image.weights, text.weights)
        rate = rate_at(step, recipe.steps, recipe.rate)
        image.step(slopes[0], rate)
        text.step(slopes[1], rate)
    progress(recipe.steps, recipe.steps, "Training")
    return Heads(image.averaged, text.averaged)


class _Batches:
    """Prepared features, and random pairs of them: each once before any is drawn again."""

    def __init__(self, heads: Heads, features: TrainingFeatures, recipe: Recipe, rng: np.random.Generator) -> None:
        views, count, width = features.images.shape
        flat = network.prepared(heads.image, features.images.reshape(views * count, width))
        self.images = flat.reshape(views, count, width)
        self.texts = network.prepared(heads.text, features.texts)
        self._features, self._recipe, self._rng = features, recipe, rng
        self._waiting = np.zeros(0, np.intp)

    def numbers(self) -> NDArray[np.intp]:
        """The numbers of the pairs of a batch."""
        size = min(self._recipe.batch, self.images.shape[1])
        if len(self._waiting) < size:
            self._waiting = self._rng.permutation(self.images.shape[1])
        drawn, self._waiting = self._waiting[:size], self._waiting[size:]
        return drawn

    def views(self, pairs: NDArray[np.intp]) -> Floats:
        """A random view of the image of each of the pairs."""
        return self.images[self._rng.integers(0, len(self.images), len(pairs)), pairs]

    def wordings(self, pairs: NDArray[np.intp]) -> list[tuple[np.float32, NDArray[np.intp]]]:
        """Weights of the loss, each with the rows in `texts` of the reports of the pairs or of a sentence of them."""
        reports, of, share = self._features.text_of[pairs], self._features.sentences_of, self._recipe.sentences
        if not of or not share:
            return [(np.float32(1), reports)]
        parts = np.array([self._rng.choice(of[pair]) for pair in pairs])
        return [(np.float32(1 - share), reports), (np.float32(share), parts)]


class _Held:
    """Pairs whose embeddings are held near those of the old heads: hold times the mean squared distance."""

    def __init__(self, heads: Heads, features: TrainingFeatures, recipe: Recipe, rng: np.random.Generator) -> None:
        self._batches, self._text_of, self._hold = _Batches(heads, features, recipe, rng), features.text_of, recipe.hold
        self._old_images = network.forward(heads.image, self._batches.images[0]).rows
        self._old_texts = network.forward(heads.text, self._batches.texts).rows

    def add(self, slopes: tuple[Gradients, Gradients], image: Parameters, text: Parameters) -> None:
        """Add the gradients of a batch. Without dropout: with it, the noise would be what moves the heads."""
        pairs = self._batches.numbers()
        texts = self._text_of[pairs]
        for found, head, features, old in (
            (slopes[0], image, self._batches.images[0][pairs], self._old_images[pairs]),
            (slopes[1], text, self._batches.texts[texts], self._old_texts[texts]),
        ):
            batch = network.forward(head, features)
            factor = np.float32(2 * self._hold / len(pairs))
            _add(found, network.backward(head, batch, factor * (batch.rows - old)))


def _add(to: Gradients, more: Gradients) -> None:
    for name, slope in more.items():
        to[name] = to[name] + slope if name in to else slope
