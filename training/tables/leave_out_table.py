"""The table of a source that training never saw, and that of trials against a recipe. Knows no models.

A hospital's archive is such a source, so the first table is the one that a buyer should read.
"""

from collections.abc import Mapping, Sequence

from training.tables.source_table import Column
from training.tables.table import BASELINES, grid

ROWS = (
    Column("gap_over_floor", "gap over floor"),
    Column("recall@10_image_to_text", "R@10 i2t, %", 100, 1),
    Column("recall@10_text_to_image", "R@10 t2i, %", 100, 1),
    Column("cross_ndcg@10", "cross nDCG@10"),
    Column("other_share_image_query", "share of reports, image query"),
    Column("findings@5_index_abnormal", "findings@5, abnormal"),
    Column("auroc_effusion", "AUROC effusion"),
    Column("auroc_cardiomegaly", "AUROC cardiomegaly"),
)
SCALED = ("cross_ndcg@10", "other_share_image_query")
"""Metrics of one index over both kinds, which a score scale changes; the others rank one kind or are scaled already."""
Entries = Mapping[str, Mapping[str, float]]


def unseen(recipe: str, columns: Mapping[str, Entries], reference: Mapping[str, Mapping[str, float]]) -> str:
    """One table: a row for each metric, a column for each way to treat the unseen source, last ones of the BASELINES.

    Args:
        columns: by their titles, the metrics; an empty column is shown with dashes, as not measured yet.
        reference: the values of the BASELINES by their names.
    """
    lines = [[recipe, *columns, *BASELINES.values()]]
    for row in ROWS:
        if not any(row.metric in entries for entries in columns.values()):
            continue
        cells = [
            row.number(entries[row.metric]["value"]) if row.metric in entries else "–" for entries in columns.values()
        ]
        lines.append([row.title, *cells, *(row.number(reference[name].get(row.metric)) for name in BASELINES)])
    return grid(lines)


def scaled(entries: Entries) -> dict[str, Mapping[str, float]]:
    """The same metrics with scores scaled per kind of pair by the archive's own score scale."""
    return {name: entries[f"calibrated_{name}"] if name in SCALED else entry for name, entry in entries.items()}


def trials(rows: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float | str]]]], sources: Sequence[str]) -> str:
    """One row a trial; for each source the differences to the recipe, positive is better, with intervals.

    Args:
        rows: by trial and source, the comparisons by metric.
    """
    columns = (Column("gap_over_floor", "gap over floor"), Column("recall@10", "R@10", 100, 1))
    lines = [["", *(f"{source}: {column.title}" for source in sources for column in columns)]]
    for name, found in rows.items():
        cells = []
        for source in sources:
            for column in columns:
                entry = found.get(source, {}).get(column.metric)
                cells.append("" if entry is None else difference(column, entry))
        lines.append([name, *cells])
    return grid(lines)


def difference(column: Column, entry: Mapping[str, float | str]) -> str:
    """Cell of difference (low to high)."""
    shown = [f"{column.scale * float(entry[name]):+.{column.digits}f}" for name in ("difference", "low", "high")]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"
