"""The training loop: schedule, early stop, and exact resume of a killed run."""

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.errors import UserError
from training.arrays import IndexArray
from training.loop import precision
from training.loop.config import LossSettings, TrainSettings
from training.loop.losses import Objective
from training.loop.trainer import Metrics, Trainer, layers_above, parameter_groups, schedule
from training.networks import checkpoint

SETTINGS = TrainSettings(seed=3, epochs=5, batch=8, lr=1e-2, projection_lr=2e-2, average=0.9, half=False)


class TinyTowers(nn.Module):
    """Two small networks with dropout, so that torch's generator matters for the result."""

    def __init__(self) -> None:
        super().__init__()
        self.image_tower = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.3), nn.Tanh())
        self.image_projection = nn.Linear(8, 4, bias=False)
        self.text_projection = nn.Linear(5, 4, bias=False)


class TinyExamples:
    """Twenty pairs of vectors with random noise on each draw."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        hidden = rng.normal(size=(20, 3))
        self.left = (hidden @ rng.normal(size=(3, 6))).astype(np.float32)
        self.right = (hidden @ rng.normal(size=(3, 5))).astype(np.float32)

    def __len__(self) -> int:
        return len(self.left)

    def embed(
        self, model: TinyTowers, chosen: IndexArray, rng: np.random.Generator
    ) -> tuple[list[Tensor], Tensor | None]:
        noise = rng.normal(scale=0.1, size=(len(chosen), 6)).astype(np.float32)
        left = model.image_projection(model.image_tower(torch.from_numpy(self.left[chosen] + noise)))
        right = model.text_projection(torch.from_numpy(self.right[chosen]))
        return [nn.functional.normalize(left, dim=1), nn.functional.normalize(right, dim=1)], None


class Killed(Exception):
    """Simulates a power failure."""


def trainer(
    folder: Path,
    settings: TrainSettings = SETTINGS,
    die_in: int = 0,
    scores: list[float] | None = None,
    identity: dict[str, Any] | None = None,
) -> Trainer:
    torch.manual_seed(11)
    model, examples = TinyTowers(), TinyExamples()
    validated = 0

    def validate() -> Metrics:
        nonlocal validated
        validated += 1
        if die_in and validated == die_in:
            raise Killed
        model.eval()
        with torch.no_grad():
            z, _ = examples.embed(model, np.arange(20), np.random.default_rng(0))
        return {"score": scores[validated - 1] if scores else float((z[0] * z[1]).sum(1).mean())}

    objective = Objective(LossSettings(tau=0.07, learn_tau=True, atp=1.0, cu=1.0))
    return Trainer(
        model,
        objective,
        examples,
        settings,
        validate=validate,
        save_best=lambda metrics: None,
        folder=folder,
        identity=identity,
    )


def curve(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_training_lowers_the_loss_and_logs_every_epoch(tmp_path: Path) -> None:
    found = trainer(tmp_path).run()
    lines = curve(tmp_path)
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert found["score"] == max(line["score"] for line in lines)
    assert {"nce", "atp", "cu", "tau", "step"} <= lines[0].keys()


@pytest.mark.parametrize("die_in", [1, 3, 5])
def test_a_killed_run_that_is_resumed_gives_exactly_the_same_curve(tmp_path: Path, die_in: int) -> None:
    whole = trainer(tmp_path / "whole")
    whole.run()
    with pytest.raises(Killed):
        trainer(tmp_path / "killed", die_in=die_in).run()
    torch.manual_seed(999)  # another process starts with another state
    resumed = trainer(tmp_path / "killed")
    resumed.run(resume=True)
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")
    for (name, a), (_, b) in zip(whole.trainable(), resumed.trainable()):
        assert torch.equal(a, b), name


def test_resuming_with_other_settings_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path, replace(SETTINGS, epochs=1)).run()
    with pytest.raises(UserError, match="other settings"):
        trainer(tmp_path, replace(SETTINGS, lr=0.5)).run(resume=True)


def test_resuming_as_another_run_is_refused_naming_what_differs(tmp_path: Path) -> None:
    mine = {"loss": {"atp": 1.0, "cu": 1.0}, "encoders": "a1", "examples": 20}
    trainer(tmp_path, identity=mine).run()
    before = (tmp_path / "last.pt").read_bytes()
    other = {"loss": {"atp": 0.0, "cu": 1.0}, "encoders": "b2", "examples": 20}
    with pytest.raises(UserError, match=r"\(loss\.atp, encoders\); resume with those, or choose another --out"):
        trainer(tmp_path, identity=other).run(resume=True)
    assert (tmp_path / "last.pt").read_bytes() == before
    trainer(tmp_path, identity={**mine, "added by a later version": True}).run(resume=True)


def test_a_run_of_an_earlier_version_is_resumed_with_the_defaults_of_new_settings_only(tmp_path: Path) -> None:
    trainer(tmp_path, identity={"loss": {"atp": 1.0}, "examples": 20}).run()
    defaults = {"loss": {"atp": 0.0, "new": 0}}
    changed = trainer(tmp_path, identity={"loss": {"atp": 1.0, "new": 3}, "examples": 20})
    changed.defaults = defaults
    with pytest.raises(UserError, match=r"\(loss\.new\)"):
        changed.run(resume=True)
    same = trainer(tmp_path, identity={"loss": {"atp": 1.0, "new": 0}, "examples": 20})
    same.defaults = defaults
    same.run(resume=True)


class Twice(TinyExamples):
    """Examples that draw every even row twice and no odd one."""

    def __init__(self, seen: list[int]) -> None:
        super().__init__()
        self.seen = seen

    def order(self, rng: np.random.Generator) -> IndexArray:
        return rng.permutation(np.repeat(np.arange(0, 20, 2), 2))

    def embed(
        self, model: TinyTowers, chosen: IndexArray, rng: np.random.Generator
    ) -> tuple[list[Tensor], Tensor | None]:
        self.seen += chosen.tolist()
        return super().embed(model, chosen, rng)


def test_examples_may_decide_what_an_epoch_draws(tmp_path: Path) -> None:
    seen: list[int] = []
    run = trainer(tmp_path, replace(SETTINGS, epochs=1))
    run.examples = Twice(seen)
    run.run()
    assert len(seen) == 16  # two batches of eight, as with any other order
    assert all(row % 2 == 0 for row in seen)


def test_a_run_without_identity_is_resumed_by_its_settings(tmp_path: Path) -> None:
    trainer(tmp_path).run()
    content = checkpoint.read(tmp_path / "last.pt")
    del content["identity"]
    checkpoint.write(tmp_path / "last.pt", content)
    assert trainer(tmp_path, identity={"examples": 20}).run(resume=True)["epoch"] > 0


def test_training_stops_when_val_does_not_improve(tmp_path: Path) -> None:
    found = trainer(tmp_path, replace(SETTINGS, patience=2), scores=[0.1, 0.5, 0.4, 0.3, 0.9]).run()
    assert len(curve(tmp_path)) == 4
    assert found == {"score": 0.5, "epoch": 2.0}


def test_the_best_epoch_is_saved_with_its_averaged_weights(tmp_path: Path) -> None:
    saved = []
    run = trainer(tmp_path, replace(SETTINGS, epochs=3), scores=[0.1, 0.5, 0.4])
    run.save_best = lambda metrics: saved.append(
        (metrics["score"], dict(run.average), dict(run.model.named_parameters()))
    )
    run.run()
    assert [score for score, _, _ in saved] == [0.1, 0.5]
    outside = dict(run.trainable())["image_projection.weight"].detach()
    assert not torch.equal(outside, run.average["image_projection.weight"])
    with run.averaged():
        assert torch.equal(dict(run.trainable())["image_projection.weight"], run.average["image_projection.weight"])


def test_frozen_weights_do_not_change(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    model = run.model
    assert isinstance(model, TinyTowers)
    model.image_tower.requires_grad_(False)
    before = {name: value.clone() for name, value in model.image_tower.state_dict().items()}
    frozen = Trainer(
        model, run.objective, run.examples, SETTINGS, validate=run.validate, save_best=run.save_best, folder=tmp_path
    )
    frozen.run()
    assert all(torch.equal(value, before[name]) for name, value in model.image_tower.state_dict().items())


def test_the_rate_rises_and_then_falls_to_zero() -> None:
    rates = [schedule(step, 100, 0.1) for step in range(100)]
    assert rates[0] < rates[5] < rates[10] == pytest.approx(1.0)
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert rates[55] == pytest.approx(0.5)
    assert rates[-1] < 0.01


def test_projections_learn_faster_and_biases_do_not_decay() -> None:
    groups = parameter_groups(TinyTowers(), Objective(LossSettings(tau=0.07, learn_tau=True)), SETTINGS)
    found = {(group["lr"], group["weight_decay"]): len(group["params"]) for group in groups}
    assert found == {(1e-2, 0.05): 1, (1e-2, 0.0): 1, (2e-2, 0.05): 2, (2e-2, 0.0): 1}


def test_lower_layers_of_each_tower_learn_slower() -> None:
    names = [
        "image_tower.stages.17.0.weight",
        "image_tower.stages.16.layers.7.bias",
        "text_tower.encoder.layer.5.bias",
        "text_tower.encoder.layer.4.bias",
        "text_tower.embeddings.weight",
    ]
    assert list(layers_above(names).values()) == [0, 1, 0, 1, 2]
    model = torch.nn.ModuleDict({"image_tower": torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(3)))})
    settings = replace(SETTINGS, layer_decay=0.5)
    groups = parameter_groups(model, Objective(LossSettings(tau=0.07)), settings)
    rates = {group["lr"] for group in groups}
    assert rates == {SETTINGS.lr, SETTINGS.lr / 2, SETTINGS.lr / 4}


@pytest.mark.parametrize("has", [True, False])
def test_bfloat16_is_used_where_the_processor_has_it(has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: has)
    a = torch.rand(2, 2)
    with precision.autocast("cpu"):
        assert (a @ a).dtype == (torch.bfloat16 if has else torch.float32)
    with precision.autocast("cpu", wanted=False):
        assert (a @ a).dtype == torch.float32


def test_a_loss_that_explodes_is_reported(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    with torch.no_grad():
        dict(run.trainable())["image_projection.weight"].fill_(math.nan)
    with pytest.raises(UserError, match="lower lr"):
        run.run()
