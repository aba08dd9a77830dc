"""Evaluation from end to end on a tiny checkpoint: metrics, intervals, chance, baselines, tables, plot."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tokenizers
import torch
from PIL import Image

from engine.errors import UserError
from training.commands import evaluate
from training.data.pairs import Pair
from training.metrics import by_source, measure, pool
from training.metrics.embedders import FromCheckpoint
from training.networks import checkpoint
from training.networks.towers import DualEncoder, EncoderConfig
from training.tables import shared_space_plot, table

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "heart",
    "lung",
    "brain",
    "is",
    "large",
    "clear",
    "right",
    "left",
]
BERT = {
    "model_type": "bert",
    "vocab_size": len(WORDS),
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
}
ROWS = 18


def tokenizer_json() -> str:
    backend = tokenizers.Tokenizer(tokenizers.models.WordPiece({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    backend.decoder = tokenizers.decoders.WordPiece()
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return backend.to_str()


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    text = {"kind": "transformers", "config": BERT}
    config = EncoderConfig({"kind": "efficientnet-lite0"}, text, size=32, dim=6, max_length=16)
    path = tmp_path_factory.mktemp("run") / "best.pt"
    checkpoint.save(path, "encoders", config.as_dict(), DualEncoder(config).eval(), tokenizer_json(), {"metrics": {}})
    return path


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine groups of two pairs in val and as many in train; one text occurs in two pairs."""
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    lines = []
    for split in ("train", "val"):
        for i in range(ROWS):
            name = f"{split}{i}.png"
            Image.fromarray(rng.integers(0, 256, (20, 24), dtype=np.uint8)).save(folder / name)
            text = f"{WORDS[5 + i % 3]} is {WORDS[9 + i % 2]} {' '.join([WORDS[11 + i % 2]] * (1 + i // 6))}"
            lines.append(
                [name, text, split, f"{split}-p{i // 2}", f"{split}-g{i // 2}", ["CT", "MR", "CR"][i % 3], "Chest"]
            )
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "text", "split", "patient_id", "split_group", "modality", "location"])
        writer.writerows(lines)
    return folder / "pairs.csv"


def test_the_command_measures_a_checkpoint_and_its_baselines(
    encoders: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--checkpoint", str(encoders), "--pairs", str(manifest), "--baselines", f"base={encoders}", "--centre"]
    arguments += [
        "--plot",
        str(tmp_path / "space.png"),
        "--markdown",
        str(tmp_path / "t.md"),
        "--json",
        "--threads",
        "1",
    ]
    assert evaluate.main(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document["models"]) == ["base", "base, centred", "this model", "this model, centred"]
    assert document["pool"]["images"] == ROWS
    assert document["pool"]["groups"] == 9
    metrics = document["models"]["this model"]["metrics"]
    for name in ("gap", "cos_true_pairs", "margin", "recall@10_text_to_image", "mrr_image_to_text", "mixed_ndcg@10"):
        assert metrics[name]["low"] <= metrics[name]["value"] <= metrics[name]["high"]
    for name in ("gap_floor", "effective_rank", "rmg", "uniformity", "mean_cos_image", "v_measure_modality"):
        assert isinstance(metrics[name]["value"], float)
    same = document["comparisons"]["this model over base"]
    assert {found["verdict"] for found in same.values()} == {"not worse"}
    assert {found["difference"] for found in same.values()} == {0.0}
    assert 0 < document["chance"]["recall@1_image_to_text"] < 0.3
    assert document["habit"]["recall@10_image_to_text"] > 0
    with Image.open(tmp_path / "space.png") as plot:
        assert plot.width > 1.5 * plot.height  # two panels
    written = (tmp_path / "t.md").read_text(encoding="utf-8")
    assert all(f"\n| {name} |" in written for name in (*document["models"], "chance", "most frequent texts"))


def test_every_source_is_measured_on_its_own_raw_and_centred_on_its_own_means(
    encoders: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Path(shutil.copytree(manifest.parent, tmp_path / "pairs-iu")) / "pairs.csv"
    with other.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows):
        row |= {"patient_id": f"iu-{row['patient_id']}", "split_group": f"iu-{row['split_group']}"}
        row |= {"source": "IU X-ray", "finding": ["normal", "Cardiomegaly/mild", "Opacity"][number % 3]}
    with other.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    arguments = ["--checkpoint", str(encoders), "--pairs", str(manifest), str(other), "--by-source", "--threads", "1"]
    assert evaluate.main([*arguments, "--output", str(tmp_path / "found.json")]) == 0
    sources = json.loads((tmp_path / "found.json").read_text())["sources"]
    assert list(sources) == [manifest.parent.name, "IU", "all"]
    models = sources["IU"]["models"]
    assert list(models) == ["this model", "this model, centred"]
    assert models["this model, centred"]["gap"]["value"] < models["this model"]["gap"]["value"]
    assert 0.0 <= models["this model"]["auroc_cardiomegaly"]["value"] <= 1.0
    assert "auroc_cardiomegaly" not in sources[manifest.parent.name]["models"]["this model"]
    assert list(sources["IU"]["comparisons"]) == ["this model over this model, centred"]
    shown = capsys.readouterr().out
    assert "### IU\n\n18 images" in shown
    assert "| AUROC cardiomegaly |" in shown


def test_centring_with_the_means_of_the_train_split_changes_the_score_scale(encoders: Path, manifest: Path) -> None:
    model = FromCheckpoint(encoders)
    document, _ = evaluate.evaluate({"m": model}, [manifest], centre=True, draws=20)
    found = document["models"]
    assert found["m"]["calibration"] != found["m, centred"]["calibration"]
    assert found["m, centred"]["metrics"]["mean_cos_text"]["value"] < found["m"]["metrics"]["mean_cos_text"]["value"]


def test_images_can_be_decoded_when_needed_and_a_damaged_one_is_then_an_error(
    encoders: Path, manifest: Path, tmp_path: Path
) -> None:
    model = FromCheckpoint(encoders)
    folder = Path(shutil.copytree(manifest.parent, tmp_path / "pairs"))
    read = [evaluate.evaluate({"m": model}, [folder / "pairs.csv"], draws=2, stream=kind)[0] for kind in (False, True)]
    assert read[0] == read[1]
    damaged = folder / "val3.png"
    damaged.write_bytes(damaged.read_bytes()[:200])
    options = ["--checkpoint", str(encoders), "--pairs", str(folder / "pairs.csv")]
    with pytest.raises(UserError, match=r"val3\.png cannot be decoded"):
        evaluate.main([*options, "--stream"])


def test_a_configuration_file_gives_defaults_for_the_command_line(
    encoders: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "evaluate.toml"
    settings.write_text(f'checkpoint = "{encoders}"\npairs = ["{manifest}"]\nseed = 3\nthreads = 1\njson = true\n')
    assert evaluate.main(["--config", str(settings), "--seed", "4"]) == 0
    assert json.loads(capsys.readouterr().out)["seed"] == 4
    settings.write_text("unknown_setting = 1\n")
    with pytest.raises(UserError, match="unknown_setting"):
        evaluate.main(["--config", str(settings)])


@pytest.mark.parametrize(
    "arguments", [[], ["--pairs", "x.csv"], ["--pairs", "x.csv", "--checkpoint", "a", "--bundle", "b"]]
)
def test_a_model_and_pairs_are_required(arguments: list[str]) -> None:
    with pytest.raises(UserError, match="--checkpoint or --bundle"):
        evaluate.main(arguments)


def test_texts_in_any_order_get_the_vectors_they_get_alone(encoders: Path) -> None:
    model = FromCheckpoint(encoders)
    texts = ["heart is large", "lung", "brain is clear right right right", "lung is clear"]
    alone = np.concatenate([model.texts([text]) for text in texts])
    np.testing.assert_allclose(model.texts(texts), alone, atol=1e-5)


def pair(text: str, group: str, modality: str = "CT") -> Pair:
    return Pair(Path("x.png"), text, "val", group, group, {"modality": modality, "location": "Chest"})


def test_the_pool_contains_every_image_and_each_text_once() -> None:
    found = pool.build([pair("a", "1"), pair("b", "1"), pair("a", "2"), pair("c", "3", "CR")])
    assert found.texts == ["a", "b", "c"]
    np.testing.assert_array_equal(found.positives, [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(found.item_groups[4], [True, True, False])  # "a" is in two groups
    assert found.labels["location"] == ["Chest", "Chest", "Chest", "", "Chest", "Chest", ""]
    assert found.as_dict() == {
        "images": 4,
        "texts": 3,
        "groups": 3,
        "images_with_train_text": 0,
        "effective_groups": 2.7,
    }


def test_recall_of_texts_that_no_train_split_has_stands_beside_recall_of_all() -> None:
    items = pool.build([pair(f"text {i // 2}", f"g{i // 2}") for i in range(40)], {"text 0", "text 1", "elsewhere"})
    assert items.as_dict()["images_with_train_text"] == 4
    texts = np.eye(20)
    images = np.where(np.arange(40)[:, None] < 4, texts[items.own], -texts[items.own])  # only the seen ones are found
    found = measure.measure(images, texts, items, draws=10).values
    chance, habit = measure.chance(items), measure.habit(items)
    for way, recall in (("image_to_text", 4 / 40), ("text_to_image", 2 / 20)):
        assert found[f"recall@10_{way}"] == pytest.approx(recall)
        assert found[f"recall@10_{way}_new"] == 0.0
        assert 0 < chance[f"recall@10_{way}_new"] < 1
    assert habit["recall@10_image_to_text_new"] == 0.0  # all texts are equally frequent: rank 10.5
    items = pool.build([pair(f"text {i // 2}", f"g{i // 2}") for i in range(40)], {"elsewhere"})
    assert not any(name.endswith("_new") for name in measure.measure(images, texts, items, draws=2).values)


def test_a_space_of_similar_pairs_is_better_than_one_of_noise() -> None:
    rows = [pair(f"text {i}", f"g{i}") for i in range(60)]
    items = pool.build(rows)
    rng = np.random.default_rng(0)
    images = rng.normal(size=(60, 32))
    good = measure.measure(images, images + 0.3 * rng.normal(size=(60, 32)), items, draws=200)
    noise = measure.measure(images, rng.normal(size=(60, 32)) + 0.5, items, draws=200)
    assert good.values["recall@1_image_to_text"] == 1.0
    assert good.values["gap"] == pytest.approx(good.values["gap_floor"], rel=0.35)
    verdicts = {name: found.verdict for name, found in measure.compare(good, noise).items()}
    for name in ("gap_over_floor", "margin", "recall@10_image_to_text", "cross_ndcg@10"):
        assert verdicts[name] == "better"


def test_a_gap_below_its_floor_is_no_better_than_one_at_it() -> None:
    def space(gap: float) -> measure.Measured:
        return measure.Measured({"gap_over_floor": gap}, {"gap_over_floor": np.full(20, gap)}, {})

    found = {gap: measure.compare(space(gap), space(0.07))["gap_over_floor"] for gap in (-0.066, 0.0)}
    assert found[-0.066] == found[0.0]
    assert found[0.0].difference == pytest.approx(0.07)
    assert measure.compare(space(-0.066), space(0.0))["gap_over_floor"].verdict == "not worse"


def test_only_recall_and_shares_have_a_tolerance() -> None:
    def space(value: float) -> measure.Measured:
        samples = value + np.random.default_rng(0).normal(0.0, 0.003, 200)
        names = ("recall@10", "calibrated_other_share", "cross_ndcg@10", "auroc_normal")
        return measure.Measured(dict.fromkeys(names, value), dict.fromkeys(names, samples), {})

    noise = space(0.5)
    noise = measure.Measured(noise.values, {name: drawn[::-1] for name, drawn in noise.samples.items()}, {})
    verdicts = {name: found.verdict for name, found in measure.compare(space(0.5), noise).items()}
    assert list(verdicts.values()) == ["not worse", "not worse", "undecided", "undecided"]


def test_centring_takes_the_gap_of_pairs_with_a_frequent_text_to_nothing() -> None:
    rng = np.random.default_rng(0)
    own = np.array([0] * 30 + [1, 2, 3, 4])
    texts = np.eye(16)[:5] + 0.01 * rng.normal(size=(5, 16))
    found = by_source.Vectors(rng.normal(size=(34, 16)), texts, texts, own)
    moved = found.images - found.images.mean(0), texts - texts[own].mean(0)
    for rows, expected in zip((found.centred().images, found.centred().texts), moved):
        np.testing.assert_allclose(rows, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)


def test_the_interval_of_the_gap_contains_the_gap() -> None:
    rng = np.random.default_rng(1)
    items = pool.build([pair(f"text {i}", f"g{i // 2}") for i in range(40)])
    found = measure.measure(rng.normal(size=(40, 64)), rng.normal(size=(40, 64)), items, draws=300)
    low, high = found.interval("gap") or (0.0, 0.0)
    assert low < found.values["gap"] < high


def test_numbers_are_shown_in_the_unit_of_their_metric() -> None:
    assert table.number(0.3456, "recall@10_image_to_text") == "34.6"
    assert table.number(0.3456, "gap") == "0.346"
    assert table.number(12.34, "effective_rank") == "12.3"
    assert table.number(None, "v_measure_location") == ""
    assert table.cell({"value": 0.5, "low": 0.4, "high": 0.6}, "mrr_text_to_image") == "50.0 (40.0 to 60.0)"


def test_both_modalities_share_one_projection() -> None:
    rng = np.random.default_rng(2)
    images = rng.normal(size=(30, 8))
    flat_images, flat_texts, shares = shared_space_plot.project(images + 5.0, images - 5.0)
    apart = flat_images.mean(0) - flat_texts.mean(0)
    assert np.linalg.norm(apart) == pytest.approx(10 * np.sqrt(8), rel=1e-3)
    assert shares[0] > 0.9
