"""Computes the trunk features of pairs, with a few views of each image. Does not know where pairs come from."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.adapt.training import TrainingFeatures
from engine.adapt.views import view
from engine.bundle import Bundle
from engine.errors import Cancelled
from engine.models.heads import Rows
from engine.progress import IsCancelled, Progress, ignore, never
from engine.text.sentences import sentences

CHUNK = 16
"""Images or texts between two questions whether to go on."""
Load = Callable[[int], NDArray[np.uint8]]
"""The image uint8 [H, W] of a pair, by its number."""


def features(
    bundle: Bundle,
    load: Load,
    reports: Sequence[str],
    views: int = 1,
    by_sentence: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
) -> TrainingFeatures:
    """Features of pairs; the first view of an image is the whole image.

    Args:
        load: gives the image of each pair, once.
        reports: the text of each pair; equal ones are embedded once.
        views: of each image.
        by_sentence: whether the sentences of the reports are embedded as well.
        progress: called with (images and texts done, all of them, what).
        cancelled: asked every few images and texts.

    Raises:
        Cancelled: `cancelled` returned True.
    """
    parts = {text: sentences(text) or [text] for text in reports} if by_sentence else {}
    texts = {text: n for n, text in enumerate(dict.fromkeys([*reports, *(one for of in parts.values() for one in of)]))}
    count, total = len(reports), len(reports) * views + len(texts)
    rng = np.random.default_rng(seed)
    images: list[Rows] = []
    for first in range(0, count, CHUNK):
        _continue(cancelled)
        progress(first * views, total, "Reading images")
        whole = [load(number) for number in range(first, min(first + CHUNK, count))]
        shown = [whole, *([view(image, rng) for image in whole] for _ in range(views - 1))]
        images.append(np.stack([bundle.image_trunk(some) for some in shown]))
    rows: list[Rows] = []
    for first in range(0, len(texts), CHUNK):
        _continue(cancelled)
        progress(count * views + first, total, "Reading reports")
        rows.append(bundle.text_trunk(list(texts)[first : first + CHUNK]))
    progress(total, total, "Reading reports")
    return TrainingFeatures(
        np.concatenate(images, axis=1),
        np.concatenate(rows),
        np.array([texts[text] for text in reports]),
        [np.array([texts[one] for one in parts[text]]) for text in reports] if by_sentence else (),
    )


def _continue(cancelled: IsCancelled) -> None:
    if cancelled():
        raise Cancelled
