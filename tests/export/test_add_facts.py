"""A finished bundle is taught to tell facts from images; its models stay as they are."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.bundle import Bundle
from export import add_facts


@pytest.fixture
def folder(bundle_folder: Path, tmp_path: Path) -> Path:
    """A bundle beside pairs of dark CT and bright MR images."""
    rng = np.random.default_rng(0)
    with (tmp_path / "pairs.csv").open("w", newline="") as file:
        write = csv.writer(file)
        write.writerow(["image", "text", "split", "patient_id", "split_group", "modality"])
        for number in range(120):
            bright = number % 2
            levels = rng.integers(100 * bright, 100 * bright + 100, (8, 8)).astype(np.uint8)
            Image.fromarray(levels).resize((32, 32)).save(tmp_path / f"{number}.png")
            split = "val" if number >= 80 else "train"
            write.writerow([f"{number}.png", "A finding.", split, f"p{number}", f"g{number}", ("CT", "MR")[bright]])
    return Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))


def test_it_says_what_it_learnt_and_its_id_stays(
    folder: Path, bundle_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Bundle.open(bundle_folder).facts_of_image(np.zeros((8, 8), np.uint8)) == {}
    assert add_facts.main([str(folder), "--data", str(folder.parent), "--pairs", "pairs.csv"]) == 0
    assert "modality: " in capsys.readouterr().out
    bundle = Bundle.open(folder)
    assert bundle.id == Bundle.open(bundle_folder).id
    assert bundle.fact_heads is not None
    assert set(bundle.fact_heads.heads["modality"].classes) == {"CT", "MR"}
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["fact_heads"]["val"]["modality"]["images"] == 40
    assert "## Facts by the models" in (folder / "MODEL_CARD.md").read_text("utf-8")


def test_without_labels_the_bundle_stays_as_it_was(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "manifest.json").read_bytes()
    pairs = folder.parent / "pairs.csv"
    pairs.write_text(pairs.read_text().replace(",CT", ",").replace(",MR", ","))
    assert add_facts.main([str(folder), "--data", str(folder.parent), "--pairs", "pairs.csv"]) == 2
    assert "use more pairs" in capsys.readouterr().err
    assert (folder / "manifest.json").read_bytes() == before
