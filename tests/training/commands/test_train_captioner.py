"""Training of the captioner from end to end on a tiny shared space, and its parts."""

import csv
import gzip
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tokenizers
import torch
from PIL import Image
from torch.nn import functional

from engine.errors import UserError
from engine.tokenizer import Tokenizer
from training.captions import examples
from training.captions.examples import CaptionExamples, Example, Sampling
from training.captions.frozen_features import FrozenFeatures
from training.captions.material import CaptionDataSettings, Material, gather
from training.commands import train_captioner
from training.data.pairs import read_pairs
from training.loop.features import ImageBatches, Views
from training.metrics.embedders import FromCheckpoint
from training.networks import checkpoint
from training.networks.captioner import CaptionDecoder, CaptionerConfig
from training.networks.towers import DualEncoder, EncoderConfig

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "heart", "lung", "is", "large", "clear", "right", "left"]
BERT = {
    "model_type": "bert",
    "vocab_size": len(WORDS),
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
}


def tokenizer_json() -> str:
    backend = tokenizers.Tokenizer(tokenizers.models.WordPiece({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    backend.decoder = tokenizers.decoders.WordPiece()
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return backend.to_str()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data with an encoders checkpoint: bright images show hearts, dark ones lungs."""
    folder = tmp_path_factory.mktemp("data")
    torch.manual_seed(0)
    config = EncoderConfig({"kind": "efficientnet-lite0"}, {"kind": "transformers", "config": BERT}, size=32, dim=6)
    checkpoint.save(folder / "best.pt", "encoders", config.as_dict(), DualEncoder(config).eval(), tokenizer_json(), {})
    rng = np.random.default_rng(0)
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "text", "split", "patient_id", "split_group"])
        for i in range(12):
            bright = 120 * (i % 2)
            Image.fromarray(rng.integers(bright, bright + 100, (20, 20), dtype=np.uint8)).save(folder / f"{i}.png")
            text = f"{['lung', 'heart'][i % 2]} is {['clear', 'large'][i % 2]} {WORDS[10 + i // 2 % 2]}"
            writer.writerow([f"{i}.png", text, "train" if i < 8 else "val", f"p{i}", f"g{i}"])
    with gzip.open(folder / "more.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write("caption\nlung is large left\nheart is clear\n")
    return folder


def settings(root: Path, mode: str, epochs: int = 2) -> train_captioner.CaptionerSettings:
    return train_captioner.CaptionerSettings(
        str(root / "best.pt"),
        mode,
        data=CaptionDataSettings(["pairs.csv"], ["more.csv.gz"], views=1),
        model=train_captioner.ModelSettings(dim=16, layers=1, heads=2, memory=2, max_tokens=8),
        train=train_captioner.LoopSettings(epochs=epochs, steps=3, batch=4, threads=1, half=False, lr=1e-2),
    )


def gathered(given: train_captioner.CaptionerSettings, root: Path, cache: Path) -> Material:
    sizes = given.model
    return gather(root / "best.pt", given.data, root, cache, dim=sizes.dim, max_tokens=sizes.max_tokens, half=False)


@pytest.mark.parametrize("mode", ["text", "pairs", "both"])
def test_each_mode_is_trained_on_its_embeddings(root: Path, tmp_path: Path, mode: str) -> None:
    whole = gathered(settings(root, mode), root, tmp_path)
    material = whole.for_mode(mode)
    texts = len(whole.texts)
    assert (texts, len(whole.conditions)) == (6, 6 + 16)
    assert len(material.unpaired) == 2 * (mode != "pairs")
    assert len(material.paired) == 8
    for example in material.paired:
        from_text = [row for row in example.rows if row < texts]
        assert len(from_text) == (mode != "pairs")
        assert len(example.rows) - len(from_text) == 2 * (mode != "text")


def test_language_is_learned_without_any_condition_and_others_start_from_it(root: Path, tmp_path: Path) -> None:
    given = settings(root, "language")
    material = gathered(given, root, tmp_path).for_mode("language")
    assert not material.conditions.any()
    assert {example.rows for example in material.paired} == {(0,)}
    best = train_captioner.train(given, root, tmp_path / "language", tmp_path)
    saved = checkpoint.load(best)
    assert "encoders_sha256" not in saved.extra
    going_on = replace(settings(root, "text"), start=str(best))
    model = train_captioner.start_model(going_on, material)
    assert torch.equal(model.words.weight, saved.state["words.weight"])


def test_a_checkpoint_lists_the_texts_of_the_one_it_started_from(root: Path, tmp_path: Path) -> None:
    first = settings(root, "language", epochs=1)
    (root / "other.csv").write_text(
        "image,text,split,patient_id,split_group\n0.png,heart is large and lung is clear right left,train,q1,h1\n"
    )
    first = replace(first, data=replace(first.data, pairs=["pairs.csv", "other.csv"]))
    best = train_captioner.train(first, root, tmp_path / "language", tmp_path)
    going_on = replace(settings(root, "text", epochs=1), start=str(best))
    expected = {"pairs": ["pairs.csv", "other.csv"], "texts": ["more.csv.gz"]}
    assert train_captioner.trained_on(going_on) == expected
    material = train_captioner.material_of(going_on, root, tmp_path)
    assert "heart is large and lung is clear right left" in material.known_texts
    last = train_captioner.train(going_on, root, tmp_path / "last", tmp_path)
    assert checkpoint.load(last).extra["learned_from"] == expected
    assert checkpoint.load(last).data_files("pairs") == expected["pairs"]


def test_centred_rows_have_no_gap_and_the_decoder_then_centres_images_itself(root: Path, tmp_path: Path) -> None:
    given = settings(root, "text")
    given = replace(given, data=replace(given.data, centre=True))
    whole = gathered(given, root, tmp_path)
    centred = whole.centred()
    np.testing.assert_allclose(np.linalg.norm(centred.conditions, axis=1), 1.0, atol=1e-5)
    best = train_captioner.train(given, root, tmp_path / "run", tmp_path)
    model = checkpoint.build(checkpoint.load(best))
    assert isinstance(model, CaptionDecoder)
    np.testing.assert_allclose(model.get_buffer("shift"), whole.image_mean, atol=1e-6)
    ids = torch.tensor([[2, 5]] * len(whole.val_images))
    served = model(ids, torch.from_numpy(whole.val_images), model.empty_past(len(ids)))[0]
    model.get_buffer("shift").zero_()
    learned = model(ids, torch.from_numpy(centred.val_images), model.empty_past(len(ids)))[0]
    torch.testing.assert_close(served, learned, atol=1e-4, rtol=1e-4)


def test_a_run_leaves_a_checkpoint_that_rebuilds_with_its_scores(root: Path, tmp_path: Path) -> None:
    best = train_captioner.train(settings(root, "both"), root, tmp_path / "run", tmp_path / "cache")
    saved = checkpoint.load(best)
    model = checkpoint.build(saved)
    assert isinstance(model, CaptionDecoder)
    assert saved.extra["encoders_sha256"] == checkpoint.digest(root / "best.pt")
    metrics = saved.extra["metrics"]
    assert math.isclose(metrics["val_perplexity"], math.exp(metrics["val_loss"]))
    assert {"captioner", "nearest_report", "most_frequent", "copying_8_words"} <= set(metrics)
    assert len((tmp_path / "run" / "log.jsonl").read_text().splitlines()) == 2
    assert json.loads((tmp_path / "run" / "captions.json").read_text())["captions"] == 4


def test_a_run_is_not_finished_on_other_encoders_nor_with_other_noise(root: Path, tmp_path: Path) -> None:
    begun = settings(root, "both", epochs=1)
    train_captioner.train(begun, root, tmp_path / "run", tmp_path)
    saved = checkpoint.load(root / "best.pt")
    shutil.copy(root / "best.pt", tmp_path / "same.pt")  # the same encoders in another file can be used to resume
    network = checkpoint.build(saved)
    checkpoint.save(
        tmp_path / "other.pt", "encoders", saved.config, network, saved.tokenizer_json, {"metrics": {"x": 1}}
    )
    changed = replace(begun, encoders=str(tmp_path / "same.pt"))
    train_captioner.train(changed, root, tmp_path / "run", tmp_path, resume=True)
    for other, named in (
        (replace(begun, encoders=str(tmp_path / "other.pt")), "encoders"),
        (replace(begun, data=replace(begun.data, noise_high=0.3)), "recipe.data.noise_high"),
        (replace(begun, mode="pairs"), "recipe.mode"),
    ):
        with pytest.raises(UserError, match=named):
            train_captioner.train(other, root, tmp_path / "run", tmp_path, resume=True)


def test_a_resumed_run_has_the_curve_of_an_uninterrupted_one(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def curve(folder: Path) -> list[tuple[float, float]]:
        lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        return [(line["loss"], line["val_loss"]) for line in lines]

    whole = settings(root, "both", epochs=3)
    train_captioner.train(whole, root, tmp_path / "whole", tmp_path / "cache")
    validations = iter([examples.token_loss])
    monkeypatch.setattr(examples, "token_loss", lambda *given: next(validations)(*given))
    with pytest.raises(StopIteration):
        train_captioner.train(whole, root, tmp_path / "broken", tmp_path / "cache")
    monkeypatch.undo()
    assert len(curve(tmp_path / "broken")) == 1
    train_captioner.train(whole, root, tmp_path / "broken", tmp_path / "cache", resume=True)
    last = checkpoint.read(tmp_path / "broken" / "last.pt")
    assert curve(tmp_path / "whole") == curve(tmp_path / "broken")
    assert last["counters"][1] == 3


def test_a_run_can_start_from_an_earlier_decoder_of_the_same_sizes_only(root: Path, tmp_path: Path) -> None:
    base = settings(root, "text")
    material = gathered(base, root, tmp_path)
    first = train_captioner.start_model(base, material)
    checkpoint.save(tmp_path / "c.pt", "captioner", first.config.as_dict(), first, material.tokenizer_json, {})
    fields = {"encoders": base.encoders, "start": str(tmp_path / "c.pt"), "data": base.data, "model": base.model}
    again = train_captioner.start_model(train_captioner.CaptionerSettings(**fields), material)  # type: ignore[arg-type]
    assert torch.equal(again.words.weight, first.words.weight)
    other = train_captioner.CaptionerSettings(**{**fields, "model": train_captioner.ModelSettings(dim=8)})  # type: ignore[arg-type]
    with pytest.raises(UserError, match="other sizes"):
        train_captioner.start_model(other, material)


def test_missing_files_are_reported_before_anything_is_embedded(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_captioner, "gather", None)
    given = settings(root, "both")
    texts = replace(given, data=replace(given.data, texts=["more.csv.gz", "none.csv.gz", "nor.csv"]))
    with pytest.raises(UserError, match=r"no .*/none\.csv\.gz and no .*/nor\.csv; .*`pairs` and `texts`"):
        train_captioner.train(texts, root, tmp_path / "run", tmp_path)
    start = replace(given, start=str(tmp_path / "language" / "best.pt"))
    with pytest.raises(UserError, match=r"no checkpoint .*/language/best\.pt; train that first"):
        train_captioner.train(start, root, tmp_path / "run", tmp_path)


def test_an_unknown_setting_or_mode_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    for text in (
        'encoders = "x"\nmode = "images"\n',
        'encoders = "x"\nunheard = 1\n',
        "not toml",
        "[model]\ndim = 3\n",
    ):
        path.write_text(text)
        with pytest.raises(UserError):
            train_captioner.read(path)
    with pytest.raises(UserError, match="Cannot read"):
        train_captioner.read(tmp_path / "none.toml")


def test_long_texts_are_cut_with_their_end_token() -> None:
    tokenizer = Tokenizer.from_str(tokenizer_json())
    assert examples.encode(["heart is large", "lung is clear right left right"], tokenizer, 5) == [
        (2, 5, 7, 8, 3),
        (2, 6, 7, 9, 10, 11),
    ]


def test_inputs_and_targets_are_one_step_apart() -> None:
    inputs, following = examples.padded([(2, 5, 6, 3), (2, 7, 3)], pad=0)
    assert inputs.tolist() == [[2, 5, 6], [2, 7, 0]]
    assert following.tolist() == [[5, 6, 3], [7, 3, examples.IGNORED]]


def test_noise_changes_a_condition_by_about_its_norm_and_keeps_it_on_the_sphere() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 256))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for length in (0.0, 0.5, 1.0):
        changed = examples.add_noise(rows, np.full(500, length), rng)
        np.testing.assert_allclose(np.linalg.norm(changed, axis=1), 1.0)
        assert (changed * rows).sum(1).mean() == pytest.approx(1 / math.sqrt(1 + length**2), abs=0.01)


def test_a_draw_has_texts_of_similar_length_and_the_given_share_of_pairs() -> None:
    paired = [Example((2, *[5] * n, 3), (0,)) for n in range(1, 30)]
    unpaired = [Example((2, *[6] * n, 3), (0,)) for n in range(1, 30)]
    drawn = CaptionExamples(paired, unpaired, np.eye(4), 0, Sampling(16, 5, 0.25, (0.1, 0.2)))
    rng = np.random.default_rng(1)
    draws = [drawn.draw(rng) for _ in range(80)]
    spreads = [max(len(e.ids) for e in draw) - min(len(e.ids) for e in draw) for draw in draws]
    assert max(spreads) < 15
    assert np.mean([e.ids[1] == 5 for draw in draws for e in draw]) == pytest.approx(0.25, abs=0.05)
    assert len(drawn) == 5


def test_the_token_loss_is_the_mean_over_all_real_tokens() -> None:
    torch.manual_seed(0)
    model = CaptionDecoder(CaptionerConfig(vocab=12, embedding=4, dim=8, layers=1, heads=2, max_tokens=8)).eval()
    rows, conditions = [(2, 5, 6, 3), (2, 7, 3), (2, 8, 9, 10, 3)], np.eye(4, dtype=np.float32)[:3]
    losses: list[float] = []
    for row, condition in zip(rows, conditions):
        with torch.no_grad():
            logits, _ = model(torch.tensor([row[:-1]]), torch.from_numpy(condition)[None], model.empty_past(1))
        losses += functional.cross_entropy(logits[0], torch.tensor(row[1:]), reduction="none").tolist()
    assert examples.token_loss(model, rows, conditions, pad=0, chunk=2) == pytest.approx(np.mean(losses), abs=1e-5)


def test_history_is_not_a_target_but_still_counts_as_training_text(root: Path, tmp_path: Path) -> None:
    with gzip.open(root / "history.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write("caption\n40-year-old man with fever.\n40-year-old man with fever. heart is large.\n")
    data = CaptionDataSettings(["pairs.csv"], ["history.csv.gz"])
    material = gather(root / "best.pt", data, root, tmp_path, dim=16, max_tokens=8, half=False)
    assert [example.ids for example in material.unpaired] == [(2, 5, 7, 8, 1, 3)]
    assert "40-year-old man with fever." in material.texts


def test_embeddings_are_computed_once(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = gathered(settings(root, "both"), root, tmp_path)
    monkeypatch.setattr(FrozenFeatures, "_text_features", None)
    monkeypatch.setattr(FrozenFeatures, "_image_features", None)
    again = gathered(settings(root, "both"), root, tmp_path)
    np.testing.assert_array_equal(first.conditions, again.conditions)
    model = FromCheckpoint(root / "best.pt")
    np.testing.assert_allclose(first.conditions[:6], model.texts(first.texts), atol=1e-6)
    np.testing.assert_allclose(
        first.val_images, model.images(read_pairs([root / "pairs.csv"]).split("val").images), atol=1e-6
    )


def test_images_are_streamed_if_those_of_the_encoders_were(root: Path, tmp_path: Path) -> None:
    saved = checkpoint.load(root / "best.pt")
    extra = {"settings": {"data": {"stream": True}}}
    network = checkpoint.build(saved)
    checkpoint.save(tmp_path / "streaming.pt", "encoders", saved.config, network, saved.tokenizer_json, extra)
    data = CaptionDataSettings(["pairs.csv"], views=1)
    whole, streamed = (
        gather(path, data, root, tmp_path / path.stem, dim=16, max_tokens=8, half=False)
        for path in (root / "best.pt", tmp_path / "streaming.pt")
    )
    np.testing.assert_array_equal(whole.conditions, streamed.conditions)
    folder = Path(shutil.copytree(root, tmp_path / "data"))
    (folder / "3.png").write_bytes((root / "3.png").read_bytes()[:200])
    with pytest.raises(UserError, match=r"3\.png cannot be decoded"):
        gather(tmp_path / "streaming.pt", data, folder, tmp_path / "cache", dim=16, max_tokens=8, half=False)


def test_cached_features_of_a_frozen_tower_are_read_and_not_computed_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = checkpoint.load(root / "best.pt")
    model = checkpoint.build(saved)
    assert isinstance(model, DualEncoder)
    recipe = {"towers": {"frozen_image_stages": 18}, "train": {"crops": 2, "crop_seed": 1}}
    checkpoint.save(tmp_path / "f.pt", "encoders", saved.config, model, saved.tokenizer_json, {"settings": recipe})
    training = read_pairs([root / "pairs.csv"]).split("train")
    own = ImageBatches(training.images, model, Views(18, 2, 1), tmp_path)
    monkeypatch.setattr(FrozenFeatures, "_image_features", None)
    assert own.maps is not None
    found = np.split(FrozenFeatures(tmp_path / "f.pt", tmp_path, half=False).images(training, [1]), 2)
    for view in (0, 1):
        with torch.inference_mode():
            wanted = model.image_upper(torch.from_numpy(own.maps[view].astype(np.float32)), 18)
        np.testing.assert_allclose(found[view], wanted, atol=1e-5)


def test_encoders_with_the_same_towers_share_cached_features(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = gathered(settings(root, "both"), root, tmp_path)
    saved = checkpoint.load(root / "best.pt")
    other = checkpoint.build(saved)
    with torch.no_grad():
        for name, value in other.named_parameters():
            if "projection" in name:
                value.copy_(torch.randn_like(value))
    checkpoint.save(tmp_path / "other.pt", "encoders", saved.config, other, saved.tokenizer_json, {})
    monkeypatch.setattr(FrozenFeatures, "_text_features", None)
    monkeypatch.setattr(FrozenFeatures, "_image_features", None)
    given = settings(root, "both")
    again = gather(tmp_path / "other.pt", given.data, root, tmp_path, dim=16, max_tokens=8, half=False)
    assert np.abs(first.conditions - again.conditions).max() > 0.1


def test_label_smoothing_raises_the_loss_only_of_a_confident_prediction() -> None:
    sure, following = torch.tensor([[[9.0, 0.0, 0.0]]]), torch.tensor([[0]])
    plain = examples.NextToken()([sure], following)[0]
    assert examples.NextToken(0.1)([sure], following)[0] > plain + 0.1
