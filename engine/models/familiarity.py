"""Detects images unlike the models' training images. Does not know archives or reports.

Two rules. An image with almost one gray level is blank. Otherwise the score is the residual of the image's features in
a principal component model of the training images (Jackson and Mudholkar 1979), relative to a threshold set on held-out
images. A photograph, a slide, a page of text or a kind of examination missing from training is above the threshold. An
image below it is merely familiar: hits and drafts may still be wrong.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from engine.models.arrays import read_arrays, unreadable

BLANK_DEVIATION = 1.5
"""Standard deviation in gray levels (0 to 255) below which an image is blank."""
BLANK = "This image is almost blank; similar cases and drafts are not meaningful."
OUTSIDE = "This image does not resemble the models' training images; similar cases and drafts are unreliable."


@dataclass(frozen=True, slots=True)
class FamiliarityResult:
    """Whether an image resembles the training images."""

    familiar: bool = True
    notice: str = ""
    """Why it does not, ready to show; "" when it does."""
    score: float | None = None
    """Residual over threshold, unfamiliar above 1; None for a blank image and for a bundle without statistics."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


FAMILIAR = FamiliarityResult()
"""The result where there is no image to check."""


@dataclass(frozen=True, slots=True, eq=False)
class FamiliarityModel:
    """A principal component model of the training images' features."""

    mean: NDArray[np.float32]
    """float32 [F]."""
    directions: NDArray[np.float32]
    """float32 [K, F], orthogonal unit rows."""
    threshold: float
    """Largest residual of a familiar image."""

    @classmethod
    def from_file(cls, path: Path, threshold: float) -> Self:
        """Read a file written by `write`.

        Raises:
            UserError: the file cannot be read.
        """
        kept = read_arrays(path)
        try:
            directions = kept["directions"].astype(np.float32) * kept["scales"].astype(np.float32)[:, None]
            model = cls(kept["mean"].astype(np.float32), directions, threshold)
            model.residuals(np.zeros((1, len(model.mean)), np.float32))  # whether the shapes go together
            return model
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise unreadable(path) from error

    def write(self, path: Path) -> None:
        """Write mean and directions, the latter with 8 bits per value."""
        scales = np.abs(self.directions).max(axis=1) / 127
        small = np.round(self.directions / scales[:, None]).astype(np.int8)
        np.savez(path, mean=self.mean.astype(np.float32), directions=small, scales=scales.astype(np.float32))

    def residuals(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Squared distance of unit rows from the subspace of the directions, float32 [N, F] -> float32 [N]."""
        centered = features - self.mean
        inside = centered @ self.directions.T
        return np.asarray((centered**2).sum(axis=1) - (inside**2).sum(axis=1), np.float32)


def is_blank(gray: NDArray[np.uint8]) -> bool:
    """Whether an image, uint8 [H, W], has almost no variation."""
    return gray.size == 0 or float(gray.std()) < BLANK_DEVIATION


class FeatureEncoder(Protocol):
    """The part of a bundle that `check_familiarity` needs."""

    @property
    def familiarity(self) -> FamiliarityModel | None:
        """Statistics of the training images; None in a bundle without them."""

    def image_features(self, images: Sequence[NDArray[np.uint8]], /) -> NDArray[np.float32]:
        """Images uint8 [H, W] -> float32 [N, F], rows of unit length, before the projection."""


def check_familiarity(bundle: FeatureEncoder, gray: NDArray[np.uint8]) -> FamiliarityResult:
    """Check a displayed frame, uint8 [H, W]; with a bundle without statistics only blank images are detected."""
    if is_blank(gray):
        return FamiliarityResult(False, BLANK)
    model = bundle.familiarity
    if model is None:
        return FAMILIAR
    score = float(model.residuals(bundle.image_features([gray]))[0]) / model.threshold
    return FamiliarityResult(score <= 1, "" if score <= 1 else OUTSIDE, score)
