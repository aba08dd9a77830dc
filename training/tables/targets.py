"""The targets of the recipe by source, and whether its measurements reach them. Knows no models; reads grid results."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.tables.source_table import CONTENT, SPACE, Column, interval
from training.tables.table import grid

COLUMNS = {column.metric: column for column in (*SPACE, *CONTENT)}


@dataclass(frozen=True)
class Target:
    """What the value of one metric on one source must reach."""

    source: str
    metric: str
    goal: float
    at_most: bool = False

    @property
    def column(self) -> Column:
        """How the metric is shown."""
        return COLUMNS[self.metric]

    @property
    def title(self) -> str:
        """R@10 i2t at least 48.0."""
        return f"{self.column.title} {'at most' if self.at_most else 'at least'} {self.column.number(self.goal)}"

    def reached(self, value: float) -> bool:
        """Whether a value reaches the goal."""
        return value <= self.goal if self.at_most else value >= self.goal


TO_TEXT, TO_IMAGE, GAP = "recall@10_image_to_text", "recall@10_text_to_image", "gap_over_floor"
TARGETS = (
    *(Target(source, GAP, goal, at_most=True) for source, goal in (("pairs", 0.05), ("IU", 0.1), ("ROCO", 0.05))),
    *(Target("pairs", metric, goal) for metric, goal in ((TO_TEXT, 0.48), (TO_IMAGE, 0.45))),
    *(Target("IU", metric, goal) for metric, goal in ((TO_TEXT, 0.18), (TO_IMAGE, 0.15))),
    *(Target("ROCO", metric, goal) for metric, goal in ((TO_TEXT, 0.48), (TO_IMAGE, 0.48))),
    Target("pairs", "calibrated_cross_ndcg@10", 0.13),
    Target("ROCO", "calibrated_cross_ndcg@10", 0.12),
    *(Target("IU", f"findings@5_index_abnormal{others}", 0.3) for others in ("", "_others")),
    *(
        Target("IU", f"auroc_{name}", goal)
        for name, goal in (("effusion", 0.92), ("pneumothorax", 0.88), ("cardiomegaly", 0.85), ("normal", 0.75))
    ),
)
NO_WORSE = (TO_TEXT, TO_IMAGE)
"""Metrics in which the candidate must be better or not worse than the baseline, by their verdict."""


def table(sources: Mapping[str, Mapping[str, Any]], candidate: str, baseline: str) -> str:
    """Every target with the candidate's value, and whether it is reached; then recall against the baseline by source.

    Args:
        sources: as `training.metrics.by_source.compared` returns them.
    """
    lines = [["source", "target", candidate, ""]]
    for target in TARGETS:
        measured = sources.get(target.source, {})
        entry = measured.get("models", {}).get(candidate, {}).get(target.metric)
        if entry is not None:
            shown = "reached" if target.reached(entry["value"]) else "**missed**"
            count = measured.get("positives", {}).get(target.metric.removeprefix("auroc_"))
            title = target.title + (f" ({count['images']} images of {count['studies']} studies)" if count else "")
            lines.append([target.source, title, interval(target.column, entry), shown])
    for source, found in sources.items():
        for metric in NO_WORSE:
            entry = found["comparisons"].get(f"{candidate} over {baseline}", {}).get(metric)
            if entry is not None:
                points = [f"{100 * entry[name]:+.1f}" for name in ("difference", "low", "high")]
                fine = entry["verdict"] in ("better", "not worse")
                title = f"{COLUMNS[metric].title} not worse than {baseline}"
                lines.append(
                    [source, title, f"{points[0]} ({points[1]} to {points[2]})", "reached" if fine else "**missed**"]
                )
    return grid(lines)
