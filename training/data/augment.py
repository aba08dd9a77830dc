"""Random views of an image for training: crop, rotation, tone, window. Knows no networks and no texts."""

import numpy as np
from PIL import Image

from engine.preprocess import to_square
from training.arrays import Float64Array
from training.data.pairs import Gray

WINDOWED = {"CT", "MR"}
"""Modalities that are read at several windows; all others differ in exposure."""
NARROWEST = 0.6
"""Smallest width of a random window, as a share of the gray range of the image. At 0.5 two of thirty pictures on a
contact sheet had lost what their report is about to white."""
HIGHEST_START = 0.25
"""Highest start of a random window, likewise: what is darker becomes black."""
WINDOW_SHARE = 0.7
"""How often an image is shown at another window or exposure."""
VERSION = ""
"""Part of the name of cached views: changed with every change of what `augment` draws."""


def augment(
    image: Gray, size: int, rng: np.random.Generator, intensity: bool = True, modality: str | None = None
) -> Gray:
    """One random view for training: crop, small rotation, change of brightness, contrast and gamma.

    Images are never flipped, since left and right would then contradict the report.

    Args:
        image: uint8 [H, W].
        size: side of the result in pixels.
        intensity: whether brightness, contrast and gamma change.
        modality: if given, the image is often shown at another window (CT, MR) or exposure (all others) as well.

    Returns:
        uint8 [size, size].
    """
    height, width = image.shape
    area, stretch = rng.uniform(0.55, 1.0), np.exp(rng.uniform(-0.2, 0.2))
    crop_height = min(height, max(8, round(height * np.sqrt(area) * stretch)))
    crop_width = min(width, max(8, round(width * np.sqrt(area) / stretch)))
    top, left = rng.integers(0, height - crop_height + 1), rng.integers(0, width - crop_width + 1)
    rotated = Image.fromarray(image).rotate(
        rng.uniform(-10.0, 10.0),
        Image.Resampling.BILINEAR,
        center=(left + crop_width / 2, top + crop_height / 2),
    )
    cut = np.asarray(rotated.crop((left, top, left + crop_width, top + crop_height)))
    levels = np.linspace(0.0, 1.0, 256)
    if modality is not None and rng.random() < WINDOW_SHARE:
        levels = random_window(image, rng) if modality in WINDOWED else levels ** np.exp(rng.uniform(-0.5, 0.5))
    shown = levels.copy()
    if intensity:
        shown = shown ** np.exp(rng.uniform(-0.3, 0.3))
        shown = (shown - 0.5) * rng.uniform(0.8, 1.2) + 0.5 + rng.uniform(-0.1, 0.1)
    shown[0] = 0.0  # the black around an image stays black
    if modality is not None:  # and so do what a window cut and the noise of compression around an image
        shown *= np.clip(levels / 0.06, 0.0, 1.0)
    return to_square((np.clip(shown, 0.0, 1.0) * 255.0).round().astype(np.uint8)[cut], size)


def random_window(image: Gray, rng: np.random.Generator) -> Float64Array:
    """How each of the 256 gray levels is shown at a random window inside the gray range of the image, 0 to 1."""
    start = rng.uniform(0.0, HIGHEST_START)
    return windowed_levels(image, start, rng.uniform(start + NARROWEST, 1.0))


def windowed_levels(image: Gray, start: float, end: float) -> Float64Array:
    """How each of the 256 gray levels is shown at a window, 0 to 1.

    Args:
        start, end: shares of the gray range of the image, which ends at the 99.5th percentile of what is not black.
    """
    visible = image[image > 8]
    brightest = float(np.percentile(visible, 99.5)) if visible.size else 255.0
    low, high = start * brightest, end * brightest
    levels: Float64Array = np.clip((np.arange(256) - low) / max(1.0, high - low), 0.0, 1.0)
    return levels
