"""Finds text in pictures with a small network (PP-OCRv3). Reads no text, and does not know what becomes of it.

The network marks the core of each line of text (differentiable binarization, Liao et al. 2020, arXiv:1911.08947). It
was trained on photographs and documents; in radiology it takes ribs, vertebrae and bowel for lines. Letters are thin
and anatomy is not, so what is wider than a stroke is subtracted from the picture before the network sees it.
"""

import functools
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import UserError
from engine.models import runtime
from engine.models.components import components
from engine.resources import resource_path

FILE = ("text-detector", "ch_PP-OCRv3_det_infer.onnx")
SHA256 = "3439588c030faea393a54515f51e983d8e155b19a2e8aba7891934c1cf0de526"
INPUT, OUTPUT = "x", "sigmoid_0.tmp_0"
LEAST_SIDE, MOST_SIDE = 480, 960
"""Pixels of the longest side as the network sees it: smaller pictures are enlarged, at most twice; larger reduced."""
MARGIN = 16
"""Black pixels around what the network sees: without, it misses letters at the edge of a picture."""
MULTIPLE = 32
"""The sides that the network takes are multiples of this."""
STROKE = 15
"""What is at least as wide as this, in pixels as the network sees it, is no stroke of a letter."""
THRESHOLD, LEAST_SCORE = 0.3, 0.5
"""Of the probability of a pixel, and of its mean within a region."""
UNCLIP = 1.6
"""The network was trained to mark text shrunk by area / perimeter times this (ibid., equation 10)."""
THICKEST = 0.12
"""A region thicker than this share of the longest side is not a line of text."""


@dataclass(frozen=True, slots=True)
class TextBox:
    """Where a line or a letter is, in pixels of the picture; bottom and right are exclusive."""

    top: float
    left: float
    bottom: float
    right: float
    ground: float
    """Mean gray level of what is behind the letters, 0 to 255."""
    edge: float
    """How sharp its strongest edges are: gray levels a pixel, in the size in which the network sees the picture."""

    @property
    def height(self) -> float:
        """In pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> float:
        """In pixels."""
        return self.right - self.left


class TextDetector:
    """The network in a session of its own, always on the CPU: each picture has its own shape. Threads may share it."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        """Verify the file.

        Args:
            path: the network.
            threads: of one picture; None for all cores. One each is faster for several pictures at once, and finds the
                same boxes.

        Raises:
            UserError: it is missing or damaged.
        """
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            raise UserError(f"{path}, which finds text in images, cannot be read; install Kindred again.") from None
        if digest != SHA256:
            raise UserError(f"{path}, which finds text in images, is damaged; install Kindred again.")
        machine = runtime.detect("cpu")
        self._model = runtime.Model(path, replace(machine, threads=threads or machine.threads), many_shapes=True)

    def boxes(self, gray: NDArray[np.uint8]) -> list[TextBox]:
        """The boxes of what looks like text in a picture uint8 [H, W], from top to bottom."""
        seen, scale = _as_seen(gray)
        ground = _opened(seen, STROKE)
        height, width = seen.shape
        canvas = np.zeros((1, 3, _padded(height), _padded(width)), np.float32)
        inside = (slice(MARGIN, MARGIN + height), slice(MARGIN, MARGIN + width))
        canvas[:, :, *inside] = np.minimum(2.0 * (seen - ground), 255.0)
        probability = self._model.run([OUTPUT], {INPUT: canvas / 127.5 - 1})[0][0, 0][inside]
        found = []
        for one in components(probability, THRESHOLD):
            tall, wide = one.bottom - one.top, one.right - one.left
            if one.mean < LEAST_SCORE or min(tall, wide) < 2 or min(tall, wide) > THICKEST * max(height, width):
                continue
            grown = UNCLIP * tall * wide / (2 * (tall + wide))
            sides = (one.top - grown, one.left - grown, one.bottom + grown, one.right + grown)
            top, left, bottom, right = (side / scale for side in sides)
            core = (slice(one.top, one.bottom), slice(one.left, one.right))
            found.append(TextBox(top, left, bottom, right, float(ground[core].mean()), _sharpness(seen[core])))
        return found


@functools.lru_cache(maxsize=2)
def text_detector(threads: int | None = None) -> TextDetector:
    """The detector that ships with Kindred, opened once for each number of threads of a picture.

    Raises:
        UserError: its file is missing or damaged.
    """
    return TextDetector(resource_path(*FILE), threads)


def _as_seen(gray: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """The picture in the size in which the network sees it, and the scale."""
    longest = max(gray.shape)
    scale = min(min(max(longest, LEAST_SIDE), MOST_SIDE) / longest, 2.0)
    if scale == 1:
        return gray, scale
    height, width = (max(1, round(side * scale)) for side in gray.shape)
    return np.asarray(Image.fromarray(gray).resize((width, height), Image.Resampling.BICUBIC)), scale


def _padded(side: int) -> int:
    return -(-(side + 2 * MARGIN) // MULTIPLE) * MULTIPLE


def _sharpness(part: NDArray[np.uint8]) -> float:
    """The 95th percentile of the gradient of a part of a picture, gray levels a pixel."""
    down, across = np.gradient(part.astype(np.float32))
    return float(np.percentile(np.hypot(down, across), 95))


def _opened(gray: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The morphological opening with a square: without what is bright and narrower than `size`, uint8 [H, W]."""
    for extreme in (np.minimum, np.maximum):
        for _ in range(2):  # rows, then columns
            gray = np.pad(gray, ((size // 2, size - 1 - size // 2), (0, 0)), mode="edge")
            reach = 1  # each value is the extreme of so many; twice as many in each step
            while reach < size:
                step = min(reach, size - reach)
                gray = extreme(gray[:-step], gray[step:])
                reach += step
            gray = gray.T
    return gray
