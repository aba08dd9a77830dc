"""Tells whether two images are the same picture, whatever its compression, size or window. Knows no models.

Embeddings do not tell: a JPEG copy may have a cosine of 0.8 with its original, and chest radiographs of different
people one of 0.97. The correlation of the images at 32 x 32 pixels does. On the val images of pairs, IU, ROCO and
VQA-Med, all 36 pairs of at least SAME are of one case; copies at JPEG quality 30, 15 gray levels brighter or scaled to
70 % all reach it, as do 90 % of those at a window narrower by a fifth (`python -m benchmarks.ranking --only same`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32
SAME = 0.97
MAX_STRETCH = 1.05
"""Images whose ratios of width to height differ by more than this factor are not the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is compared of an image."""

    shape: float
    """Width to height."""
    signature: NDArray[np.float32]
    """As of `signature`."""

    def is_like(self, other: "Look") -> bool:
        """Whether the images are the same picture."""
        shapes = (self.shape, other.shape)
        return max(shapes) <= MAX_STRETCH * min(shapes) and float(self.signature @ other.signature) >= SAME


def look(image: NDArray[np.uint8]) -> Look:
    """The look of an image uint8 [H, W]."""
    return Look(image.shape[1] / image.shape[0], signature(image))


def same_picture(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether two images uint8 [H, W] of any size show the same."""
    return look(one).is_like(look(other))


def signature(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The image at 32 x 32 pixels as a unit vector without its mean, float32 [1024]; zero for a uniform image."""
    small = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX)
    values = np.asarray(small, np.float32).ravel()
    values = values - values.mean()
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6), np.float32)
