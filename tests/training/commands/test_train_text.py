"""Pretraining the text tower on texts alone, on the reports of the fixtures."""

import csv
from dataclasses import replace
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
def folder(tmp_path: Path) -> Path:
    """A folder with a recipe and 60 texts: each made of two reports of the fixtures."""
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


def test_one_sentence_is_split_into_words_and_no_word_is_in_both_halves() -> None:
    words = [f"word{number}" for number in range(9)]
    first, second = train_text.halves(" ".join(words), 0.0, RNG)
    assert sorted(first.split() + second.split()) == words


def test_some_words_remain_however_many_are_dropped() -> None:
    assert train_text.drop_words("one two three", 1.0, RNG) == "one two three"
    remaining = train_text.drop_words(
        "one two three four five six seven eight nine ten", 0.5, np.random.default_rng(1)
    ).split()
    assert 0 < len(remaining) < 10


def test_the_pretrained_tower_can_be_used_in_a_recipe(folder: Path) -> None:
    options = ["--config", str(folder / "text.toml"), "--data", str(folder), "--out", str(folder / "run")]
    assert command.main(["text", *options]) == 0
    lines = (folder / "run" / "log.jsonl").read_text().splitlines()
    assert len(lines) == 2
    model = folder / "run" / "model"
    trained, start = (sources.text_model(name, None, None, 1) for name in (str(model), "minilm"))
    assert trained.config.num_hidden_layers == 1
    assert trained.config.max_position_embeddings == start.config.max_position_embeddings == 512
    changed = [
        not torch.equal(a, b)
        for a, b in zip(trained.encoder.state_dict().values(), start.encoder.state_dict().values())
    ]
    assert any(changed)
    assert sources.tokenizer_json(str(model)) == sources.tokenizer_json("minilm")
    assert command.main(["text", *options, "--resume"]) == 0
    assert (folder / "run" / "log.jsonl").read_text().splitlines() == lines


def test_the_loss_is_that_of_the_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = []
    monkeypatch.setattr(train_text.Trainer, "run", lambda self, _: trained.append(self))
    settings = config.read(folder / "text.toml")
    settings = replace(settings, loss=replace(settings.loss, atp=1.0, schedule=True))
    train_text.train(settings, folder, folder / "run")
    assert trained[0].objective.settings == settings.loss
    assert trained[0].identity["loss"]["schedule"]


def test_the_held_out_share_of_the_texts_is_as_documented() -> None:
    texts = [f"text number {number} of a great many" for number in range(4000)]
    share = np.mean([train_text.held_out(text) for text in texts])
    assert share == pytest.approx(train_text.HELD_OUT, abs=0.01)


def test_the_shipped_recipe_can_be_read() -> None:
    settings = config.read(ROOT / "training" / "configs" / "text.toml")
    assert settings.data.texts
