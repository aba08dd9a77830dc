"""Train the captioner in every mode on every shared space, with several seeds: `python -m training captions ...`.

Finished trainings are skipped, so that a stopped command continues where it was. The text and tables of the result are
made by `training.tables.caption_tables`. Does not know the export.
"""

import argparse
import json
import logging
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import UserError
from training.captions import report, scores
from training.captions.material import Material
from training.captions.scores import PerCaption
from training.commands import train_captioner
from training.commands.train_captioner import CaptionerSettings
from training.metrics.bootstrap import interval
from training.metrics.gap import gap
from training.networks import checkpoint
from training.tables import caption_tables

log = logging.getLogger(__name__)
CHANGEABLE = {"centre", "noise_low", "noise_high", "pairs_share"}


@dataclass(frozen=True)
class MatrixRow:
    """One row of the matrix: a training mode with its settings."""

    name: str
    """As the table shows it."""
    mode: str
    changes: Mapping[str, Any]
    """Settings of [data] that differ from the shared ones."""


@dataclass(frozen=True)
class Cell:
    """One training of the matrix."""

    encoders: str
    row: str
    seed: int
    settings: CaptionerSettings
    folder: Path


def read(path: Path) -> tuple[CaptionerSettings, list[MatrixRow]]:
    """The settings that all trainings share and the rows of the matrix, from one TOML file.

    Raises:
        UserError: as in `train_captioner.read`; also if a row is invalid.
    """
    settings = train_captioner.read(path, rows=True)
    rows = []
    for values in tomllib.loads(path.read_text(encoding="utf-8")).get("rows", []):
        name, mode = str(values.pop("name", "")), str(values.pop("mode", ""))
        if not name or mode not in train_captioner.MODES[:3] or not values.keys() <= CHANGEABLE:
            raise UserError(
                f"Invalid row {name!r} in {path}: a row needs a name and a mode (text, pairs, both), and may set "
                f"{', '.join(sorted(CHANGEABLE))}."
            )
        rows.append(MatrixRow(name, mode, values))
    if not rows:
        raise UserError(f"{path} has no [[rows]]; see training/configs/captions.toml.")
    return settings, rows


def cells(
    settings: CaptionerSettings,
    rows: Sequence[MatrixRow],
    encoders: Mapping[str, Path],
    seeds: Sequence[int],
    out: Path,
) -> Iterator[Cell]:
    """All trainings, seed by seed, so that a stopped matrix has complete seeds."""
    for seed in seeds:
        for name, path in encoders.items():
            for row in rows:
                own = replace(
                    settings,
                    encoders=str(path),
                    mode=row.mode,
                    data=replace(settings.data, **row.changes),
                    train=replace(settings.train, seed=seed),
                )
                yield Cell(name, row.name, seed, own, out / slug(name) / slug(row.name) / str(seed))


def slug(name: str) -> str:
    """A name as a folder: lower case, and "-" for everything but letters and digits."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def finished(cell: Cell, encoders_digest: str) -> bool:
    """Whether the cell's training is complete.

    Raises:
        UserError: the folder contains a run with other settings or encoders.
    """
    if not (cell.folder / "captions.json").exists():
        return False
    extra = checkpoint.load(cell.folder / "best.pt").extra
    wanted = asdict(replace(cell.settings, encoders=extra["settings"]["encoders"]))
    if extra["settings"] != wanted or extra["encoders_sha256"] != encoders_digest:
        raise UserError(f"{cell.folder} contains a run with other settings or encoders; choose another --out.")
    return True


def run(wanted: Sequence[Cell], root: Path, cache: Path, materials: Callable[[Cell], Material]) -> None:
    """Train the unfinished cells one after the other."""
    for number, cell in enumerate(wanted):
        if finished(cell, checkpoint.digest(Path(cell.settings.encoders))):
            continue
        log.info("%d/%d: %s, %s, seed %d", number + 1, len(wanted), cell.encoders, cell.row, cell.seed)
        train_captioner.train(cell.settings, root, cell.folder, cache, resume=True, whole=materials(cell))
        (cell.folder / "last.pt").unlink(missing_ok=True)


def written(cell: Cell) -> list[str]:
    """The captions of the val images that a finished training generated."""
    lines = json.loads((cell.folder / "written.json").read_text(encoding="utf-8"))
    return [line["text"] for line in lines]


def systems(done: Sequence[Cell], materials: Mapping[str, Material]) -> dict[str, dict[str, list[list[str]]]]:
    """Captions by encoders, then by row or baseline, then by seed."""
    found: dict[str, dict[str, list[list[str]]]] = {}
    for name, material in materials.items():
        found[name] = {base: [texts] for base, texts in report.baselines(material).items()}
    for cell in done:
        found[cell.encoders].setdefault(cell.row, []).append(written(cell))
    return found


def summary(done: Sequence[Cell], materials: Mapping[str, Material]) -> dict[str, Any]:
    """All scores in percent: mean over the seeds, standard deviation, interval, and paired differences."""
    first = next(iter(materials.values()))
    weights = scores.resamples(first.val_groups)
    known: dict[str, PerCaption] = {}
    result: dict[str, Any] = {"captions": len(first.val_texts), "groups": len(set(first.val_groups)), "encoders": {}}
    for name, captions in systems(done, materials).items():
        material = materials[name]
        space = {
            "gap": gap(material.val_images, material.val_text_rows),
            "cos_true_pairs": float((material.val_images * material.val_text_rows).sum(1).mean()),
        }
        scored = {}
        for row, by_seed in captions.items():
            runs = [
                scores.measure(texts, first.val_texts, scores.copying(texts, material.known_texts)) for texts in by_seed
            ]
            known[f"{name}/{row}"] = scores.averaged(runs)
            values = scores.in_percent(known[f"{name}/{row}"], weights)
            each = [scores.scores(one) for one in runs]
            for score, value in values.items():
                value["deviation"] = 100 * float(
                    np.std([one[score][0] for one in each], ddof=1 if len(each) > 1 else 0)
                )
                value["mean"] = 100 * float(np.mean([one[score][0] for one in each]))
            scored[row] = {"seeds": len(runs), "scores": values}
        result["encoders"][name] = {"space": space, "rows": scored}
    names = list(materials)
    rows = list(dict.fromkeys(cell.row for cell in done))
    pairs = [(f"{names[0]}/{row}", f"{other}/{row}") for other in names[1:] for row in rows]
    pairs += [(f"{name}/{row}", f"{name}/{base}") for name in names for row in rows for base in report.BASELINES]
    result["differences"] = [
        {"candidate": a, "baseline": b, **differences(known[a], known[b], weights)}
        for a, b in pairs
        if a in known and b in known
    ]
    return result


def differences(own: PerCaption, other: PerCaption, weights: np.ndarray) -> dict[str, Any]:
    """Candidate minus baseline in percent on the same resamples, for the scores in `report.DECIDING`."""
    sampled = scores.scores(own, weights), scores.scores(other, weights)
    points = scores.scores(own), scores.scores(other)
    found = {}
    for name in report.DECIDING:
        low, high = interval(100 * (sampled[0][name] - sampled[1][name]))
        value = 100 * float(points[0][name][0] - points[1][name][0])
        verdict = "better" if low > 0 else "worse" if high < 0 else "undecided"
        found[name] = {"difference": value, "low": low, "high": high, "verdict": verdict}
    return found


def curves(done: Sequence[Cell]) -> list[dict[str, Any]]:
    """The val loss of each finished training by epoch."""
    result = []
    for cell in done:
        lines = [json.loads(line) for line in (cell.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        losses = [round(line["val_loss"], 4) for line in lines]
        result.append({"encoders": cell.encoders, "row": cell.row, "seed": cell.seed, "val_loss": losses})
    return result


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training captions", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a TOML file with [[rows]]")
    parser.add_argument("--encoders", nargs="+", required=True, metavar="NAME=CHECKPOINT", help="the candidate first")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("data"),
        help="data folder, which the paths of manifests and texts are relative to",
    )
    parser.add_argument("--out", type=Path, default=Path("runs/captions"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--finished-only", action="store_true", help="do not train; report only finished trainings")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file, as a section of their own")
    options = parser.parse_args(argv)
    named = [entry.partition("=") for entry in options.encoders]
    if not all(name and path for name, _, path in named):
        raise UserError("Give a name to each encoders checkpoint: --encoders NAME=CHECKPOINT ...")
    encoders = {name: Path(path) for name, _, path in named}
    settings, rows = read(options.config)
    wanted = list(cells(settings, rows, encoders, options.seeds, options.out))
    known: dict[str, Material] = {}

    def material(cell: Cell) -> Material:
        if cell.encoders not in known:
            known[cell.encoders] = train_captioner.material_of(cell.settings, options.data, options.cache)
        return known[cell.encoders]

    for cell in wanted:
        material(cell)
    if options.finished_only:
        wanted = [cell for cell in wanted if finished(cell, checkpoint.digest(Path(cell.settings.encoders)))]
    run(wanted, options.data, options.cache, material)
    found = {**summary(wanted, known), "seeds": options.seeds, "settings": asdict(settings), "curves": curves(wanted)}
    (options.out / "captions.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.markdown:
        caption_tables.write(options.markdown, found)
    return 0
