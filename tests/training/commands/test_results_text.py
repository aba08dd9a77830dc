"""The table of targets of docs/pairs-only.md agrees with its measurements."""

import json
import re

from tests.paths import ROOT

TARGETS = {
    "margin": ("margin at least .25", 0.25, 1),
    "recall@10_image_to_text": ("R@10 at least 42 % image to text", 0.42, 100),
    "recall@10_text_to_image": ("R@10 at least 37 % text to image", 0.37, 100),
    "calibrated_cross_ndcg@10": ("calibrated cross-modal nDCG@10 at least .12", 0.12, 1),
}
SHARES = {
    "calibrated_other_share_image_query": "calibrated share of an image query within .05 of .5",
    "calibrated_other_share_text_query": "calibrated share of a text query within .05 of .5",
}


def rows() -> dict[str, list[str]]:
    """The table of targets: target -> what was trained, what shipped then."""
    text = (ROOT / "docs" / "pairs-only.md").read_text(encoding="utf-8")
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1:] for cells in lines if len(cells) == 3}


def measured() -> dict[str, float]:
    """The values of ATP+CU over the seeds."""
    document = json.loads((ROOT / "docs" / "pairs-only.json").read_text(encoding="utf-8"))
    return {name: entry["value"] for name, entry in document["models"]["ATP+CU"]["metrics"].items()}


def parsed(cell: str) -> tuple[bool, float]:
    """Whether a cell calls its target reached, and its first number."""
    number = re.search(r"\d*\.\d+|\d+", cell.partition(":")[2])
    assert number
    return cell.startswith("reached"), float(number[0])


def test_the_table_of_targets_agrees_with_the_measurements() -> None:
    table, values = rows(), measured()
    for name, (title, least, scale) in TARGETS.items():
        shown = f"{scale * values[name]:.{1 if scale == 100 else 3}f}"
        assert parsed(table[title][0]) == (values[name] >= least, float(shown)), title
    for name, title in SHARES.items():
        assert parsed(table[title][0]) == (abs(values[name] - 0.5) <= 0.05, float(f"{values[name]:.3f}")), title
    reached, gap = parsed(table["gap within .02 of its floor, uncentred"][0])
    assert (reached, gap) == (values["gap_over_floor"] <= 0.02, float(f"{values['gap']:.3f}"))
