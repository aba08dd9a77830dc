"""A recipe from end to end on eight real images, with shortened shipped towers."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import UserError
from tests.paths import DATA
from training import __main__ as command
from training.commands import train_encoders
from training.commands.train_encoders import quick_metrics
from training.data.pairs import Pair
from training.metrics import score_scale
from training.networks import checkpoint

RECIPE = """
[data]
vocabulary = 400
[towers]
size = 32
dim = 16
max_length = 24
text_layers = 2
frozen_image_stages = {stages}
frozen_text_layers = {layers}
[loss]
atp = 1.0
cu = 1.0
[train]
epochs = 2
batch = 3
crops = 2
case_texts = 0.5
word_dropout = 0.1
"""


@pytest.mark.parametrize(("stages", "layers"), [(16, 1), (0, 0)])
def test_a_recipe_gives_a_checkpoint_that_embeds(tmp_path: Path, stages: int, layers: int) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE.format(stages=stages, layers=layers))
    options = ["--config", str(recipe), "--data", str(DATA), "--cache", str(tmp_path / "cache")]
    assert command.main(["encoders", *options, "--out", str(tmp_path / "run")]) == 0
    assert len((tmp_path / "run" / "log.jsonl").read_text().splitlines()) == 2
    opened = checkpoint.load(tmp_path / "run" / "best.pt")
    assert opened.kind == "encoders"
    assert set(opened.extra["calibration"]) == {"image-image", "image-report", "report-report"}
    assert len(opened.extra["image_mean"]) == len(opened.extra["text_mean"]) == 16
    assert len(json.loads(opened.tokenizer_json)["model"]["vocab"]) <= 400
    model = checkpoint.build(opened)
    assert model.image(torch.zeros(1, 32, 32, dtype=torch.uint8)).shape == (1, 16)
    assert model.text(torch.tensor([[2, 9, 3]]), torch.ones(1, 3, dtype=torch.long)).shape == (1, 16)


def test_a_recipe_can_start_from_the_towers_of_another_and_train_new_projections(tmp_path: Path) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    options = ["--data", str(DATA), "--cache", str(tmp_path / "cache")]
    first.write_text(RECIPE.format(stages=16, layers=1))
    assert command.main(["encoders", "--config", str(first), "--out", str(tmp_path / "1"), *options]) == 0
    start = f'start = "{tmp_path / "1" / "best.pt"}"\nhead_hidden = 24'
    frozen = (
        RECIPE.format(stages=18, layers=2)
        .replace("text_layers = 2\nf", f"{start}\nf")
        .replace("word_dropout = 0.1", "")
    )
    second.write_text(frozen)
    assert command.main(["encoders", "--config", str(second), "--out", str(tmp_path / "2"), *options]) == 0
    before, after = (checkpoint.load(tmp_path / run / "best.pt") for run in "12")
    assert after.tokenizer_json == before.tokenizer_json
    assert after.config["head_hidden"] == 24
    towers = [name for name in before.state if name.startswith(("image_tower", "text_tower"))]
    assert all(torch.equal(before.state[name], after.state[name]) for name in towers)


def test_a_run_is_not_resumed_with_another_loss_nor_with_other_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(DATA / "pairs", tmp_path / "pairs")
    recipe = tmp_path / "tiny.toml"
    options = ["encoders", "--config", str(recipe), "--data", str(tmp_path), "--cache", str(tmp_path / "cache")]
    options += ["--out", str(tmp_path / "run")]
    recipe.write_text(RECIPE.format(stages=18, layers=2).replace("word_dropout = 0.1", "").replace("= 2\nb", "= 1\nb"))
    assert command.main(options) == 0
    whole = recipe.read_text()
    recipe.write_text(whole.replace("atp = 1.0", "atp = 0.0"))
    assert command.main([*options, "--resume"]) == 2
    assert "(loss.atp)" in capsys.readouterr().err
    recipe.write_text(whole)
    lines = (tmp_path / "pairs/pairs.csv").read_text().splitlines()
    (tmp_path / "pairs/pairs.csv").write_text("\n".join([lines[0], *lines[2:]]) + "\n")
    assert command.main([*options, "--resume"]) == 2
    assert "examples" in capsys.readouterr().err


def test_cached_maps_are_only_used_for_the_same_images(tmp_path: Path) -> None:
    shutil.copytree(DATA / "pairs", tmp_path / "pairs")
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE.format(stages=16, layers=1))
    options = ["--config", str(recipe), "--data", str(tmp_path), "--cache", str(tmp_path / "cache")]
    options += ["--out", str(tmp_path / "run")]
    train_encoders.main(options)
    first = {path.name for path in (tmp_path / "cache").iterdir()}
    train_encoders.main(options)
    assert {path.name for path in (tmp_path / "cache").iterdir()} == first
    shutil.copyfile(tmp_path / "pairs/images/breast_202.jpg", tmp_path / "pairs/images/breast_144.jpg")
    train_encoders.main(options)
    assert len(list((tmp_path / "cache").iterdir())) == len(first) + 1  # train anew, val as it was


def test_quick_metrics_of_a_perfect_and_of_a_blind_space() -> None:
    texts = np.eye(30, dtype=np.float32)
    own = np.array([*range(30), 0, 1])
    perfect = quick_metrics(texts[own], texts, own)
    assert perfect["score"] == 1.0
    assert perfect["gap"] == pytest.approx(0.0, abs=1e-6)
    assert perfect["cos_true_pairs"] == pytest.approx(1.0)
    assert perfect["margin"] > 0.99
    blind = quick_metrics(np.ones((32, 30), np.float32) / np.sqrt(30), texts, own)
    assert blind["r10_i2t"] == 0.0  # all texts tie, so each stands in the middle of the pool
    assert blind["margin"] == pytest.approx(0.0, abs=1e-6)


def test_the_score_scale_uses_only_unrelated_items() -> None:
    """Fifteen groups of two images with one text: all three have the same direction, each group another one."""
    texts = np.eye(15, dtype=np.float32)
    rows = [Pair(Path("a"), f"text {number}", "val", str(number), str(number)) for number in np.repeat(range(15), 2)]
    found = score_scale.from_embeddings(np.repeat(texts, 2, axis=0), texts, rows)
    assert set(found) == {"image-image", "image-report", "report-report"}
    assert all(values == {"mean": 0.0, "std": 0.01} for values in found.values())


def test_a_val_split_of_one_group_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    shutil.copytree(DATA / "pairs", tmp_path / "pairs")
    manifest = tmp_path / "pairs" / "pairs.csv"
    with manifest.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if row["split"] == "val":
            row |= {"patient_id": "one", "split_group": "one"}
    with manifest.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE.format(stages=16, layers=1))
    options = ["--config", str(recipe), "--data", str(tmp_path), "--cache", str(tmp_path / "cache")]
    with pytest.raises(UserError, match="at least two split_groups"):
        train_encoders.main([*options, "--out", str(tmp_path / "run")])
    assert not (tmp_path / "cache").exists()
    assert not (tmp_path / "run").exists()


def test_wrong_arguments_exit_with_code_2_and_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command.main([]) == 2
    assert command.main(["encoders", "--config", str(tmp_path / "none.toml")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if "encoders|captioner|" in line or "configuration" in line]) == 2


def test_a_missing_text_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv\.gz"):
        train_encoders.corpus(tmp_path / "none.csv.gz")
