"""Whether a picture looks like those the models learned from. Knows no archive and no report.

Two rules. A picture of almost one gray level is blank. Otherwise the score is the part of its features that the
leading directions of the training pictures' features do not explain (the residual of a principal component model,
Jackson and Mudholkar 1979), beside a threshold that was set on held-out pictures. A photograph, a slide, a page of
text or a kind of examination that training never saw lies outside; a wrong finding does not: this says nothing
about whether hits or a draft are right.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError

BLANK_DEVIATION = 1.5
"""Standard deviation in gray levels (0 to 255) below which a picture shows nothing."""
BLANK = "This picture is almost blank: hits and a draft would say nothing about it."
OUTSIDE = "This picture does not look like the radiology images the models know; treat hits and draft with care."


@dataclass(frozen=True, slots=True)
class FamiliarityResult:
    """What a picture looks like to the models.

    familiar: it may be searched and described as usual. notice: else one sentence for the reader. score: residual over
    its threshold, above 1 outside; None when the picture is blank or the bundle cannot tell.
    """

    familiar: bool = True
    notice: str = ""
    score: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


FAMILIAR = FamiliarityResult()
"""Nothing to say: what holds when no picture was asked with."""


@dataclass(frozen=True, slots=True, eq=False)
class FamiliarityModel:
    """mean float32 [F], directions float32 [K, F] with orthogonal unit rows, and the largest residual that passes."""

    mean: NDArray[np.float32]
    directions: NDArray[np.float32]
    threshold: float

    @classmethod
    def from_file(cls, path: Path, threshold: float) -> Self:
        """Read what `write` wrote.

        Raises:
            UserError: it is no such file.
        """
        try:
            with np.load(path, allow_pickle=False) as kept:
                directions = kept["directions"].astype(np.float32) * kept["scales"].astype(np.float32)[:, None]
                return cls(kept["mean"].astype(np.float32), directions, threshold)
        except (OSError, KeyError, ValueError) as error:
            raise UserError(f"{path.name} in the bundle {path.parent} cannot be read; export it again.") from error

    def write(self, path: Path) -> None:
        """Keep mean and directions, the latter in 8 bits a number."""
        scales = np.abs(self.directions).max(axis=1) / 127
        small = np.round(self.directions / scales[:, None]).astype(np.int8)
        np.savez(path, mean=self.mean.astype(np.float32), directions=small, scales=scales.astype(np.float32))

    def residuals(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Squared length outside the leading directions of unit rows, float32 [N, F] -> float32 [N]."""
        centred = features - self.mean
        inside = centred @ self.directions.T
        return np.asarray((centred**2).sum(axis=1) - (inside**2).sum(axis=1), np.float32)


def is_blank(gray: NDArray[np.uint8]) -> bool:
    """Whether a picture, uint8 [H, W], has almost no variation."""
    return gray.size == 0 or float(gray.std()) < BLANK_DEVIATION


class FeatureEncoder(Protocol):
    """What `look` needs of a bundle."""

    @property
    def familiarity(self) -> FamiliarityModel | None: ...

    def image_features(self, images: Sequence[NDArray[np.uint8]], /) -> NDArray[np.float32]: ...


def check_familiarity(bundle: FeatureEncoder, gray: NDArray[np.uint8]) -> FamiliarityResult:
    """Judge one picture, uint8 [H, W], the displayed frame. A bundle without statistics only tells blank ones."""
    if is_blank(gray):
        return FamiliarityResult(False, BLANK)
    model = bundle.familiarity
    if model is None:
        return FAMILIAR
    score = float(model.residuals(bundle.image_features([gray]))[0]) / model.threshold
    return FamiliarityResult(score <= 1, "" if score <= 1 else OUTSIDE, score)
