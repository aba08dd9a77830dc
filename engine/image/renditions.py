"""Renders a frame as drafts see it: at windows of its own, so that the displayed window changes no draft.

Knows no models. A CT in HU is rendered at the preset of its body part, as an import does, or, without one, at those of
soft tissue, lung, bone and brain; other frames at the window of the file and at the auto window. A picture of 8 bits
keeps no window, so it is shown with its levels stretched, and lighter and darker.
"""

import numpy as np
from numpy.typing import NDArray

from engine.image.picture import GrayPicture, to_gray
from engine.image.pixels import Pixels
from engine.image.window import auto_window, default_window, import_window, presets, render

Gray = NDArray[np.uint8]
CT_PRESETS = ("Mediastinum", "Lung", "Bone", "Brain")
GAMMAS = (0.7, 1.0, 1.4)
_LOW, _HIGH = 1.0, 99.0
"""Percentiles that become black and white."""


def renditions_of(picture: GrayPicture) -> tuple[Gray, ...]:
    """The pictures that a draft of a loaded picture rests on."""
    if picture.pixels is None:
        return picture_renditions(picture.gray)
    return renditions(picture.pixels, picture.body_part)


def renditions(pixels: Pixels, body_part: str = "") -> tuple[Gray, ...]:
    """The pictures of a frame, uint8 [H, W] each, the most usual first.

    Args:
        pixels: the frame.
        body_part: of its series (0018,0015).
    """
    if pixels.is_color:
        return picture_renditions(to_gray(render(pixels)))
    windows = [import_window(pixels, body_part)]
    if pixels.unit == "HU" and pixels.modality == "CT":
        if windows[0] not in presets("CT"):
            windows = [preset for preset in presets("CT") if preset.name in CT_PRESETS]
    else:
        windows = [default_window(pixels), auto_window(pixels)]
    return tuple(to_gray(render(pixels, window)) for window in windows)


def picture_renditions(gray: Gray) -> tuple[Gray, ...]:
    """The same for a picture without a window: uint8 [H, W] -> uint8 [H, W] each."""
    low, high = np.percentile(gray, (_LOW, _HIGH)) if gray.size else (0.0, 0.0)
    if high - low < 1:
        return (gray,)
    levels = np.clip((np.arange(256) - low) / (high - low), 0, 1)
    return tuple(np.round(255 * levels**gamma).astype(np.uint8)[gray] for gamma in GAMMAS)
