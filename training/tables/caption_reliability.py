"""Plots a reliability diagram: predicted probability against the observed share. Knows no drafts and no models."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from training.arrays import BoolArray, Float64Array
from training.tables.shared_space_plot import BACKGROUND, IMAGES, INK, LINKS, TEXTS

BINS = 6


def bins(probability: Float64Array, right: BoolArray, count: int = BINS) -> list[tuple[float, float, int]]:
    """(mean probability, share of right drafts, size) of `count` bins of about equal size, by rising probability."""
    parts = np.array_split(np.argsort(probability, kind="stable"), count)
    return [(float(probability[rows].mean()), float(right[rows].mean()), len(rows)) for rows in parts if len(rows)]


def draw(path: Path, curves: Mapping[str, tuple[Float64Array, BoolArray]]) -> None:
    """Write a PNG: for each name its bins as points, with a 95% interval of the share (Wilson 1927).

    Args:
        curves: by name, probabilities float64 [N] and whether each draft is right, bool [N].
    """
    with mpl.rc_context({"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}):
        figure = Figure(figsize=(6.4, 5.6), facecolor=BACKGROUND, layout="constrained")
        panel = figure.subplots()
        panel.set_facecolor(BACKGROUND)
        top = 0.1
        for colour, (name, (probability, right)) in zip((IMAGES, TEXTS), curves.items()):
            found = bins(probability, right)
            low, high = np.array([wilson(share, size) for _, share, size in found]).T
            shares = np.array([share for _, share, _ in found])
            means = [mean for mean, _, _ in found]
            errors = np.clip([shares - low, high - shares], 0.0, None)
            panel.errorbar(means, shares, yerr=errors, color=colour, marker="o", capsize=3, label=name)
            top = max(top, float(high.max()), max(means))
        panel.plot([0, top], [0, top], color=LINKS, linestyle="--", label="perfectly calibrated")
        panel.set(
            xlabel="predicted probability of being right",
            ylabel="observed share of right drafts",
            xlim=(0, top),
            ylim=(0, top),
        )
        for spine in panel.spines.values():
            spine.set_color(LINKS)
        panel.legend(frameon=False, labelcolor=INK)
        figure.savefig(path, dpi=110)


def wilson(share: float, size: int) -> tuple[float, float]:
    """95% score interval of a share of `size` cases."""
    z = 1.96
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    reach = z * np.sqrt(share * (1 - share) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    return float(middle - reach), float(middle + reach)
