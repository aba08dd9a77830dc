"""Blacks out text that is burned into a picture. Knows no models beyond the boxes they find, and no archive.

A detector finds lines; what they say is not known, so everything goes but a letter that stands alone, as on the side
markers R and L. Over anatomy a box needs more to be taken for text.
"""

import numpy as np
from numpy.typing import NDArray

from engine.models.text_detector import TextBox, TextDetector

DARK = 40
"""Gray level of the ground below which a box is outside the anatomy."""
SHARP = 22
"""Least sharpness of the edges of a box over anatomy; its line is horizontal, too: spines and vessels are upright."""
SINGLE = 1.55
"""A box whose sides differ by less than this factor holds a letter, or two narrow ones."""
ALONE = 2.5
"""A letter without a box within so many heights on its line is no initial of a name."""
REACH = 2.0
"""Boxes are lengthened by so many heights at both ends, where the detector misses single letters ("Smith, J")."""


def without_text(gray: NDArray[np.uint8], detector: TextDetector) -> tuple[NDArray[np.uint8], int]:
    """A picture uint8 [H, W] with its text blacked out, and the number of boxes; the picture itself if it has none."""
    boxes = text_boxes(detector.boxes(gray))
    return (np.where(covered(gray.shape, boxes), np.uint8(0), gray), len(boxes)) if boxes else (gray, 0)


def covered(shape: tuple[int, ...], boxes: list[TextBox]) -> NDArray[np.bool_]:
    """The pixels of a picture of that shape that the boxes black out, bool [H, W]."""
    mask = np.zeros(shape, bool)
    for box in boxes:
        top, left, bottom, right = _reach(box)
        mask[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
    return mask


def text_boxes(found: list[TextBox]) -> list[TextBox]:
    """Those of the boxes found in a picture that are blacked out."""
    likely = [one for one in found if one.ground < DARK or (one.edge >= SHARP and one.width >= one.height)]
    return [one for one in likely if not (_is_single(one) and not any(_beside(one, other) for other in likely))]


def _is_single(box: TextBox) -> bool:
    return max(box.width, box.height) < SINGLE * min(box.width, box.height)


def _beside(box: TextBox, other: TextBox) -> bool:
    """Whether the other box continues the line of this one."""
    shared = min(box.bottom, other.bottom) - max(box.top, other.top)
    gap = max(box.left, other.left) - min(box.right, other.right)
    return other is not box and shared > 0.5 * min(box.height, other.height) and gap < ALONE * box.height


def _reach(box: TextBox) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of the pixels to black out."""
    more = REACH * min(box.width, box.height)
    down, across = (0.0, more) if box.width >= box.height else (more, 0.0)
    top, left = box.top - down, box.left - across
    bottom, right = box.bottom + down, box.right + across
    return int(np.floor(top)), int(np.floor(left)), int(np.ceil(bottom)), int(np.ceil(right))
