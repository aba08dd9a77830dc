"""Loss functions and their gradients in numpy: InfoNCE, Align True Pairs, Centroid Uniformity, gap. Knows no networks.

The equations are those of docs/method.md, "Losses", for two kinds: images and texts, float [N, D] with unit rows, row i
of both belonging to pair i. Every function returns the loss and its gradients with respect to images and texts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.adapt.network import unit, unit_backward
from engine.models.heads import Floats

Loss = tuple[float, Floats, Floats]


def info_nce(images: Floats, texts: Floats, tau: float, same: NDArray[np.bool_]) -> Loss:
    """L_NCE, symmetric InfoNCE.

    1/2 * (CE(Z_img Z_txt^T / tau) + CE(Z_txt Z_img^T / tau)), true pairs on the diagonal.

    Args:
        tau: temperature > 0.
        same: bool [N, N], True where two pairs are not negatives of each other because they have the same text.
    """
    count = len(images)
    scores = images @ texts.T / tau
    scores[same & ~np.eye(count, dtype=bool)] = -np.inf
    to_text, to_image = _log_softmax(scores, 1), _log_softmax(scores, 0)
    loss = -0.5 * float(np.mean(np.diagonal(to_text) + np.diagonal(to_image)))
    slope = (np.exp(to_text) + np.exp(to_image) - 2 * np.eye(count, dtype=scores.dtype)) / (2 * count * tau)
    return loss, slope @ texts, slope.T @ images


def align_true_pairs(images: Floats, texts: Floats) -> Loss:
    """L_ATP: the mean over pairs of the squared distance of image and text."""
    apart = texts - images
    slope = apart * (2 / len(images))
    return float((apart * apart).sum(axis=1).mean()), -slope, slope


def centroid_uniformity(images: Floats, texts: Floats) -> Loss:
    """L_CU: log of the mean over pairs i < j of exp(-2 * || mu_i - mu_j ||^2), mu_i the normalised centroid of pair i.

    0 for a single pair.
    """
    if len(images) < 2:
        return 0.0, np.zeros_like(images), np.zeros_like(texts)
    centroids, lengths = unit((images + texts) / 2)
    close = np.exp(-2 * (2 - 2 * (centroids @ centroids.T)))
    np.fill_diagonal(close, 0)
    total = float(close.sum())  # every pair twice
    slope = (8 / total) * (close @ centroids)  # each of the two halves of `close` moves both ends of its pairs
    half = unit_backward(centroids, lengths, slope) / 2
    return float(np.log(total / (len(images) * (len(images) - 1)))), half, half


def squared_gap(images: Floats, texts: Floats) -> Loss:
    """The square of the modality gap of the batch: || mean(Z_img) - mean(Z_txt) ||^2.

    Part of L_ATP. Of few pairs it is what generalises best to others, so it gets a weight of its own.
    """
    apart = images.mean(axis=0) - texts.mean(axis=0)
    slope = np.broadcast_to(apart * (2 / len(images)), images.shape)
    return float(apart @ apart), slope, -slope


@dataclass(frozen=True, slots=True)
class Weights:
    """The temperature, and the weights of the terms beside L_NCE."""

    tau: float
    align: float
    """Of L_ATP."""
    uniform: float
    """Of L_CU."""
    gap: float
    """Of the squared gap."""


def objective(
    images: Floats, texts: Floats, same: NDArray[np.bool_], weights: Weights
) -> tuple[dict[str, float], Floats, Floats]:
    """The weighted sum of all losses: its terms by name, and its gradients."""
    terms = {
        "nce": (1.0, info_nce(images, texts, weights.tau, same)),
        "atp": (weights.align, align_true_pairs(images, texts)),
        "cu": (weights.uniform, centroid_uniformity(images, texts)),
        "gap": (weights.gap, squared_gap(images, texts)),
    }
    of_images, of_texts = (sum(weight * loss[kind] for weight, loss in terms.values()) for kind in (1, 2))
    return {name: loss[0] for name, (_, loss) in terms.items()}, np.asarray(of_images), np.asarray(of_texts)


def _log_softmax(scores: Floats, axis: int) -> Floats:
    shifted = scores - scores.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))
