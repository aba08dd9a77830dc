"""Plots the shared space: images and texts in one projection, models side by side. Knows no models."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.arrays import FloatArray, IntArray

BACKGROUND, INK, IMAGES, TEXTS, LINKS = "#14181d", "#d7dde4", "#4fb3ff", "#ffb454", "#5b6672"


def project(images: FloatArray, texts: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The first two principal components of both modalities together, so that the gap is shown as it is.

    Args:
        images: float [N, D]; texts: float [T, D].

    Returns:
        float [N, 2] of the images, float [T, 2] of the texts, and the share of variance of both axes [2].
    """
    rows = np.concatenate([images, texts]).astype(np.float64)
    rows -= rows.mean(0)
    _, values, axes = np.linalg.svd(rows, full_matrices=False)
    flat = rows @ axes[:2].T
    shares = np.square(values[:2]) / np.square(values).sum()
    return flat[: len(images)], flat[len(images) :], shares


def draw(path: Path, spaces: Sequence[tuple[str, FloatArray, FloatArray, IntArray]]) -> None:
    """Write a PNG with one panel per model.

    Args:
        spaces: title, images [N, D], unique texts [T, D], and the number of each image's own text [N].
    """
    with mpl.rc_context({"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}):
        figure = Figure(figsize=(5.6 * len(spaces), 6.4), facecolor=BACKGROUND, layout="constrained")
        panels = figure.subplots(1, len(spaces), squeeze=False)[0]
        for panel, (title, images, texts, own) in zip(panels, spaces):
            _panel(panel, title, images, texts, own)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, labelcolor=INK)
        figure.savefig(path, dpi=110)


def _panel(panel: Axes, title: str, images: FloatArray, texts: FloatArray, own: IntArray) -> None:
    image_points, text_points, shares = project(images, texts)
    for point, text in zip(image_points, own):
        other = text_points[text]
        panel.plot([point[0], other[0]], [point[1], other[1]], color=LINKS, linewidth=0.4, alpha=0.35, zorder=1)
    style: dict[str, Any] = {"s": 14, "linewidths": 0, "alpha": 0.85, "zorder": 2}
    panel.scatter(image_points[:, 0], image_points[:, 1], color=IMAGES, label="images", **style)
    panel.scatter(text_points[:, 0], text_points[:, 1], color=TEXTS, marker="s", label="reports", **style)
    for points, color in ((image_points, IMAGES), (text_points, TEXTS)):
        center = points.mean(0)
        panel.scatter(center[0], center[1], color=color, edgecolors=INK, s=150, marker="X", zorder=3)
    panel.set(
        title=title,
        facecolor=BACKGROUND,
        aspect="equal",
        xlabel=f"component 1 ({shares[0]:.0%} of the variance)",
        ylabel=f"component 2 ({shares[1]:.0%})",
    )
    panel.set_box_aspect(1)
    panel.set_adjustable("datalim")
    for side in panel.spines.values():
        side.set_color(LINKS)
