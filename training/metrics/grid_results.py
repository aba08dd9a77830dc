"""Reads the measured runs of a grid, and averages a recipe over its seeds, source by source. Knows no models.

Every seed was measured on the same resamples of the same groups, so that a mean over seeds has an interval and two
recipes have a paired comparison; both also contain how the seeds differ, see `mean_of`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import UserError
from training.metrics.measure import Measured

MEASURED, SAMPLES = "measured.json", "samples.npz"
MEASURES = 2
"""Raised whenever a metric changes, so that finished runs are measured again, without training."""
BOTH_WAYS = "recall@10"
"""The mean of recall@10 image to text and text to image, which is added to the metrics here."""
CURVES = ("epoch", "gap", "cos_true_pairs", "margin", "r10_i2t", "r10_t2i")


@dataclass(frozen=True)
class GridRun:
    """One recipe with one seed, as the grid measured it."""

    folder: Path
    document: Mapping[str, Any]
    """The content of MEASURED; see `training.commands.grid.run_grid`."""

    @property
    def variant(self) -> str:
        """The name of the recipe."""
        return str(self.document["variant"])

    @property
    def seed(self) -> int:
        """The seed of the training."""
        return int(self.document["seed"])

    @property
    def sources(self) -> list[str]:
        """The sources that were measured, the pool of all last."""
        return list(self.document["sources"])

    def curve(self) -> list[dict[str, float]]:
        """Gap, cosine, margin and recall by epoch, from log.jsonl."""
        lines = (self.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
        return [{name: round(json.loads(line)[name], 4) for name in CURVES} for line in lines]

    def measured(self, kinds: Iterable[str]) -> dict[tuple[str, str], Measured]:
        """By source and kind, the metrics and their resamples."""
        with np.load(self.folder / SAMPLES) as stored:
            samples = {name: stored[name].astype(np.float64) for name in stored.files}
        return {
            (source, kind): of(self.document["sources"][source][kind], samples, f"{source}/{kind}/")
            for source in self.sources
            for kind in kinds
        }


def of(values: Mapping[str, float | None], samples: Mapping[str, Any], prefix: str) -> Measured:
    """The metrics of one source and kind, with BOTH_WAYS added."""
    found = {name: float("nan") if value is None else value for name, value in values.items()}
    drawn = {name.removeprefix(prefix): rows for name, rows in samples.items() if name.startswith(prefix)}
    ways = [f"{BOTH_WAYS}_{way}" for way in ("image_to_text", "text_to_image")]
    found[BOTH_WAYS] = (found[ways[0]] + found[ways[1]]) / 2
    drawn[BOTH_WAYS] = (drawn[ways[0]] + drawn[ways[1]]) / 2
    return Measured(found, drawn, {})


def read(folder: Path) -> list[GridRun]:
    """All measured runs of a grid; UserError if there are none, or if one was measured by an earlier version."""
    paths = sorted(folder.glob(f"*/*/{MEASURED}"))
    runs = [GridRun(path.parent, json.loads(path.read_text(encoding="utf-8"))) for path in paths]
    if not runs:
        raise UserError(f"No measured run in {folder}; run the grid first: python -m training grid ...")
    old = [str(run.folder) for run in runs if run.document.get("measures") != MEASURES]
    if old:
        raise UserError(f"{old[0]} was measured by an earlier version; run the grid again: it will not train again.")
    return sorted(runs, key=lambda run: (run.variant, run.seed))


def chosen(runs: Sequence[GridRun], variant: str, seeds: Iterable[int] | None = None) -> list[GridRun]:
    """The runs of one variant, of all its seeds or of the given ones; UserError if there are none."""
    wanted = None if seeds is None else set(seeds)
    found = [run for run in runs if run.variant == variant and (wanted is None or run.seed in wanted)]
    if not found:
        raise UserError(f"The grid has no measured run of {variant!r}.")
    return found


def common_seeds(runs: Sequence[GridRun], variants: Sequence[str]) -> list[int]:
    """The seeds that all of the variants have; UserError if there are none."""
    seeds = sorted(set.intersection(*({run.seed for run in chosen(runs, name)} for name in variants)))
    if not seeds:
        raise UserError("The recipes have no seed in common; finish the grid first.")
    return seeds


def over_seeds(
    runs: Sequence[GridRun], variants: Sequence[str], kinds: Sequence[str]
) -> dict[str, dict[tuple[str, str], Measured]]:
    """By source, then by variant and kind: the mean over the seeds that all of the variants have."""
    seeds = common_seeds(runs, variants)
    found: dict[str, dict[tuple[str, str], Measured]] = {}
    for variant in variants:
        several = [run.measured(kinds) for run in chosen(runs, variant, seeds)]
        for source, kind in several[0]:
            found.setdefault(source, {})[variant, kind] = mean_of([one[source, kind] for one in several])
    return found


def mean_of(several: Sequence[Measured]) -> Measured:
    """Means of values and of resamples over trainings; a metric that one of them lacks is left out.

    Each resample draws the trainings, too, with replacement: the same ones for every recipe, so that intervals contain
    how trainings differ and comparisons stay paired.
    """
    names = [name for name in several[0].values if all(name in one.values for one in several)]
    values = {name: float(np.mean([one.values[name] for one in several])) for name in names}
    drawn = {name: np.array([one.samples[name] for one in several]) for name in names if name in several[0].samples}
    draws = max((rows.shape[1] for rows in drawn.values()), default=0)
    chosen = np.random.default_rng(0).integers(len(several), size=(len(several), draws))
    samples = {name: np.take_along_axis(rows, chosen, axis=0).mean(0) for name, rows in drawn.items()}
    return Measured(values, samples, {})
