"""Train many recipes with several seeds and put them in one table: `python -m training grid --config FILE`.

Every run has a folder of its own with its measurements, so that a stopped grid continues where it was and only changed
runs are repeated. Does not know how a recipe is trained or evaluated.
"""

import dataclasses
import json
import logging
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.errors import UserError
from training.commands.evaluate import evaluate_pairs
from training.commands.train_encoders import train
from training.data.pairs import read_pairs
from training.loop import config
from training.loop.command import arguments
from training.metrics.embedders import FromCheckpoint
from training.tables import grid_table

log = logging.getLogger(__name__)
MEASURED = "measured.json"


@dataclass(frozen=True)
class Run:
    """One recipe with one seed, and its folder."""

    variant: str
    seed: int
    settings: config.EncoderSettings
    folder: Path


@dataclass(frozen=True)
class Grid:
    """The content of a grid file: a base recipe, seeds, and the changes of each variant by its name."""

    base: Path
    seeds: list[int]
    variants: dict[str, dict[str, dict[str, Any]]]

    def runs(self, out: Path) -> Iterator[Run]:
        """Seed by seed, so that a grid that is stopped early still compares every variant."""
        start = config.read(self.base).as_dict()
        for seed in self.seeds:
            for name, changes in self.variants.items():
                values = {table: {**start[table], **changes.get(table, {})} for table in start}
                values["train"]["seed"] = seed
                yield Run(name, seed, config.from_dict(values), out / slug(name) / f"seed{seed}")


def read(path: Path) -> Grid:
    """Read a grid file.

    Raises:
        UserError: the file is missing or is not TOML, or a table or setting is unknown.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise UserError(f"Cannot read the grid {path}; see training/configs/grid.toml for an example.") from problem
    except tomllib.TOMLDecodeError as problem:
        raise UserError(f"{path} is not valid TOML: {problem}.") from problem
    if set(values) != {"base", "seeds", "variants"}:
        raise UserError(f"{path} must contain base, seeds and [variants], and nothing else.")
    variants: dict[str, Any] = values["variants"]
    if len({slug(name) for name in variants}) < len(variants):
        raise UserError(f"Two variants of {path} would share a folder; rename one of them.")
    for name, changes in variants.items():
        config.from_dict(changes)  # raises if a setting is unknown
        if "seed" in changes.get("train", {}):
            raise UserError(
                f"{path}: {name!r} sets a seed, but the seeds are those of the grid; remove seed from its [train]."
            )
    return Grid(path.parent / values["base"], list(values["seeds"]), variants)


def slug(name: str) -> str:
    """A name as a folder name: lower case, with "-" for everything but letters and digits."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-")


def run_grid(grid: Grid, root: Path, out: Path, cache: Path) -> list[dict[str, Any]]:
    """Train and measure the runs that are missing or have changed.

    Returns:
        one document per run: variant, seed, settings, and `measured`, the metrics of `evaluate` for "raw" and
        "centred" (by the means of the training split).
    """
    documents = []
    for run in grid.runs(out):
        path = run.folder / MEASURED
        document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        if document is None or not same_settings(document["settings"], run):
            log.info("%s, seed %d", run.variant, run.seed)
            document = {"variant": run.variant, "seed": run.seed, "settings": settings_of(run)}
            best = train(run.settings, root, run.folder, cache, resume(run))
            document["measured"] = measured(best, run.settings, root)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
            part.replace(path)
        documents.append(document)
    return documents


def settings_of(run: Run) -> dict[str, Any]:
    """The settings of a run as measured.json stores them."""
    found: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(run.settings)))
    return found


def same_settings(stored: dict[str, Any], run: Run) -> bool:
    """Whether these are the settings of the run; those that an earlier version did not have count as the defaults."""
    try:
        return config.from_dict(stored) == run.settings
    except UserError:
        return False


def resume(run: Run) -> bool:
    """Whether the folder contains an unfinished run with the same settings; otherwise the run starts again."""
    path = run.folder / "settings.json"
    try:
        same = same_settings(json.loads(path.read_text(encoding="utf-8")), run)
    except (OSError, ValueError):  # a first start, or one that was killed while it wrote the file
        same = False
    run.folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings_of(run), indent=1), encoding="utf-8")
    return same


def measured(checkpoint: Path, settings: config.EncoderSettings, root: Path) -> dict[str, Any]:
    """All metrics on val, raw and centred."""
    torch.set_num_threads(settings.train.threads)
    manifests = [root / name for name in settings.data.manifests]
    pairs = read_pairs(manifests, settings.data.stream)
    document, _ = evaluate_pairs({"raw": FromCheckpoint(checkpoint)}, pairs, settings.data.manifests, centre=True)
    models = document.pop("models")
    names = {"raw": "raw", "raw, centred": "centred"}
    values = {
        names[name]: {metric: entry["value"] for metric, entry in found["metrics"].items()}
        for name, found in models.items()
    }
    return {**values, "pool": document["pool"], "chance": document["chance"], "habit": document["habit"]}


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    options = arguments("grid", "Train many recipes with several seeds.", argv, markdown=True)
    documents = run_grid(read(options.config), options.data, options.out, options.cache)
    text = grid_table.markdown(documents)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    logging.getLogger(__name__).info("\n%s", text)
    return 0
