"""The recipe for ROCO from folder to checkpoint, with tiny towers of the same kinds.

The captions are WRITTEN FOR THIS TEST and describe none of the images.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertModel, CLIPConfig, CLIPModel
from transformers.utils import logging as quiet

from tests.paths import ROOT
from training.commands import train_encoders
from training.data.pairs import ImageFiles, read_pairs
from training.loop import config
from training.networks import checkpoint, sources

IMAGES = sorted((ROOT / "tests/data/pairs/images").glob("*.jpg"))
TINY = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture
def roco(tmp_path: Path) -> Path:
    root = tmp_path / "data" / "roco"
    for split, images in (("train", IMAGES[:5]), ("validation", IMAGES[5:])):
        radiology = root / split / "radiology"
        (radiology / "images").mkdir(parents=True)
        for number, image in enumerate(images):
            shutil.copyfile(image, radiology / "images" / f"ROCO_{split}_{number}.jpg")
        lines = [f"ROCO_{split}_{number}\tWritten for a test, number {number}.\n" for number in range(len(images))]
        (radiology / "captions.txt").write_text("".join(lines))
    return root


def tiny_towers(folder: Path) -> tuple[str, str]:
    """A CLIP and a BERT as folders, as downloaded from the hub."""
    quiet.disable_progress_bar()
    vision = {**TINY, "image_size": 32, "patch_size": 8}
    CLIPModel(CLIPConfig(text_config={**TINY, "vocab_size": 99}, vision_config=vision)).save_pretrained(folder / "clip")
    words = AutoTokenizer.from_pretrained(str(sources.minilm_folder()))
    words.save_pretrained(folder / "bert")
    BertModel(BertConfig(**TINY, vocab_size=len(words))).save_pretrained(folder / "bert")
    return str(folder / "clip"), str(folder / "bert")


def test_the_recipe_reads_streams_and_trains(roco: Path, tmp_path: Path) -> None:
    recipe = config.read(ROOT / "training/configs/roco.toml")
    assert (recipe.towers.dim, recipe.train.batch, recipe.data.stream) == (512, 256, True)
    assert isinstance(read_pairs([roco], recipe.data.stream).images, ImageFiles)
    image, text = tiny_towers(tmp_path)
    small = replace(
        recipe,
        towers=replace(recipe.towers, image=image, text=text, size=32, dim=8, max_length=16),
        train=replace(recipe.train, epochs=1, batch=4, accumulate=2, threads=1, half=False),
    )
    best = train_encoders.train(small, roco.parent, tmp_path / "run", tmp_path / "cache")
    line = json.loads((tmp_path / "run/log.jsonl").read_text())
    assert line["step"] == 1
    model = checkpoint.build(checkpoint.load(best))
    assert model.image(torch.zeros(2, 32, 32, dtype=torch.uint8)).shape == (2, 8)
    assert model.text(torch.ones(2, 5, dtype=torch.long), torch.ones(2, 5, dtype=torch.long)).shape == (2, 8)
