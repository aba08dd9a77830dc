"""The statements of docs/results.md about the starter bundle agree with its manifest."""

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
    """The table of targets: target -> what was trained, what ships."""
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1:] for cells in lines if len(cells) == 3}


def measured() -> list[dict[str, float]]:
    """The values of ATP+CU over the seeds, and of the starter bundle."""
    trained = json.loads((ROOT / "docs" / "results.json").read_text(encoding="utf-8"))["models"]["ATP+CU"]["metrics"]
    shipped = json.loads((ROOT / "resources" / "starter-bundle" / "manifest.json").read_text(encoding="utf-8"))
    return [
        {name: entry["value"] for name, entry in found.items() if isinstance(entry, dict) and "value" in entry}
        for found in (trained, shipped["metrics"])
    ]


def parsed(cell: str) -> tuple[bool, float]:
    """Whether a cell calls its target reached, and its first number."""
    number = re.search(r"\d*\.\d+|\d+", cell.partition(":")[2])
    assert number
    return cell.startswith("reached"), float(number[0])


def test_the_table_of_targets_agrees_with_the_measurements() -> None:
    table = rows()
    for column, values in enumerate(measured()):
        for name, (title, least, scale) in TARGETS.items():
            shown = f"{scale * values[name]:.{1 if scale == 100 else 3}f}"
            assert parsed(table[title][column]) == (values[name] >= least, float(shown)), title
        for name, title in SHARES.items():
            assert parsed(table[title][column]) == (abs(values[name] - 0.5) <= 0.05, float(f"{values[name]:.3f}")), (
                title
            )
        reached, gap = parsed(table["gap within .02 of its floor, uncentred"][column])
        assert (reached, gap) == (values["gap_over_floor"] <= 0.02, float(f"{values['gap']:.3f}"))
