"""Plots gap, cosine of true pairs and margin over training, from log.jsonl. Knows no models."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from training.tables.shared_space_plot import BACKGROUND, IMAGES, INK, LINKS, TEXTS

Curve = Sequence[Mapping[str, float]]
COLORS = (LINKS, TEXTS, IMAGES, "#7fd17f")
PANELS = (("gap", "gap of the means"), ("cos_true_pairs", "cosine of true pairs"), ("margin", "margin"))


def draw(path: Path, curves: Mapping[str, Sequence[Curve]]) -> None:
    """Write a PNG: one panel per metric, one line per recipe, a band from the lowest to the highest seed.

    Args:
        curves: by recipe, one curve per seed: for each epoch its number `epoch` and the values named in PANELS.
    """
    with mpl.rc_context({"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}):
        figure = Figure(figsize=(11.2, 3.6), facecolor=BACKGROUND, layout="constrained")
        for panel, (name, shown) in zip(figure.subplots(1, len(PANELS)), PANELS):
            panel.set_facecolor(BACKGROUND)
            for color, (recipe, seeds) in zip(COLORS, curves.items()):
                length = min(map(len, seeds))
                epochs = [line["epoch"] for line in seeds[0][:length]]
                values = np.array([[line[name] for line in curve[:length]] for curve in seeds])
                panel.plot(epochs, values.mean(0), color=color, label=recipe)
                panel.fill_between(epochs, values.min(0), values.max(0), color=color, alpha=0.25, linewidth=0)
            panel.set(xlabel="epoch", title=shown, ylim=(0, None))
            for spine in panel.spines.values():
                spine.set_color(LINKS)
        handles, labels = panel.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, labelcolor=INK)
        figure.savefig(path, dpi=100)
