"""The Markdown table of a grid: mean and standard deviation over the seeds. Knows no models; reads grid results."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

COLUMNS = (
    ("gap_over_floor", "gap over floor", 1),
    ("cos_true_pairs", "cos", 1),
    ("margin", "margin", 1),
    ("recall@10_image_to_text", "R@10 i2t", 100),
    ("recall@10_text_to_image", "R@10 t2i", 100),
    ("mrr_image_to_text", "MRR i2t", 100),
    ("mrr_text_to_image", "MRR t2i", 100),
    ("cross_ndcg@10", "cross nDCG@10", 1),
    ("calibrated_cross_ndcg@10", "cal. cross nDCG@10", 1),
    ("other_share_image_query", "share, image", 1),
    ("other_share_text_query", "share, text", 1),
    ("calibrated_other_share_image_query", "cal. share, image", 1),
    ("calibrated_other_share_text_query", "cal. share, text", 1),
)


def markdown(documents: Sequence[Mapping[str, Any]]) -> str:
    """One row per variant, each followed by one with mean-centring, and a last row with chance."""
    variants = list(dict.fromkeys(found["variant"] for found in documents))
    seeds = sorted({found["seed"] for found in documents})
    pool = documents[0]["measured"]["pool"]
    lines = [
        f"Split `val`: {pool['images']} images, {pool['texts']} unique texts, {pool['groups']} groups. "
        f"Mean and standard deviation over the seeds {', '.join(map(str, seeds))}.",
        "",
        "| | " + " | ".join(shown for _, shown, _ in COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    for variant in variants:
        runs = [found["measured"] for found in documents if found["variant"] == variant]
        title = variant if len(runs) == len(seeds) else f"{variant} ({len(runs)} of {len(seeds)} seeds)"
        for kind, name in (("raw", title), ("centred", f"{title}, centred")):
            lines.append(row(name, [run[kind] for run in runs]))
    chance = documents[0]["measured"]["chance"]
    cells = [
        f"{chance[name] * scale:.{1 if scale == 100 else 3}f}" if name in chance else "" for name, _, scale in COLUMNS
    ]
    lines.append("| chance | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def row(name: str, runs: Sequence[Mapping[str, float]]) -> str:
    """One row: mean ± standard deviation over the runs."""
    cells = []
    for metric, _, scale in COLUMNS:
        values = scale * np.array([run[metric] for run in runs])
        digits = 1 if scale == 100 else 3
        spread = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
        cells.append(f"{values.mean():.{digits}f}{spread}")
    return f"| {name} | " + " | ".join(cells) + " |"
