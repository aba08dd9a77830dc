"""Plots the frontier: what closing the gap costs in retrieval, one panel a source. Knows no models."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from training.tables.shared_space_plot import BACKGROUND, INK, LINKS
from training.tables.source_table import by_variant, collected

COLORS = ("#ffb454", "#ffe08a", "#4fb3ff", "#7fd17f", "#d08cff", "#ff7a8a", "#6fe0d8", "#c0c8d0")
PANELS_A_ROW = 3


def draw(path: Path, documents: Sequence[Mapping[str, Any]]) -> None:
    """Write a PNG: gap over floor (lower is closed) against the mean R@10 of both directions, one colour a recipe.

    A large mark is the mean over the seeds, small ones are the seeds; a hollow mark is the recipe centred on the
    archive.
    """
    sources = list(documents[0]["references"])
    height = -(-len(sources) // PANELS_A_ROW)
    with mpl.rc_context({"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}):
        figure = Figure(figsize=(11.6, 3.9 * height + 0.8), facecolor=BACKGROUND, layout="constrained")
        panels = figure.subplots(height, PANELS_A_ROW, squeeze=False).ravel()
        for panel, source in zip(panels, sources):
            for color, (name, runs) in zip(COLORS * 9, by_variant(documents).items()):
                for kind, face in (("raw", color), ("centred", "none")):
                    gaps, recalls = points([run["sources"][source][kind] for run in runs])
                    panel.scatter(gaps, recalls, s=9, color=color, alpha=0.4, linewidths=0)
                    label = name if kind == "raw" else None
                    panel.scatter(gaps.mean(), recalls.mean(), s=64, facecolors=face, edgecolors=color, label=label)
            panel.axvline(0.0, color=LINKS, linewidth=0.8, linestyle="--")
            panel.set(facecolor=BACKGROUND, title=source, xlabel="gap over its floor", ylabel="R@10 in %")
            for spine in panel.spines.values():
                spine.set_color(LINKS)
        for panel in panels[len(sources) :]:
            panel.set_axis_off()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, labelcolor=INK)
        figure.savefig(path, dpi=100)


def points(runs: Sequence[Mapping[str, float | None]]) -> tuple[Any, Any]:
    """Gap over floor, and the mean R@10 of both directions in %, of each run."""
    found = collected(runs)
    ways = [np.array(found[f"recall@10_{way}"]) for way in ("image_to_text", "text_to_image")]
    return np.array(found["gap_over_floor"]), 50.0 * (ways[0] + ways[1])
