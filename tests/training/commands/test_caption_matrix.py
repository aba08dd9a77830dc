"""The matrix of captioner trainings: what is trained, what is skipped, and the report."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import UserError
from training.captions import report, scores
from training.commands import caption_matrix
from training.commands.train_captioner import CaptionerSettings, LoopSettings
from training.tables import caption_tables

ROWS = """
encoders = ""
[train]
epochs = 2
[[rows]]
name = "texts only"
mode = "text"
noise_high = 0.5
[[rows]]
name = "pairs"
mode = "pairs"
"""
REPORTS = [
    "Small left pleural effusion.",
    "No effusion. The heart is enlarged.",
    "Clear lungs.",
    "Fracture of the hip.",
]


def test_every_row_is_trained_on_every_space_with_every_seed_and_the_same_budget(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(ROWS)
    settings, rows = caption_matrix.read(tmp_path / "c.toml")
    spaces = {"ATP+CU": Path("a.pt"), "CLIP-LT": Path("b.pt")}
    found = list(caption_matrix.cells(settings, rows, spaces, [0, 1], tmp_path))
    assert len(found) == 8
    assert len({cell.folder for cell in found}) == 8
    assert {replace(cell.settings.train, seed=0) for cell in found} == {LoopSettings(seed=0, epochs=2)}
    assert [cell.seed for cell in found] == [0] * 4 + [1] * 4
    first = found[0]
    assert (first.settings.mode, first.settings.encoders, first.settings.data.noise_high) == ("text", "a.pt", 0.5)
    assert found[1].settings.data.noise_high != 0.5


@pytest.mark.parametrize(
    "row", ['name = "x"\nmode = "language"', 'mode = "text"', 'name = "x"\nmode = "text"\nepochs = 9']
)
def test_a_row_that_cannot_be_compared_is_refused(tmp_path: Path, row: str) -> None:
    (tmp_path / "c.toml").write_text(f'encoders = ""\n[[rows]]\n{row}\n')
    with pytest.raises(UserError, match="Invalid row"):
        caption_matrix.read(tmp_path / "c.toml")


def test_without_rows_there_is_nothing_to_compare(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('encoders = ""\n')
    with pytest.raises(UserError, match="has no"):
        caption_matrix.read(tmp_path / "c.toml")


def test_a_cell_without_its_figures_is_not_finished(tmp_path: Path) -> None:
    assert not caption_matrix.finished(caption_matrix.Cell("a", "b", 0, CaptionerSettings("x.pt"), tmp_path), "")


def scored(captions: list[str]) -> scores.PerCaption:
    return scores.measure(captions, REPORTS)


def test_a_difference_is_better_only_where_its_interval_excludes_zero() -> None:
    weights = scores.resamples(["a", "b", "c", "d"])
    right, wrong = scored(REPORTS), scored(["A cyst."] * 4)
    assert caption_matrix.differences(right, wrong, weights)["cider"]["verdict"] == "better"
    assert caption_matrix.differences(wrong, right, weights)["term_f1"]["verdict"] == "worse"
    same = caption_matrix.differences(right, right, weights)["term_f1"]
    assert same["verdict"] == "undecided"
    assert same["difference"] == 0.0


@pytest.mark.parametrize(
    ("cider", "term_f1", "start"),
    [(6.0, 15.0, "captioner"), (6.0, 14.0, "nearest-report"), (5.0, 16.0, "nearest-report"), (5.3, 14.9, "captioner")],
)
def test_the_captioner_begins_a_draft_only_if_it_is_clearly_better_than_the_nearest_report(
    cider: float, term_f1: float, start: str
) -> None:
    def values(first: float, second: float) -> dict[str, dict[str, float]]:
        return {"cider": {"value": first, "low": first - 1}, "term_f1": {"value": second, "low": second - 1}}

    found = {
        "captions": 4,
        "captioner": values(cider, term_f1),
        "nearest_report": values(4.3, 13.9),
        "most_frequent": values(0.1, 7.0),
    }
    decision = report.decision(found)
    assert decision["start"] == start
    assert decision["measured"]["captioner"]["cider"]["value"] == cider
    json.dumps(decision)


def document() -> dict[str, object]:
    score = {"value": 5.0, "low": 4.0, "high": 6.0, "deviation": 0.5, "mean": 5.1}
    names = ("cider", "term_f1", "copied", "history", "bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "chrf")
    rows = {
        "texts only": {"seeds": 3, "scores": dict.fromkeys(names, score)},
        "nearest_report": {"seeds": 1, "scores": dict.fromkeys(names, score)},
    }
    entry = {"difference": 1.0, "low": 0.2, "high": 2.0, "verdict": "better"}
    return {
        "captions": 284,
        "groups": 150,
        "seeds": [0, 1, 2],
        "encoders": {"ATP+CU": {"space": {"gap": 0.16}, "rows": rows}},
        "settings": {"train": {"epochs": 4, "steps": 100, "batch": 32}, "start": ""},
        "differences": [
            {"candidate": "ATP+CU/texts only", "baseline": "ATP+CU/nearest_report", "cider": entry, "term_f1": entry}
        ],
    }


def test_the_document_keeps_its_other_sections(tmp_path: Path) -> None:
    path = tmp_path / "captions.md"
    caption_tables.put(path, "First", "one")
    caption_tables.write(path, document())
    caption_tables.put(path, "Last", "three")
    caption_tables.put(path, "First", "two")
    caption_tables.write(path, document())
    text = path.read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## First",
        f"## {caption_tables.MATRIX}",
        "## Last",
    ]
    assert "\ntwo\n" in text
    assert "\none\n" not in text
    assert "5.0 ± 0.5 (4.0 to 6.0)" in text
    assert "better: +1.0 (+0.2 to +2.0)" in text
    assert "nearest training report" in text


def test_the_mean_of_seeds_has_the_mean_of_their_scores() -> None:
    one, other = scored(REPORTS), scored(["A cyst."] * 4)
    both = scores.averaged([one, other])
    wanted = np.mean([scores.scores(each)["cider"][0] for each in (one, other)])
    assert scores.scores(both)["cider"][0] == pytest.approx(wanted)
