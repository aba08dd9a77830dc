"""Teaching the text tower from texts alone, on the words of the fixtures."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.paths import DATA, ROOT
from training import __main__ as command
from training.commands import train_text
from training.loop import config
from training.networks import sources

RECIPE = """
[data]
texts = ["words.csv"]
[towers]
max_length = 24
text_layers = 1
[loss]
tau = 0.05
[train]
epochs = 2
batch = 4
lr = 1e-3
"""
RNG = np.random.default_rng(0)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a recipe and 60 texts: the reports of the fixtures in ever new company."""
    with (DATA / "pairs" / "pairs.csv").open(newline="", encoding="utf-8") as stream:
        texts = [row["text"] for row in csv.DictReader(stream)]
    with (tmp_path / "words.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text"])
        writer.writerows([f"{first} Compared with: {second}"] for first in texts for second in texts)
        writer.writerow(["Too short."])
    (tmp_path / "text.toml").write_text(RECIPE)
    return tmp_path


def test_the_halves_of_a_report_share_no_sentence() -> None:
    sentences = [f"This is sentence {number}." for number in range(7)]
    first, second = train_text.halves(" ".join(sentences), 0.0, RNG)
    found = [[sentence for sentence in sentences if sentence in half] for half in (first, second)]
    assert sorted(found[0] + found[1]) == sorted(sentences)
    assert min(map(len, found)) == 3


def test_one_sentence_is_cut_into_words_and_none_is_in_both() -> None:
    words = [f"word{number}" for number in range(9)]
    first, second = train_text.halves(" ".join(words), 0.0, RNG)
    assert sorted(first.split() + second.split()) == words


def test_a_half_keeps_some_words_however_many_are_hidden() -> None:
    assert train_text.drop_words("one two three", 1.0, RNG) == "one two three"
    kept = train_text.drop_words(
        "one two three four five six seven eight nine ten", 0.5, np.random.default_rng(1)
    ).split()
    assert 0 < len(kept) < 10


def test_the_tower_that_learned_can_start_a_recipe(place: Path) -> None:
    options = ["--config", str(place / "text.toml"), "--data", str(place), "--out", str(place / "run")]
    assert command.main(["text", *options]) == 0
    lines = (place / "run" / "log.jsonl").read_text().splitlines()
    assert len(lines) == 2
    folder = place / "run" / "model"
    taught, start = (sources.text_model(name, None, None, 1) for name in (str(folder), "minilm"))
    assert taught.config.num_hidden_layers == 1
    assert taught.config.max_position_embeddings == start.config.max_position_embeddings == 512
    moved = [
        not torch.equal(a, b) for a, b in zip(taught.encoder.state_dict().values(), start.encoder.state_dict().values())
    ]
    assert any(moved)
    assert sources.tokenizer_json(str(folder)) == sources.tokenizer_json("minilm")
    assert command.main(["text", *options, "--resume"]) == 0
    assert (place / "run" / "log.jsonl").read_text().splitlines() == lines


def test_texts_that_are_held_out_stay_so() -> None:
    texts = [f"text number {number} of a great many" for number in range(4000)]
    share = np.mean([train_text.held_out(text) for text in texts])
    assert share == pytest.approx(train_text.HELD_OUT, abs=0.01)


def test_the_shipped_recipe_can_be_read() -> None:
    settings = config.read(ROOT / "training" / "configs" / "text.toml")
    assert settings.data.texts
