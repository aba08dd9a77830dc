"""Markdown tables of evaluated models, for docs/results.md and the model card. Knows no models and no embeddings.

It reads the JSON document of `training.commands.evaluate`, so that tables can be written again from stored results.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
SPACE = (
    ("gap", "gap"),
    ("gap_floor", "floor"),
    ("cos_true_pairs", "cos of true pairs"),
    ("margin", "margin"),
    ("effective_rank", "rank"),
    ("rmg", "RMG"),
    ("uniformity", "uniformity"),
    ("v_measure_modality", "V modality"),
    ("v_measure_location", "V location"),
    ("v_measure_kind", "V image/text"),
)
RANKING = tuple(
    (f"{metric}_{way}", f"{shown} {arrow}")
    for way, arrow in (("image_to_text", "i2t"), ("text_to_image", "t2i"))
    for metric, shown in (("recall@1", "R@1"), ("recall@5", "R@5"), ("recall@10", "R@10"), ("mrr", "MRR"))
)
MIXED = (
    ("mixed_ndcg@10", "nDCG@10"),
    ("cross_ndcg@10", "cross nDCG@10"),
    ("other_share_image_query", "share, image query"),
    ("other_share_text_query", "share, text query"),
    ("calibrated_mixed_ndcg@10", "cal. nDCG@10"),
    ("calibrated_cross_ndcg@10", "cal. cross nDCG@10"),
    ("calibrated_other_share_image_query", "cal. share, image query"),
    ("calibrated_other_share_text_query", "cal. share, text query"),
)
COMPARED = (
    ("gap_over_floor", "gap over its floor"),
    ("margin", "margin"),
    ("other_share", "share of the other modality (balance)"),
    ("recall@10_image_to_text", "R@10 i2t"),
    ("recall@10_text_to_image", "R@10 t2i"),
    ("recall@1_image_to_text", "R@1 i2t"),
    ("recall@1_text_to_image", "R@1 t2i"),
    ("mrr_image_to_text", "MRR i2t"),
    ("mrr_text_to_image", "MRR t2i"),
    ("cross_ndcg@10", "cross nDCG@10"),
    ("calibrated_cross_ndcg@10", "cal. cross nDCG@10"),
    ("mixed_ndcg@10", "nDCG@10"),
    ("calibrated_mixed_ndcg@10", "cal. nDCG@10"),
)
PERCENT = ("recall@", "mrr_")
BASELINES = {"chance": "chance", "habit": "most frequent texts"}
"""The titles of what every model is compared with, by their names in a document."""
LEGEND = (
    "Positive is better (for the gap and the share: nearer to the floor, to balance; a gap below its floor counts as "
    "at it). better, worse: the interval excludes 0 on that side; not worse, for recall and share: neither, and its "
    "lower bound is at least -0.02 (2 points); undecided: anything else."
)
"""Below every table of paired differences."""


def markdown(document: Document) -> str:
    """All tables of one evaluation, and what they were measured on."""
    pool = document["pool"]
    parts = [
        f"Split `{document['split']}`: {pool['images']} images, {pool['texts']} unique texts, {pool['groups']} groups "
        f"(effectively {pool['effective_groups']}). In brackets: 95% interval of a bootstrap over groups "
        f"({document['resamples']} draws, seed {document['seed']}).",
        "### Shared space\n\n"
        + rows_of(document, SPACE, [])
        + "\n\nThe gap is compared with its floor, the gap of a perfectly mixed space of this size.",
        "### Retrieval over the whole pool, in %\n\n"
        + rows_of(document, RANKING, ["chance", "habit"])
        + "\n\ni2t: image to text, t2i: text to image. A hit is the identical text; ties count half. "
        "The most frequent texts are those of this pool, which favours that baseline.",
        "### One index over images and texts (query removed)\n\n"
        + rows_of(document, MIXED, ["chance"])
        + "\n\nRelevant: same group; cross: same group, other modality. Share: of the other modality in the top 10 "
        "over a balanced pool, 0.5 is balanced. cal.: scores z-scored per kind of pair.",
    ]
    if document["comparisons"]:
        parts.append("### Paired differences\n\n" + comparison_table(document))
    return "\n\n".join(parts) + "\n"


def rows_of(document: Document, columns: Sequence[tuple[str, str]], extra: Sequence[str]) -> str:
    """One row per model, then the rows of `extra`, which are of BASELINES."""
    lines = [["", *(shown for _, shown in columns)]]
    for name, model in document["models"].items():
        lines.append([name, *(cell(model["metrics"].get(metric), metric) for metric, _ in columns)])
    for kind in extra:
        values = document[kind]
        lines.append([BASELINES[kind], *(number(values.get(metric), metric) for metric, _ in columns)])
    return grid(lines)


def cell(entry: Mapping[str, float] | None, metric: str) -> str:
    """Cell of value (low to high), or "" if it was not measured."""
    if entry is None:
        return ""
    shown = number(entry["value"], metric)
    if "low" not in entry:
        return shown
    return f"{shown} ({number(entry['low'], metric)} to {number(entry['high'], metric)})"


def number(value: float | None, metric: str) -> str:
    """Recall and MRR in percent, the effective rank with one decimal, everything else with three."""
    if value is None or value != value:
        return ""
    if metric.startswith(PERCENT):
        return f"{100 * value:.1f}"
    return f"{value:.1f}" if metric == "effective_rank" else f"{value:.3f}"


def comparison_table(document: Document) -> str:
    """The table of paired differences, with its legend."""
    lines = [["candidate over baseline", *(shown for _, shown in COMPARED)]]
    for name, found in document["comparisons"].items():
        lines.append([name, *(verdict(found.get(metric)) for metric, _ in COMPARED)])
    return grid(lines) + f"\n\n{LEGEND}"


def verdict(found: Mapping[str, Any] | None) -> str:
    """verdict: difference (low to high), or "" if it was not compared."""
    if found is None:
        return ""
    return f"{found['verdict']}: {found['difference']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f})"


def grid(lines: Sequence[Sequence[str]]) -> str:
    """Rows of cells as a Markdown table; the first row is the header."""
    head, *body = ("| " + " | ".join(line) + " |" for line in lines)
    return "\n".join([head, "|" + "---|" * len(lines[0]), *body])
