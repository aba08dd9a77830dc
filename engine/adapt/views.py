"""Random views of an image to train on: a crop with another exposure. Does not know models.

Never mirrored, since left and right would then contradict the report.
"""

import numpy as np
from numpy.typing import NDArray

SMALLEST_AREA = 0.55
"""Of the image, that a crop shows."""
STRETCH, GAMMA, CONTRAST, BRIGHTNESS = 0.2, 0.3, 0.2, 0.1
"""Largest change: of the logarithm of the aspect ratio and of gamma; of contrast and brightness as a share."""


def view(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """One view of an image uint8 [H, W]; it is smaller."""
    height, width = image.shape
    side, stretch = np.sqrt(rng.uniform(SMALLEST_AREA, 1.0)), np.exp(rng.uniform(-STRETCH, STRETCH))
    rows = min(height, max(8, round(height * side * stretch)))
    columns = min(width, max(8, round(width * side / stretch)))
    top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    grays = np.linspace(0.0, 1.0, 256) ** np.exp(rng.uniform(-GAMMA, GAMMA))
    grays = (grays - 0.5) * rng.uniform(1 - CONTRAST, 1 + CONTRAST) + 0.5 + rng.uniform(-BRIGHTNESS, BRIGHTNESS)
    grays[0] = 0.0  # the black around an image stays black
    table = (np.clip(grays, 0.0, 1.0) * 255.0).round().astype(np.uint8)
    return np.asarray(table[image[top : top + rows, left : left + columns]])
