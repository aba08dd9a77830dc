"""What is carried to a machine with a GPU, and the recipe that is trained there, on eight real images."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import UserError
from tests.paths import DATA, ROOT
from training import __main__ as command
from training.commands.pack import best_quality, pack_pictures
from training.data.pairs import read_pairs
from training.networks import checkpoint

CONFIGS = ROOT / "training" / "configs"


def test_packed_pictures_are_small_and_read_like_the_data_folder(tmp_path: Path) -> None:
    pack_pictures([DATA / "pairs" / "pairs.csv"], DATA, tmp_path / "pictures.tar", side=96, mib=0.03)
    assert (tmp_path / "pictures.tar").stat().st_size < 60_000  # with the manifest, and what a tar adds to each file
    with tarfile.open(tmp_path / "pictures.tar") as tar:
        tar.extractall(tmp_path / "data", filter="data")
    stored, packed = read_pairs([DATA / "pairs/pairs.csv"]), read_pairs([tmp_path / "data/pairs/pairs.csv"])
    assert [row.text for row in packed.rows] == [row.text for row in stored.rows]
    assert packed.rows[0].values == stored.rows[0].values
    assert all(max(image.shape) <= 96 for image in packed.images)


def test_a_limit_that_no_quality_meets_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    with pytest.raises(UserError, match="raise --mib or lower --side"):
        best_quality([noise], most=100)


def test_the_recipe_for_a_gpu_trains_from_what_was_packed_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the shipped recipe and grid, but tiny: small pictures, one epoch, one seed, the fixture pairs."""
    monkeypatch.chdir(tmp_path)
    recipe = (CONFIGS / "gpu_all.toml").read_text()
    for before, after in (
        ("size = 224", "size = 32\ntext_layers = 1"),
        ("dim = 512", "dim = 16"),
        ("vocabulary = 6000", "vocabulary = 400"),
        ("epochs = 8", "epochs = 1\nthreads = 1"),
        ("batch = 512", "batch = 3"),
    ):
        assert before in recipe
        recipe = recipe.replace(before, after)
    lines = [line for line in recipe.splitlines() if not line.startswith(("manifests", "more", "texts"))]
    (tmp_path / "gpu_all.toml").write_text("\n".join(lines))
    (tmp_path / "grid.toml").write_text((CONFIGS / "grid_gpu.toml").read_text().replace("[1, 2, 3]", "[1]"))
    pack = ["pack", "--config", "gpu_all.toml", "--data", str(DATA), "--out", "gpu", "--side", "64", "--mib", "1"]
    assert command.main(pack) == 0
    start = checkpoint.load("gpu/start.pt")
    assert {value.dtype for value in start.state.values() if value.is_floating_point()} == {torch.float16}
    with tarfile.open("gpu/pictures.tar") as tar:
        tar.extractall("gpu", filter="data")
    split_in_halves(tmp_path / "gpu" / "pairs" / "pairs.csv")
    run = ["grid", "--config", "grid.toml", "--data", "gpu", "--out", "out", "--markdown", "table.md"]
    assert command.main(run) == 0
    losses = [json.loads((tmp_path / "out" / name / "seed1/log.jsonl").read_text()) for name in ("atp-cu", "clip-lt")]
    assert all(np.isfinite(line["loss"]) for line in losses)
    assert {"cu", "atp"} <= losses[0].keys()
    assert "ATP+CU" in (tmp_path / "table.md").read_text()
    before = (tmp_path / "out/atp-cu/seed1/best.pt").stat().st_mtime_ns
    assert command.main(run) == 0
    assert (tmp_path / "out/atp-cu/seed1/best.pt").stat().st_mtime_ns == before


def split_in_halves(manifest: Path) -> None:
    """Put every second pair into val, so that every metric can be computed."""
    header, *lines = manifest.read_text().splitlines()
    changed = [line.replace(",train,", ",val,") if number % 2 else line for number, line in enumerate(lines)]
    changed = [line if number % 2 else line.replace(",val,", ",train,") for number, line in enumerate(changed)]
    manifest.write_text("\n".join([header, *changed]) + "\n")
