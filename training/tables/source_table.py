"""Markdown tables of recipes by source: space and retrieval, and what the hits show. Knows no models.

A row is a recipe, raw or centred on the archive; a column is a metric of docs/method.md. Cells are written by the
caller's `cell`, as mean and spread over seeds or as a value with its interval.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.tables.table import BASELINES, LEGEND, grid

CENTRED = ", centred"


@dataclass(frozen=True)
class Column:
    """One metric in a table."""

    metric: str
    title: str
    scale: float = 1.0
    digits: int = 3

    def number(self, value: float | None) -> str:
        """The value in the unit of the table, "" if it was not measured."""
        return "" if value is None or value != value else f"{self.scale * value:.{self.digits}f}"


SPACE = (
    Column("gap", "gap"),
    Column("gap_floor", "floor"),
    Column("gap_over_floor", "gap over floor"),
    Column("cos_true_pairs", "cos"),
    Column("margin", "margin"),
    Column("recall@10_image_to_text", "R@10 i2t", 100, 1),
    Column("recall@10_text_to_image", "R@10 t2i", 100, 1),
    Column("recall@10_image_to_text_new", "R@10 i2t, new texts", 100, 1),
    Column("recall@10_text_to_image_new", "R@10 t2i, new texts", 100, 1),
    Column("cross_ndcg@10", "cross nDCG@10"),
    Column("calibrated_cross_ndcg@10", "scaled cross nDCG@10"),
    Column("other_share_image_query", "share, image query"),
    Column("calibrated_other_share_image_query", "scaled share, image query"),
)
CONTENT = (
    Column("modality@5", "modality@5"),
    Column("region@5", "region@5"),
    Column("findings@5_index", "findings@5"),
    Column("findings@5_index_abnormal", "findings@5, abnormal"),
    Column("findings@5_image_abnormal", "abnormal, images"),
    Column("findings@5_report_abnormal", "abnormal, reports"),
    Column("findings@5_index_abnormal_others", "abnormal, other studies"),
    *(
        Column(f"auroc_{name}", f"AUROC {name}")
        for name in (
            *("normal", "cardiomegaly", "effusion", "opacity"),
            *("nodule", "pneumothorax", "fracture", "device"),
        )
    ),
)
COMPARED = (*(column for column in SPACE if column.metric not in ("gap", "gap_floor", "cos_true_pairs")), *CONTENT)

Rows = Mapping[str, Mapping[str, Any]]
"""By the name of a row: what the cell of each metric is made of."""
Cell = Callable[[Column, Any], str]


def tables(rows: Rows, reference: Mapping[str, Any], cell: Cell) -> str:
    """The two tables of one source, without columns that nothing was measured for."""
    parts = [table(rows, reference, columns, cell) for columns in (SPACE, CONTENT)]
    return "\n\n".join(part for part in parts if part)


def table(rows: Rows, reference: Mapping[str, Any], columns: Sequence[Column], cell: Cell) -> str:
    """One table with last rows of chance and, if a column has it, the most frequent texts; "" if no column has a value.

    Args:
        reference: with the values of the BASELINES; see `training.metrics.by_source.references`.
    """
    shown = [column for column in columns if any(column.metric in row for row in rows.values())]
    if not shown:
        return ""
    lines = [["", *(column.title for column in shown)]]
    for name, row in rows.items():
        lines.append([name, *(cell(column, row[column.metric]) if column.metric in row else "" for column in shown)])
    for name, title in BASELINES.items():
        if any(column.metric in reference[name] for column in shown):
            lines.append([title, *(column.number(reference[name].get(column.metric)) for column in shown)])
    return grid(lines)


def markdown(documents: Sequence[Mapping[str, Any]]) -> str:
    """Every variant of a grid by source: mean and standard deviation over the seeds."""
    parts = []
    for source, reference in documents[0]["references"].items():
        rows = {}
        for name, runs in by_variant(documents).items():
            for kind, suffix in (("raw", ""), ("centred", CENTRED)):
                rows[name + suffix] = collected(run["sources"][source][kind] for run in runs)
        parts.append(f"### {source}\n\n{described(reference)}\n\n{tables(rows, reference, spread)}")
    return "\n\n".join(parts) + "\n"


def by_variant(documents: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The runs of each variant, with "(1 of 3 seeds)" in the name of one that lacks some."""
    seeds = {found["seed"] for found in documents}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for document in documents:
        found.setdefault(document["variant"], []).append(document)
    return {
        name if len(runs) == len(seeds) else f"{name} ({len(runs)} of {len(seeds)} seeds)": runs
        for name, runs in found.items()
    }


def collected(runs: Iterable[Mapping[str, float | None]]) -> dict[str, list[float]]:
    """By metric, the values of several runs; a metric that one of them lacks is left out."""
    values = list(runs)
    found = {name: [run.get(name) for run in values] for name in values[0]}
    return {name: [v for v in several if v is not None] for name, several in found.items() if None not in several}


def described(reference: Mapping[str, Any]) -> str:
    """The sizes of a pool in words."""
    pool = reference["pool"]
    seen = pool.get("images_with_train_text", 0)
    return (
        f"{pool['images']} images, {pool['texts']} unique texts, {pool['groups']} groups "
        f"(effectively {pool['effective_groups']})."
        + (
            f" The text of {seen} images is, word for word, in a train split too; *new texts*: the others."
            if seen
            else ""
        )
    )


def spread(column: Column, values: Sequence[float]) -> str:
    """Cell of mean ± standard deviation over seeds."""
    shown = column.number(float(np.mean(values)))
    return f"{shown} ± {column.number(float(np.std(values, ddof=1)))}" if len(values) > 1 else shown


def interval(column: Column, entry: Mapping[str, float]) -> str:
    """Cell of value (low to high)."""
    shown = column.number(entry["value"])
    return f"{shown} ({column.number(entry['low'])} to {column.number(entry['high'])})" if "low" in entry else shown


def verdict(column: Column, entry: Mapping[str, Any]) -> str:
    """Cell of verdict: difference (low to high), with a sign."""
    numbers = [f"{column.scale * entry[name]:+.{column.digits}f}" for name in ("difference", "low", "high")]
    return f"{entry['verdict']}: {numbers[0]} ({numbers[1]} to {numbers[2]})"


def differences(comparisons: Rows) -> str:
    """Paired differences of one source, one row a metric, one column a pair of recipes."""
    shown = [column for column in COMPARED if any(column.metric in found for found in comparisons.values())]
    lines = [["", *comparisons]]
    for column in shown:
        cells = [verdict(column, row[column.metric]) if column.metric in row else "" for row in comparisons.values()]
        lines.append([column.title, *cells])
    return grid(lines)


def by_source(sources: Mapping[str, Mapping[str, Any]], seed: int = 0) -> str:
    """The tables of several models by source, with paired differences; see `training.metrics.by_source.compared`.

    Args:
        seed: of the bootstrap, for the legend.
    """
    parts = [
        "In brackets: 95% interval of a bootstrap over groups and, where there are several, over training seeds "
        f"(1000 draws, seed {seed}); that of one training does not say how another would differ. *centred*: each "
        "modality minus its own mean over the searched archive. *scaled*: scores z-scored per kind of pair by the "
        "archive's own score scale. R@10 in %; i2t: image to text, t2i: text to image."
    ]
    for source, found in sources.items():
        body = tables(found["models"], found, interval)
        parts.append(f"### {source}\n\n{described(found)}\n\n{body}")
        parts.append(differences(found["comparisons"]))
    parts.append(LEGEND)
    return "\n\n".join(parts)
