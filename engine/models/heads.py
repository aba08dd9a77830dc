"""Projects trunk features into the shared space with the heads of a bundle. Does not know the trunks.

A head is what `training.networks.heads` trains: LayerNorm, Linear, GELU, Linear, or one Linear without a bias. It lies
apart from the ONNX graphs, so that it can be trained further without them (`engine.adapt`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.models.arrays import read_arrays, unreadable

FILE = "heads.npz"
FLOAT = 16
"""As a number of bits: weights stay float16 instead of integers with a scale per row."""
EPSILON = 1e-5
"""Added to the variance by LayerNorm, as in torch."""
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)

Rows = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]
Parameters = Mapping[str, Rows]
"""One head by name: "norm.weight" [F], "norm.bias" [F], "first.weight" [H, F], "first.bias" [H], "last.weight" [D, H],
"last.bias" [D]; a linear head has only "last.weight" [D, F]."""


def project(head: Parameters, features: Rows) -> Rows:
    """Features float32 [N, F] -> float32 [N, D], not normalised. A row does not depend on the others.

    Sums by `einsum`, not by BLAS: for the few rows of a query its threads would only wait for those of onnxruntime, up
    to 50 ms on busy cores, where the sums take 0.5 ms.
    """
    rows = np.asarray(features, np.float32)
    if "first.weight" in head:
        normal = np.asarray(layer_norm(rows) * head["norm.weight"] + head["norm.bias"], np.float32)
        rows = gelu(np.einsum("nf,hf->nh", normal, head["first.weight"]) + head["first.bias"])
    rows = np.einsum("nh,dh->nd", rows, head["last.weight"])
    return np.asarray(rows + head["last.bias"] if "last.bias" in head else rows, np.float32)


def width_of(head: Parameters) -> int:
    """Length F of the features that a head projects."""
    return int(head["first.weight" if "first.weight" in head else "last.weight"].shape[1])


def layer_norm(rows: Floats) -> Rows:
    """Each row with mean 0 and variance 1, before weight and bias (Ba et al. 2016)."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + EPSILON), np.float32)


def gelu(values: Floats) -> Rows:
    """Return x times the normal distribution function of x (Hendrycks and Gimpel 2016), the exact form."""
    return np.asarray(values * normal_distribution(values), np.float32)


def normal_distribution(values: Floats) -> Rows:
    """P(Z <= x) of a standard normal Z, to an absolute error of 1e-7 (Abramowitz and Stegun 1964, 7.1.26)."""
    size = np.abs(values) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * size)
    tail = np.zeros_like(t)
    for factor in reversed(_ERF):
        tail = (tail + np.float32(factor)) * t
    tail *= np.exp(-size * size) * np.float32(0.5)
    return np.asarray(np.where(values > 0, 1 - tail, tail), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """The projections of both trunks."""

    image: Parameters
    text: Parameters

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a file written by `write`.

        Raises:
            UserError: the file cannot be read or holds no heads.
        """
        kept = read_arrays(path)
        try:
            heads = cls(_read(kept, "image."), _read(kept, "text."))
            for head in (heads.image, heads.text):  # whether the shapes go together
                project(head, np.zeros((1, width_of(head)), np.float32))
            return heads
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise unreadable(path) from error

    def write(self, path: Path, bits: int = 8) -> None:
        """Write all weights.

        Args:
            bits: of an entry of a matrix, 4 to 8 with a scale per row, or FLOAT. Fewer bits compress better. The cosine
                of a projection with that of the exact weights is about .9999 with 8 bits, .999 with 6, .99 with 4.
        """
        content: dict[str, NDArray[Any]] = {}
        for tower, head in (("image", self.image), ("text", self.text)):
            for name, value in head.items():
                if value.ndim == 2 and bits != FLOAT:
                    content[f"{tower}.{name}"], content[f"{tower}.{name}.scales"] = rounded(value, bits)
                else:
                    content[f"{tower}.{name}"] = value.astype(np.float16 if value.ndim == 2 else np.float32)
        np.savez_compressed(path, **content)  # type: ignore[arg-type]


def rounded(weight: Rows, bits: int) -> tuple[NDArray[np.int8], Rows]:
    """Round a matrix [rows, width] to integers of that many bits, and the scale [rows] to multiply them with.

    Of each row the largest entries are cut off as far as that brings all entries nearer, by least squares.
    """
    top = 2 ** (bits - 1) - 1
    largest = np.abs(weight).max(axis=1)
    full = np.where(largest == 0, 1, largest / top).astype(np.float32)
    scale, lowest = full, np.full(len(weight), np.inf, np.float32)
    for share in np.arange(1.0, 0.4, -0.05, dtype=np.float32):
        tried = full * share
        error = np.square(_integers(weight, tried, top) * tried[:, None] - weight).sum(axis=1)
        scale, lowest = np.where(error < lowest, tried, scale), np.minimum(error, lowest)
    return _integers(weight, scale, top).astype(np.int8), scale


def _integers(weight: Rows, scale: Rows, top: int) -> Rows:
    return np.asarray(np.clip(np.rint(weight / scale[:, None]), -top, top), np.float32)


def _read(kept: Mapping[str, NDArray[Any]], tower: str) -> dict[str, Rows]:
    head = {}
    for name in kept:
        if name.startswith(tower) and not name.endswith(".scales"):
            value = kept[name].astype(np.float32)
            scales = kept.get(f"{name}.scales")
            head[name.removeprefix(tower)] = value if scales is None else value * scales[:, None]
    return head
