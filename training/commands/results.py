"""Write docs/results.md from finished grids: `python -m training results --grid runs/grid_all --docs docs`.

Everything is read from what the grids measured and stored; no model is run. The part of the document above MARK is
written by hand and not changed. Does not know what the metrics are.
"""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import UserError
from training.commands.grid import EMBEDDED, load_vectors
from training.metrics import by_source, grid_results, measure
from training.metrics.by_source import ALL, KINDS, RAW
from training.metrics.grid_results import GridRun
from training.metrics.measure import Measured
from training.tables import curves_plot, frontier_plot, leave_out_table, shared_space_plot, source_table, targets

log = logging.getLogger(__name__)
MARK = "<!-- Below this line: written by `python -m training results`. -->\n"
Means = Mapping[str, Mapping[tuple[str, str], Measured]]
"""By source, then by variant and kind."""


def main(argv: Sequence[str]) -> int:
    """Run the command.

    Raises:
        UserError: a folder without measured runs, a variant that is not there, or recipes without a common seed.
    """
    parser = argparse.ArgumentParser(prog="python -m training results", description="Write docs/results.md.")
    add = parser.add_argument
    add("--grid", type=Path, default=Path("runs/grid"), help="folder of the runs of the main grid")
    add("--candidate", default="ATP+CU", help="variant to compare with the baselines")
    add("--baselines", nargs="+", default=["CLIP-LT", "CLIP-FT"], help="variants to compare with")
    add("--frozen", type=Path, help="folder of the same recipes on trunks that did not learn")
    add("--without", nargs="+", default=[], metavar="SOURCE=FOLDER", help="grids that left a source out of training")
    add(
        "--adapted",
        nargs="+",
        default=[],
        metavar="SOURCE=FILE",
        help="output of `evaluate --by-source` on the candidate, adapted to a tenth of the source that it left out",
    )
    add("--trials", nargs="+", type=Path, default=[], help="grids of changes that were tried, with the recipe in each")
    add("--sections", nargs="+", type=Path, default=[], help="Markdown files to add, such as the adaptation curve")
    add("--docs", type=Path, default=Path("docs"), help="folder for results.md, results.json, grid.json and the plots")
    options = parser.parse_args(argv)
    names = [*options.baselines, options.candidate]
    runs = grid_results.read(options.grid)
    means = grid_results.over_seeds(runs, names, KINDS)
    document = as_document(runs, means, names)
    parts = [
        f"## Targets\n\n{targets.table(document['sources'], options.candidate, options.baselines[0])}\n\n"
        "AUROC: in brackets how many show the finding. Its phrasings were chosen on this split, so it is somewhat too "
        "high. findings@5 counts hits of the query's own study, which search leaves out; *other studies* does not.",
        f"## The recipes by source, means over the training seeds {listed(document['training_seeds'])}",
        source_table.by_source(document["sources"]),
        "## The frontier between gap and recall\n\n![Gap over its floor against R@10, by source](frontier.png)\n\n"
        "Each colour is one recipe: a large mark is the mean over the seeds, small ones the seeds, hollow marks the "
        "recipe centred on the archive.",
    ]
    if options.without:
        recipes = (options.baselines[0], options.candidate)
        parts.append(unseen(options.without, options.frozen or options.grid, recipes, by_name(options.adapted)))
    if options.frozen:
        frozen = grid_results.read(options.frozen)
        frozen_means = grid_results.over_seeds(frozen, names, KINDS)
        parts += [
            "## The same recipes on trunks that did not learn",
            source_table.by_source(as_document(frozen, frozen_means, names)["sources"]),
        ]
    parts += [trials(folder, options.candidate) for folder in options.trials]
    parts += [path.read_text(encoding="utf-8").strip() for path in options.sections]
    parts.append("## Every variant\n\n" + source_table.markdown([run.document for run in runs]).strip())
    parts.append(
        "Settings, measurements and the curve of every run: [grid.json](grid.json); values of the first tables: "
        "[results.json](results.json).\n\n![Gap and cosine of true pairs over training](curves.png)\n\n"
        "![Shared space of two recipes, each in one projection](shared-space.png)"
    )
    frontier_plot.draw(options.docs / "frontier.png", [run.document for run in runs])
    curves_plot.draw(
        options.docs / "curves.png",
        {name: [run.curve() for run in grid_results.chosen(runs, name)] for name in names},
    )
    shared_space_plot.draw(options.docs / "shared-space.png", spaces(runs, (names[0], names[-1])))
    write(options.docs / "results.json", json.dumps(document, indent=1) + "\n")
    write(options.docs / "grid.json", "[\n" + ",\n".join(json.dumps(summary(run)) for run in runs) + "\n]\n")
    write_below_mark(options.docs / "results.md", "\n\n".join(parts) + "\n")
    return 0


def as_document(runs: Sequence[GridRun], means: Means, names: Sequence[str]) -> dict[str, Any]:
    """The values of the named recipes, and the last of them against every other row, by source."""
    return {
        "split": "val",
        "training_seeds": grid_results.common_seeds(runs, names),
        "sources": by_source.compared(means, runs[0].document["references"], names[-1]),
    }


def by_name(options: Sequence[str]) -> dict[str, Path]:
    """Options of the form NAME=PATH."""
    return {name: Path(path) for name, _, path in (option.partition("=") for option in options)}


def unseen(options: Sequence[str], whole: Path, recipes: Sequence[str], adapted: Mapping[str, Path]) -> str:
    """The tables of the sources that training left out, beside the same recipe trained on them too.

    Args:
        options: "SOURCE=FOLDER"; the grid in FOLDER left SOURCE out.
        whole: the grid with the same trunks on all sources.
        recipes: the variants to show; the last is the one that was adapted.
        adapted: by source, the output of `evaluate --by-source` after adaptation.
    """
    parts = [
        "## Where nobody trained: one source left out\n\nThe trunks, too, never saw the source. *centred* and "
        "*scaled* need nothing but the vectors of the archive itself."
    ]
    complete = grid_results.read(whole)
    for source, folder in by_name(options).items():
        runs = grid_results.read(folder)
        if source not in runs[0].sources:
            raise UserError(f"{source!r} must be a source that was measured: {listed(runs[0].sources)}.")
        parts.append(f"### {source} left out\n\n{source_table.described(runs[0].document['references'][source])}")
        for recipe in (name for name in recipes if any(run.variant == name for run in runs)):
            seeds = sorted(
                set.intersection(*(set(grid_results.common_seeds(one, [recipe])) for one in (runs, complete)))
            )
            found, seen = (
                grid_results.over_seeds([run for run in one if run.seed in seeds], [recipe], KINDS)[source]
                for one in (runs, complete)
            )
            raw, centred = (by_source.entries(found[recipe, kind]) for kind in KINDS)
            columns: dict[str, leave_out_table.Entries] = {
                "raw": raw,
                "scaled on the archive": leave_out_table.scaled(raw),
                "centred on the archive": centred,
                "centred and scaled": leave_out_table.scaled(centred),
                "raw, trained on it too": by_source.entries(seen[recipe, RAW]),
            }
            if source in adapted and recipe == recipes[-1]:
                models = json.loads(adapted[source].read_text(encoding="utf-8"))["sources"][source]["models"]
                columns["adapted on a tenth"] = next(iter(models.values()))
            table = leave_out_table.unseen(recipe, columns, runs[0].document["references"][source])
            parts.append(f"{table}\n\nMean over the seeds {listed(seeds)}.")
    return "\n\n".join(parts)


def trials(folder: Path, recipe: str) -> str:
    """Changes that were tried: every other variant of a grid against the recipe in it."""
    runs = grid_results.read(folder)
    sources = [source for source in runs[0].sources if source != ALL] or runs[0].sources
    rows: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(run.variant for run in runs):
        if name != recipe:
            means = grid_results.over_seeds(runs, [recipe, name], (RAW,))
            seeds = listed(grid_results.common_seeds(runs, [recipe, name]))
            rows[f"{name} (seeds {seeds})"] = {
                source: by_source.rounded(measure.compare(means[source][name, RAW], means[source][recipe, RAW]))
                for source in sources
            }
    return (
        f"## Changes of the recipe ({folder.name})\n\n{leave_out_table.trials(rows, sources)}\n\n"
        f"Each row against {recipe} with the same seeds and budget; positive is better; R@10 is the mean of "
        "both directions in points; in brackets the 95% interval, which with one seed does not contain how trainings "
        "differ."
    )


def spaces(runs: Sequence[GridRun], names: Sequence[str]) -> list[Any]:
    """What the plot of the shared space needs: all sources, of the first seed of each named recipe."""
    found = []
    for name in names:
        run = grid_results.chosen(runs, name)[0]
        vectors = load_vectors(run.folder / EMBEDDED)
        values = run.document["sources"][run.sources[-1]][RAW]
        title = f"{name}, seed {run.seed}: gap {values['gap']:.2f} (floor {values['gap_floor']:.2f}), "
        title += f"cos {values['cos_true_pairs']:.2f}"
        found.append((title, vectors.images, vectors.texts, vectors.own))
    return found


def summary(run: GridRun) -> dict[str, Any]:
    """A run as grid.json stores it: rounded, and only with the metrics of the tables."""
    shown = {column.metric for column in (*source_table.SPACE, *source_table.CONTENT)}
    measured = {
        source: {
            kind: {name: None if value is None else round(value, 4) for name, value in found.items() if name in shown}
            for kind, found in kinds.items()
        }
        for source, kinds in run.document["sources"].items()
    }
    settings = run.document["settings"]
    return {"variant": run.variant, "seed": run.seed, "settings": settings, "sources": measured, "curve": run.curve()}


def listed(values: Sequence[Any]) -> str:
    """1, 2, 3."""
    return ", ".join(map(str, values))


def write_below_mark(path: Path, generated: str) -> None:
    """Replace the part below the mark, or append mark and part."""
    before = path.read_text(encoding="utf-8") if path.exists() else "# Results on the val split\n"
    write(path, before.partition(MARK)[0].rstrip() + "\n\n" + MARK + "\n" + generated)


def write(path: Path, content: str) -> None:
    """Write a text file."""
    path.write_text(content, encoding="utf-8")
