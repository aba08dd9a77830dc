"""A grid of two tiny recipes on eight real images: what is measured is not trained again."""

import csv
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.errors import UserError
from tests.paths import DATA, ROOT
from training import __main__ as command
from training.commands import grid, results
from training.commands.train_encoders import train
from training.loop import config
from training.loop.trainer import differences
from training.metrics import grid_results
from training.metrics.measure import Measured
from training.tables import source_table

RECIPE = """
[data]
vocabulary = 400
[towers]
size = 32
dim = 16
max_length = 24
text_layers = 1
image_levels = [17, 18]
head_hidden = 8
head_dropout = 0.1
frozen_image_stages = 18
frozen_text_layers = 1
[train]
epochs = 1
batch = 3
crops = 1
threads = 1
"""
GRID = """
base = "recipe.toml"
seeds = [1, 2]
[variants."CLIP"]
loss = {tau = 0.07, learn_tau = true}
[variants."ATP + CU"]
loss = {atp = 1.0, cu = 1.0}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recipe, grid, and the eight pairs with half of them in val, so that every metric can be computed."""
    shutil.copytree(DATA / "pairs", tmp_path / "pairs")
    with (tmp_path / "pairs/pairs.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows):
        row["split"] = "val" if number % 2 else "train"
    with (tmp_path / "pairs/pairs.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "grid.toml").write_text(GRID)
    return tmp_path


def test_a_setting_that_is_newer_than_a_finished_run_does_not_repeat_it(folder: Path) -> None:
    run = next(iter(grid.read(folder / "grid.toml").runs(folder / "out")))
    earlier = grid.settings_of(run)
    del earlier["train"]["balance"], earlier["loss"]["cu_from"]
    assert grid.same_settings(earlier, run)
    changed = dataclasses.replace(run.settings, train=dataclasses.replace(run.settings.train, balance=0.5))
    assert not grid.same_settings(earlier, dataclasses.replace(run, settings=changed))
    run.folder.mkdir(parents=True)
    (run.folder / "settings.json").write_text(json.dumps(earlier))
    assert grid.resume(run)
    (run.folder / "settings.json").write_text(json.dumps(earlier)[:40])  # killed while it was written
    assert not grid.resume(run)


def test_a_run_is_repeated_when_the_towers_that_it_starts_from_were_trained_again(folder: Path) -> None:
    start = folder / "start.pt"
    start.write_bytes(b"one")
    (folder / "recipe.toml").write_text(RECIPE.replace("[towers]", f'[towers]\nstart = "{start}"'))
    run = next(iter(grid.read(folder / "grid.toml").runs(folder / "out")))
    stored, identity = grid.settings_of(run), run.settings.identity(8)
    before_hashes = {name: table for name, table in stored.items() if name != config.START}
    assert grid.same_settings(stored, run)
    start.write_bytes(b"another")
    assert not grid.same_settings(stored, run)
    assert differences(identity, run.settings.identity(8)) == [config.START]
    assert grid.same_settings(before_hashes, run)  # as a run of an earlier version stored it
    before_hashes.pop("train")
    assert differences(before_hashes, run.settings.identity(8)) == []
    start.unlink()
    assert grid.same_settings(stored, run)  # it can be measured again without the file


def test_a_grid_continues_where_it_was_and_trains_only_what_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Path] = []
    real = grid.train
    monkeypatch.setattr(grid, "train", lambda *given: trained.append(given[2]) or real(*given))
    out = folder / "out"
    first = grid.run_grid(grid.read(folder / "grid.toml"), folder, out, folder / "cache")
    assert [(found["variant"], found["seed"]) for found in first] == [
        ("CLIP", 1),
        ("ATP + CU", 1),
        ("CLIP", 2),
        ("ATP + CU", 2),
    ]
    assert trained == [
        out / "clip" / "seed1",
        out / "atp---cu" / "seed1",
        out / "clip" / "seed2",
        out / "atp---cu" / "seed2",
    ]
    trained.clear()
    assert grid.run_grid(grid.read(folder / "grid.toml"), folder, out, folder / "cache") == first
    assert trained == []
    (folder / "grid.toml").write_text(GRID.replace("cu = 1.0", "cu = 2.0"))
    grid.run_grid(grid.read(folder / "grid.toml"), folder, out, folder / "cache")
    assert trained == [out / "atp---cu" / "seed1", out / "atp---cu" / "seed2"]


def test_the_results_are_means_over_the_seeds_by_source_below_the_part_written_by_hand(folder: Path) -> None:
    runs = grid.run_grid(grid.read(folder / "grid.toml"), folder, folder / "out", folder / "cache")
    docs = folder / "docs"
    docs.mkdir()
    (docs / "results.md").write_text("# Results\n\nWords.\n")
    (docs / "curve.md").write_text("## A curve\n\nOf adaptation.\n")
    out = str(folder / "out")
    options = ["--grid", out, "--docs", str(docs), "--candidate", "ATP + CU", "--baselines", "CLIP"]
    evaluated = {"sources": {"pairs": {"models": {"adapted": {"gap_over_floor": {"value": 0.0123}}}}}}
    (docs / "adapted.json").write_text(json.dumps(evaluated))
    options += ["--adapted", f"pairs={docs / 'adapted.json'}"]
    options += ["--without", f"pairs={out}", "--trials", out, "--frozen", out, "--sections", str(docs / "curve.md")]
    for _ in range(2):  # the second time replaces what the first one wrote
        assert command.main(["results", *options]) == 0
    text = (docs / "results.md").read_text()
    assert text.startswith("# Results\n\nWords.\n")
    for title in (
        "Every variant",
        "Where nobody trained",
        "Changes of the recipe",
        "A curve",
        "The frontier",
        "The same recipes",
    ):
        assert text.count(f"## {title}") == 1, title
    assert "| adapted on a tenth |" in text
    assert "| 0.012 |" in text
    document = json.loads((docs / "results.json").read_text())
    assert document["training_seeds"] == [1, 2]
    for variant in ("CLIP", "ATP + CU"):
        alone = [run["sources"]["pairs"]["raw"]["margin"] for run in runs if run["variant"] == variant]
        margin = document["sources"]["pairs"]["models"][variant]["margin"]
        assert margin["value"] == pytest.approx(np.mean(alone), abs=1e-4)
        assert margin["low"] <= margin["value"] <= margin["high"]
    assert list(document["sources"]["pairs"]["comparisons"]) == [
        "ATP + CU over CLIP",
        "ATP + CU over CLIP, centred",
        "ATP + CU over ATP + CU, centred",
    ]
    assert {run["variant"] for run in json.loads((docs / "grid.json").read_text())} == {"CLIP", "ATP + CU"}
    for plot in ("curves.png", "shared-space.png", "frontier.png"):
        assert (docs / plot).stat().st_size > 5000
    with pytest.raises(UserError, match="must be a source"):
        results.main([*options[:8], "--without", f"IU={out}"])


def test_a_grid_measures_again_without_training_when_a_metric_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = grid.run_grid(grid.read(folder / "grid.toml"), folder, folder / "out", folder / "cache")
    monkeypatch.setattr(grid, "train", None)
    monkeypatch.setattr(grid, "MEASURES", grid.MEASURES + 1)
    again = grid.run_grid(grid.read(folder / "grid.toml"), folder, folder / "out", folder / "cache")
    assert [run["sources"] for run in again] == [run["sources"] for run in before]


def test_a_grid_measures_the_sources_that_a_variant_leaves_out(folder: Path) -> None:
    shutil.copytree(folder / "pairs", folder / "pairs-iu")
    manifest = folder / "pairs-iu/pairs.csv"
    with manifest.open() as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row |= {name: f"iu-{row[name]}" for name in ("patient_id", "split_group")}
    with manifest.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (folder / "recipe.toml").write_text(
        RECIPE.replace("[data]", '[data]\nmanifests = ["pairs/pairs.csv", "pairs-iu/pairs.csv"]')
    )
    (folder / "grid.toml").write_text(
        'base = "recipe.toml"\nseeds = [1]\n[variants.a]\ndata = {manifests = ["pairs/pairs.csv"]}\n'
    )
    (run,) = grid.run_grid(grid.read(folder / "grid.toml"), folder, folder / "out", folder / "cache")
    assert run["settings"]["data"]["manifests"] == ["pairs/pairs.csv"]
    assert list(run["sources"]) == list(run["references"]) == ["pairs", "IU", "all"]
    images = {source: found["pool"]["images"] for source, found in run["references"].items()}
    assert images["all"] == images["pairs"] + images["IU"]
    stored = grid.load_vectors(folder / "out/a/seed1" / grid.EMBEDDED)
    assert len(stored.images) == images["all"]
    assert stored.own.max() + 1 == len(stored.texts)


def test_a_grid_of_streaming_recipes_also_streams_for_measuring(folder: Path) -> None:
    recipe = config.read(folder / "recipe.toml")
    recipe = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, stream=True))
    best = train(recipe, folder, folder / "run", folder / "cache")
    with (folder / "pairs/pairs.csv").open() as stream:
        damaged = folder / "pairs" / next(row["image"] for row in csv.DictReader(stream) if row["split"] == "val")
    damaged.write_bytes(damaged.read_bytes()[:-2000])
    with pytest.raises(UserError, match="cannot be decoded"):
        grid.Validation([folder / "pairs/pairs.csv"], stream=True).embedded(best, recipe, folder / "cache")


def test_the_interval_of_a_mean_over_seeds_contains_how_the_seeds_differ() -> None:
    def training(value: float) -> Measured:
        return Measured({"margin": value}, {"margin": np.full(1000, value)}, {})

    alone, several = grid_results.mean_of([training(0.2)]), grid_results.mean_of([training(0.1), training(0.3)])
    assert alone.interval("margin") == pytest.approx((0.2, 0.2))
    assert several.interval("margin") == pytest.approx((0.1, 0.3))
    assert several.values["margin"] == pytest.approx(0.2)
    better = grid_results.mean_of([training(0.15), training(0.35)])  # by as much with either seed
    assert better.samples["margin"] - several.samples["margin"] == pytest.approx(np.full(1000, 0.05))


def test_results_without_runs_say_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="python -m training grid"):
        grid_results.read(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds = [1]", "must contain base, seeds"),
        ("base = 'x'\nseeds = [1]\n[variants.a]\nloss = {taw = 1.0}", "Unknown setting 'taw'"),
        ("base = 'x'\nseeds = [1]\n[variants.a]\ntrain = {seed = 3}", "remove seed"),
        ("base = 'x'\nseeds = [1]\n[variants.a]\n[variants.A]", "share a folder"),
        ("base = ", "not valid TOML"),
    ],
)
def test_an_invalid_grid_is_a_user_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "grid.toml").write_text(text)
    with pytest.raises(UserError, match=message):
        grid.read(tmp_path / "grid.toml")


def test_the_table_shows_mean_and_spread_over_the_seeds() -> None:
    def run(seed: int, gap: float, variant: str = "A") -> dict[str, object]:
        values = {"gap_over_floor": gap, "recall@10_image_to_text": gap, "region@5": None if seed == 2 else gap}
        pool = {"images": 3, "texts": 2, "groups": 2, "effective_groups": 2.0}
        reference = {
            "pool": pool,
            "chance": {"recall@10_image_to_text": 0.5},
            "habit": {"recall@10_image_to_text": 0.6},
        }
        return {
            "variant": variant,
            "seed": seed,
            "sources": {"IU": {"raw": values, "centred": values}},
            "references": {"IU": reference},
        }

    lines = source_table.markdown([run(1, 0.1), run(2, 0.3), run(1, 0.4, "B")]).splitlines()
    assert lines[0] == "### IU"
    assert lines[4] == "|  | gap over floor | R@10 i2t |"
    assert lines[6:9] == [
        "| A | 0.200 ± 0.141 | 20.0 ± 14.1 |",
        "| A, centred | 0.200 ± 0.141 | 20.0 ± 14.1 |",
        "| B (1 of 2 seeds) | 0.400 | 40.0 |",
    ]
    assert lines[10:12] == ["| chance |  | 50.0 |", "| most frequent texts |  | 60.0 |"]


@pytest.mark.parametrize("name", ["grid", "grid_gpu", "grid_heads", "trials_heads", "without_iu", "without_roco"])
def test_the_shipped_grids_can_be_read(name: str) -> None:
    shipped = grid.read(ROOT / "training" / "configs" / f"{name}.toml")
    runs = list(shipped.runs(Path("out")))
    assert len(runs) == len(shipped.seeds) * len(shipped.variants)
    recipes = [json.dumps(run.settings.as_dict()) for run in runs]
    assert len(set(recipes)) == len(recipes)  # no variant is what the base says anyway
