"""Train many recipes with several seeds and put them in one table: `python -m training grid --config FILE`.

Every run has a folder of its own with its embeddings of val and its measurements, so that a stopped grid continues
where it was and only changed runs are repeated. Does not know how a recipe is trained or what the metrics are.
"""

import dataclasses
import json
import logging
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.errors import UserError
from engine.store.safety.whole_file import write_whole
from engine.tokenizer import Tokenizer
from training.arrays import Float64Array
from training.commands.train_encoders import train
from training.data.pairs import Pair, Pairs, read_manifest, read_pairs
from training.loop import config
from training.loop.command import arguments
from training.loop.features import ImageBatches, TextBatches, Views, embed_images, embed_texts
from training.metrics import by_source, zero_shot
from training.metrics.by_source import Vectors
from training.metrics.grid_results import MEASURED, MEASURES, SAMPLES
from training.networks import checkpoint
from training.networks.towers import DualEncoder
from training.tables import source_table

log = logging.getLogger(__name__)
EMBEDDED = "embedded.npz"
ROWS = ("images", "texts", "words")


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


class Validation:
    """The val rows of the sources that a grid is measured on, read when they are first needed."""

    def __init__(self, manifests: Sequence[Path], stream: bool) -> None:
        self.manifests, self.stream = list(manifests), stream

    @cached_property
    def sources(self) -> list[Pairs]:
        """One set of pairs a manifest; a manifest without val rows is left out."""
        read = [read_pairs([path], self.stream) for path in self.manifests]
        return [pairs.split("val") for pairs in read if any(row.split == "val" for row in pairs.rows)]

    @cached_property
    def rows(self) -> list[Pair]:
        """The rows of all sources."""
        return [row for pairs in self.sources for row in pairs.rows]

    @cached_property
    def seen(self) -> frozenset[str]:
        """The texts of the train split of all sources, also those that a variant leaves out: the same for every run."""
        rows = (row for path in self.manifests for row in read_manifest(path)[0])
        return frozenset(row.text for row in rows if row.split == "train")

    @cached_property
    def references(self) -> dict[str, dict[str, Any]]:
        """What `by_source.references` says of each source."""
        return by_source.references(self.rows, self.seen)

    def embedded(self, best: Path, settings: config.EncoderSettings, cache: Path) -> Vectors:
        """The embeddings of a checkpoint, with the output of its frozen layers taken from the cache."""
        saved = checkpoint.load(best)
        model = checkpoint.build(saved)
        assert isinstance(model, DualEncoder)
        towers = settings.towers
        texts = [*dict.fromkeys(row.text for row in self.rows), *zero_shot.phrases()]
        tokenizer = Tokenizer.from_str(saved.tokenizer_json)
        rows = embed_texts(model, TextBatches(texts, model, tokenizer, towers.frozen_text_layers, cache))
        views = Views(cut=towers.frozen_image_stages)
        images = [embed_images(model, ImageBatches(pairs.images, model, views, cache)) for pairs in self.sources]
        words = len(zero_shot.phrases())
        number = {text: i for i, text in enumerate(texts[:-words])}
        own = np.array([number[row.text] for row in self.rows])
        return Vectors(np.concatenate(images), rows[:-words], rows[-words:], own)


def run_grid(grid: Grid, root: Path, out: Path, cache: Path) -> list[dict[str, Any]]:
    """Train and measure the runs that are missing or have changed.

    Measured are all sources of the base recipe, also those that a variant leaves out of its training.

    Returns:
        one document per run: variant, seed, settings, `sources` with the metrics of each source, raw and centred on
        the archive, and `references`, see `by_source.references`.
    """
    base = config.read(grid.base).data
    validation = Validation([root / name for name in (*base.manifests, *base.more)], base.stream)

    @lru_cache(maxsize=1)  # the runs of a grid share their pictures, which take a minute to decode
    def pairs_of(manifests: tuple[str, ...], stream: bool) -> Pairs:
        return read_pairs([root / name for name in manifests], stream)

    documents = []
    for run in grid.runs(out):
        path = run.folder / MEASURED
        document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        known = "settings" in document and same_settings(document["settings"], run)
        if not known or document.get("measures") != MEASURES or not current(run.folder / EMBEDDED):
            log.info("%s, seed %d", run.variant, run.seed)
            best = run.folder / "best.pt"
            if not known:
                pairs = pairs_of(tuple(run.settings.data.manifests), run.settings.data.stream)
                best = train(run.settings, root, run.folder, cache, resume(run), pairs)
            if not known or not current(run.folder / EMBEDDED):
                save_vectors(run.folder / EMBEDDED, validation.embedded(best, run.settings, cache))
            torch.set_num_threads(run.settings.train.threads)
            settings = {**(document["settings"] if known else {}), **settings_of(run)}
            document = {"variant": run.variant, "seed": run.seed, "settings": settings, "measures": MEASURES}
            document["sources"] = measure(run.folder, validation.rows, validation.seen)
            document["references"] = validation.references
            write_whole(path, [json.dumps(document, indent=1).encode() + b"\n"])
        documents.append(document)
    return documents


def measure(folder: Path, rows: Sequence[Pair], seen: Collection[str]) -> dict[str, dict[str, dict[str, float | None]]]:
    """All metrics of a run by source and kind from its stored embeddings; their resamples go into SAMPLES."""
    values: dict[str, dict[str, dict[str, float | None]]] = {}
    samples: dict[str, Float64Array] = {}
    for source, kind, found in by_source.measured(load_vectors(folder / EMBEDDED), rows, seen):
        values.setdefault(source, {})[kind] = by_source.values(found.values)
        samples |= {f"{source}/{kind}/{name}": drawn for name, drawn in found.samples.items()}
    compact: dict[str, Any] = {name: drawn.astype(np.float32) for name, drawn in samples.items()}
    np.savez_compressed(folder / SAMPLES, **compact)
    return values


def save_vectors(path: Path, vectors: Vectors) -> None:
    """Store the embeddings of a run, as float16."""
    rows: dict[str, Any] = {name: getattr(vectors, name).astype(np.float16) for name in ROWS}
    np.savez(path, **rows, own=vectors.own, phrases=np.array(zero_shot.phrases()))


def current(path: Path) -> bool:
    """Whether embeddings are stored, of the phrases that are measured now."""
    if not path.is_file():
        return False
    with np.load(path) as stored:
        return "phrases" in stored.files and stored["phrases"].tolist() == zero_shot.phrases()


def load_vectors(path: Path) -> Vectors:
    """The embeddings that `save_vectors` stored."""
    with np.load(path) as stored:
        return Vectors(**{name: stored[name].astype(np.float32) for name in ROWS}, own=stored["own"])


def settings_of(run: Run) -> dict[str, Any]:
    """The settings of a run as measured.json stores them, with what it starts from."""
    found: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(run.settings)))
    return found | run.settings.started_from()


def same_settings(stored: dict[str, Any], run: Run) -> bool:
    """Whether these are the settings of the run; those that an earlier version did not have count as the defaults.

    So does the content of its start if an earlier version did not store it, or if the file is gone.
    """
    now = run.settings.started_from().get(config.START)
    if now and stored.get(config.START, now) != now:
        return False
    try:
        return config.from_dict({name: table for name, table in stored.items() if name != config.START}) == run.settings
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


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    options = arguments("grid", "Train many recipes with several seeds.", argv, markdown=True)
    documents = run_grid(read(options.config), options.data, options.out, options.cache)
    text = source_table.markdown(documents)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    logging.getLogger(__name__).info("\n%s", text)
    return 0
