"""Evaluate models on a split: `python -m training evaluate --checkpoint best.pt --pairs pairs.csv`. Does not train."""

import argparse
import json
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from engine.errors import UserError
from training.data.pairs import Pairs, read_pairs
from training.metrics import by_source, measure, pool, zero_shot
from training.metrics.embedders import Embedded, Embedder, FromBundle, FromCheckpoint, train_means
from training.tables import shared_space_plot, source_table, table

CENTRED = ", centred"


def main(argv: Sequence[str]) -> int:
    """Print the tables as Markdown, or the whole document as JSON.

    Raises:
        UserError: invalid options, configuration, model or manifest.
    """
    parser = arguments()
    options = parser.parse_args(argv)
    if options.config:
        parser.set_defaults(**read_config(options.config, parser))
        options = parser.parse_args(argv)
    if not options.pairs or bool(options.checkpoint) == bool(options.bundle):
        raise UserError("Give --pairs and either --checkpoint or --bundle, or a --config that names them.")
    torch.set_num_threads(options.threads)
    models: dict[str, Embedder] = {}
    for argument in options.baselines:
        name, _, path = argument.partition("=")
        if not path:
            raise UserError(f"{argument!r} is not of the form NAME=CHECKPOINT.")
        models[name] = FromCheckpoint(Path(path))
    models[options.name] = (
        FromBundle(options.bundle, options.variant) if options.bundle else FromCheckpoint(options.checkpoint)
    )
    document, spaces = evaluate(
        models,
        options.pairs,
        split=options.split,
        centre=options.centre,
        seed=options.seed,
        stream=options.stream,
        sources=options.by_source,
    )
    text = table.markdown(document)
    if options.by_source:
        text += "\n## By source\n\n" + source_table.by_source(document["sources"], options.seed) + "\n"
    if options.plot:
        chosen = [name for name in (next(iter(spaces)), options.name) if name in spaces]
        shared_space_plot.draw(options.plot, [spaces[name] for name in dict.fromkeys(chosen)])
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    if options.output:
        options.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(document) + "\n" if options.json else text)
    return 0


def arguments() -> argparse.ArgumentParser:
    """The command line parser."""
    parser = argparse.ArgumentParser(
        prog="python -m training evaluate", description="Evaluate models on one split by all metrics."
    )
    add = parser.add_argument
    add("--config", type=Path, help="a TOML file of defaults for these options")
    add("--checkpoint", type=Path, help="best.pt of an encoders run")
    add("--bundle", type=Path, help="folder of an exported bundle")
    add("--variant", help="variant of the bundle; default: that of the application")
    add("--pairs", type=Path, nargs="+", default=[], help="CSV manifests of pairs")
    add("--stream", action="store_true", help="decode images when they are needed instead of holding all in memory")
    add("--split", default="val", help="split to evaluate on; default val")
    add("--name", default="this model", help="name of the model in the tables")
    add("--baselines", nargs="*", default=[], metavar="NAME=CHECKPOINT", help="models to compare with")
    add("--centre", action="store_true", help="also evaluate each model with mean-centring by its TRAIN means")
    add(
        "--by-source",
        action="store_true",
        help="also measure each manifest on its own, raw and centred on its own means, and what the hits show",
    )
    add("--seed", type=int, default=0, help="seed of the bootstrap and the permutations")
    add("--threads", type=int, default=2, help="CPU threads of PyTorch")
    add("--json", action="store_true", help="print the JSON document instead of the tables")
    add("--output", type=Path, help="also write the JSON document to this file")
    add("--markdown", type=Path, help="also write the tables to this file")
    add(
        "--plot",
        type=Path,
        help="PNG file for a plot of the shared space: the first baseline and the model side by side",
    )
    return parser


def read_config(path: Path, parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Defaults for the options; paths in the file are relative to the working directory."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise UserError(f"Cannot read the configuration {path}.") from problem
    except tomllib.TOMLDecodeError as problem:
        raise UserError(f"{path} is not valid TOML: {problem}.") from problem
    kinds = {action.dest: action for action in parser._actions}
    result: dict[str, Any] = {}
    for name, value in values.items():
        if name not in kinds or name == "config":
            raise UserError(f"Unknown setting {name!r} in {path}.")
        convert: Any = kinds[name].type or (lambda setting: setting)
        result[name] = [convert(item) for item in value] if isinstance(value, list) else convert(value)
    return result


Space = tuple[str, Any, Any, Any]
"""What the plot of a shared space needs: its title, image embeddings, text embeddings, and the text of each image."""


def evaluate(
    models: dict[str, Embedder],
    manifests: Sequence[Path],
    *,
    split: str = "val",
    centre: bool = False,
    seed: int = 0,
    draws: int = measure.DRAWS,
    stream: bool = False,
    sources: bool = False,
) -> tuple[dict[str, Any], dict[str, Space]]:
    """Measure every model on one split, and compare the last one with each of the others.

    Args:
        models: by the name that tables show; the last is the candidate, the others its baselines.
        centre: adds each model with mean-centring by its TRAIN means.
        stream: decode images when they are needed, see `training.data.pairs.read_pairs`.
        sources: also measure each source on its own, see `training.metrics.by_source`.

    Returns:
        the document: split, pool, seed, resamples, models {name: {metrics {name: {value, low, high}}, calibration (the
        score scale)}}, chance, habit (most frequent texts), comparisons, rejected, and `sources` if asked; and the
        `Space` of each model.
    """
    names = [path.name for path in manifests]
    return evaluate_pairs(
        models,
        read_pairs(manifests, stream),
        names,
        split=split,
        centre=centre,
        seed=seed,
        draws=draws,
        sources=sources,
    )


def evaluate_pairs(
    models: dict[str, Embedder],
    pairs: Pairs,
    names: Sequence[str],
    *,
    split: str = "val",
    centre: bool = False,
    seed: int = 0,
    draws: int = measure.DRAWS,
    sources: bool = False,
) -> tuple[dict[str, Any], dict[str, Space]]:
    """As `evaluate`, for pairs that are already loaded; `names` are those of their manifests."""
    chosen = pairs.split(split)
    seen = {row.text for row in pairs.rows if row.split == "train"}
    items = pool.build(chosen.rows, seen)
    spaces: dict[str, Embedded] = {}
    for name, model in models.items():
        # The score scale is measured on val; on any other split that of the model is used.
        scale = None if split == "val" else model.score_scale
        spaces[name] = Embedded(model.images(chosen.images), model.texts(items.texts), scale)
        if centre:
            means = model.means or train_means(model, pairs.split("train"))
            spaces[name + CENTRED] = spaces[name].centred(means)
    measured = {
        name: measure.measure(space.images, space.texts, items, space.score_scale, seed=seed, draws=draws)
        for name, space in spaces.items()
    }
    candidate = list(models)[-1]
    document = {
        "split": split,
        "manifests": list(names),
        "pool": items.as_dict(),
        "seed": seed,
        "resamples": draws,
        "models": {name: found.as_dict() for name, found in measured.items()},
        "chance": measure.chance(items),
        "habit": measure.habit(items),
        "comparisons": {
            f"{candidate} over {name}": measure.flat(measure.compare(measured[candidate], found))
            for name, found in measured.items()
            if name != candidate
        },
        "rejected": [rejected.as_dict() for rejected in pairs.rejected],
    }
    if sources:
        parts: dict[str, dict[tuple[str, str], measure.Measured]] = {}
        for name, model in models.items():
            words = model.texts(zero_shot.phrases())
            vectors = by_source.Vectors(spaces[name].images, spaces[name].texts, words, items.own)
            for source, kind, found in by_source.measured(vectors, chosen.rows, seen, draws, seed):
                parts.setdefault(source, {})[name, kind] = found
        document["sources"] = by_source.compared(parts, by_source.references(chosen.rows, seen), candidate)
    plots = {}
    for name, space in spaces.items():
        values = measured[name].values
        title = f"{name}: gap {values['gap']:.2f} (floor {values['gap_floor']:.2f}), cos {values['cos_true_pairs']:.2f}"
        plots[name] = (title, space.images, space.texts, items.own)
    return document, plots
