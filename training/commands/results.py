"""Write docs/results.md from a finished grid: `python -m training results --grid runs/grid --data DATA`.

Candidate and baselines are measured again, each seed on the same resamples, so that a mean over seeds has an interval
and two recipes have a paired comparison. The part of the document above MARK is written by hand and not changed.
"""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.errors import UserError
from training.commands.grid import MEASURED, slug
from training.data.pairs import read_pairs
from training.metrics import measure, pool
from training.metrics.embedders import Embedded, FromCheckpoint
from training.tables import curves_plot, grid_table, shared_space_plot, table

log = logging.getLogger(__name__)
MARK = "<!-- Below this line: written by `python -m training results`. -->\n"
CENTRED = ", centred"
CURVES = ("epoch", "gap", "cos_true_pairs", "margin", "r10_i2t", "r10_t2i")


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training results", description="Write docs/results.md.")
    add = parser.add_argument
    add("--grid", type=Path, default=Path("runs/grid"), help="folder of the runs of a grid")
    add("--data", type=Path, default=Path("data"), help="data folder; manifests are relative to it")
    add("--candidate", default="ATP+CU", help="variant to compare with the baselines")
    add("--baselines", nargs="+", default=["CLIP-LT", "CLIP-FT"], help="variants to compare with")
    add("--docs", type=Path, default=Path("docs"), help="folder for results.md, results.json, grid.json and two plots")
    add("--threads", type=int, default=2, help="CPU threads of PyTorch")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    runs = read_runs(options.grid)
    names = [*options.baselines, options.candidate]
    document, spaces = over_seeds(runs, names, options.data)
    shared_space_plot.draw(options.docs / "shared-space.png", spaces)
    curves_plot.draw(options.docs / "curves.png", {name: [r["curve"] for r in chosen(runs, name)] for name in names})
    write(options.docs / "results.json", json.dumps(document, indent=1) + "\n")
    write(options.docs / "grid.json", "[\n" + ",\n".join(json.dumps(summary(run)) for run in runs) + "\n]\n")
    write_below_mark(options.docs / "results.md", text(document, runs))
    return 0


def read_runs(folder: Path) -> list[dict[str, Any]]:
    """All measured runs of a grid, each with its curve from log.jsonl; UserError if there are none."""
    runs = []
    for path in sorted(folder.glob(f"*/*/{MEASURED}")):
        run = json.loads(path.read_text(encoding="utf-8"))
        lines = (path.parent / "log.jsonl").read_text(encoding="utf-8").splitlines()
        run["curve"] = [{name: round(json.loads(line)[name], 4) for name in CURVES} for line in lines]
        run["checkpoint"] = path.parent / "best.pt"
        runs.append(run)
    if not runs:
        raise UserError(f"No measured run in {folder}; run the grid first: python -m training grid ...")
    return runs


def chosen(runs: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    """The runs of one variant; UserError if there are none."""
    found = [run for run in runs if slug(run["variant"]) == slug(name)]
    if not found:
        raise UserError(f"The grid has no measured run of {name!r}.")
    return found


def over_seeds(runs: Sequence[Mapping[str, Any]], names: Sequence[str], root: Path) -> tuple[dict[str, Any], list[Any]]:
    """Measure the named recipes with every seed that all of them have; the last is compared with the others.

    Returns:
        the document of `evaluate` with means over seeds as values; and, for the plot, the spaces of the first seed
        of the first and the last recipe.
    """
    seeds = sorted(set.intersection(*({run["seed"] for run in chosen(runs, name)} for name in names)))
    if not seeds:
        raise UserError("The recipes have no seed in common; finish the grid first.")
    settings = chosen(runs, names[-1])[0]["settings"]
    files = settings["data"]
    pairs = read_pairs([root / name for name in files["manifests"]], files.get("stream", False))
    val = pairs.split("val")
    items = pool.build(val.rows)
    found: dict[str, list[measure.Measured]] = {}
    spaces = []
    for name in names:
        for run in sorted(chosen(runs, name), key=lambda run: run["seed"]):
            if run["seed"] not in seeds:
                continue
            log.info("%s, seed %d", name, run["seed"])
            model = FromCheckpoint(run["checkpoint"])
            space = Embedded(model.images(val.images), model.texts(items.texts), None)
            assert model.means is not None
            measured = measure.measure(space.images, space.texts, items)
            moved = space.centred(model.means)
            found.setdefault(name, []).append(measured)
            found.setdefault(name + CENTRED, []).append(measure.measure(moved.images, moved.texts, items))
            if run["seed"] == seeds[0] and name in (names[0], names[-1]):
                values = measured.values
                title = f"{name}: gap {values['gap']:.2f} (floor {values['gap_floor']:.2f}), "
                title += f"cos {values['cos_true_pairs']:.2f}"
                spaces.append((title, space.images, space.texts, items.own))
    means = {name: mean_of(several) for name, several in found.items()}
    candidate = means[names[-1]]
    document = {
        "split": "val",
        "manifests": settings["data"]["manifests"],
        "pool": items.as_dict(),
        "seed": 0,
        "training_seeds": seeds,
        "resamples": measure.DRAWS,
        "models": {name: mean.as_dict() for name, mean in means.items()},
        "chance": measure.chance(items),
        "habit": measure.habit(items),
        "comparisons": {
            f"{names[-1]} over {name}": measure.flat(measure.compare(candidate, mean))
            for name, mean in means.items()
            if name != names[-1]
        },
        "rejected": [refused.as_dict() for refused in pairs.rejected],
    }
    return document, spaces


def mean_of(several: Sequence[measure.Measured]) -> measure.Measured:
    """Means over seeds of values and of resamples; each seed was resampled with the same groups."""
    first = several[0]
    values = {name: float(np.mean([one.values[name] for one in several])) for name in first.values}
    samples = {name: np.mean([one.samples[name] for one in several], axis=0) for name in first.samples}
    scale = {
        kind: {name: float(np.mean([one.score_scale[kind][name] for one in several])) for name in entry}
        for kind, entry in first.score_scale.items()
    }
    return measure.Measured(values, samples, scale)


def summary(run: Mapping[str, Any]) -> dict[str, Any]:
    """A run as grid.json stores it: rounded, without what all runs share, and only with the metrics of the table.

    The other metrics of candidate and baselines are in results.json.
    """
    shown = {name for name, _, _ in grid_table.COLUMNS}
    short = {
        kind: {
            name: None if value is None else round(value, 4)
            for name, value in run["measured"][kind].items()
            if name in shown
        }
        for kind in ("raw", "centred")
    }
    return {
        "variant": run["variant"],
        "seed": run["seed"],
        "settings": run["settings"],
        **short,
        "curve": run["curve"],
    }


def text(document: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> str:
    """The generated part of the document, below the mark."""
    seeds = ", ".join(map(str, document["training_seeds"]))
    return (
        f"## Three recipes, means over the training seeds {seeds}\n\n"
        + table.markdown(document)
        + "\n## Every variant\n\n"
        + grid_table.markdown(runs)
        + "\nSettings, measurements and the curve of every run: [grid.json](grid.json); values of the first tables: "
        "[results.json](results.json).\n\n"
        "![Gap and cosine of true pairs over training](curves.png)\n\n"
        "![Shared space of two recipes, each in one projection](shared-space.png)\n"
    )


def write_below_mark(path: Path, generated: str) -> None:
    """Replace the part below the mark, or append mark and part."""
    before = path.read_text(encoding="utf-8") if path.exists() else "# Results on the val split\n"
    write(path, before.partition(MARK)[0].rstrip() + "\n\n" + MARK + "\n" + generated)


def write(path: Path, content: str) -> None:
    """Write a text file."""
    path.write_text(content, encoding="utf-8")
