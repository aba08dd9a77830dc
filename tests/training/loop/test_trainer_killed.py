"""SIGKILL at every step and every file operation of a real training: resumed, it has the same result."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.paths import ROOT
from training.arrays import IndexArray
from training.loop.config import LossSettings, TrainSettings
from training.loop.losses import Objective
from training.loop.trainer import Metrics, Trainer
from training.networks import checkpoint

SETTINGS = TrainSettings(seed=5, epochs=3, batch=8, lr=1e-2, projection_lr=2e-2, average=0.9, half=False)
FILES = {"best.pt", "last.pt", "log.jsonl"}
CHAINS = 6


class Towers(nn.Module):
    """Dropout, so that torch's generator matters, and running statistics, so that buffers do."""

    def __init__(self) -> None:
        super().__init__()
        self.image_tower = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Tanh())
        self.image_projection = nn.Linear(8, 4, bias=False)
        self.text_projection = nn.Linear(5, 4, bias=False)


class Pairs:
    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        hidden = rng.normal(size=(20, 3))
        self.left = (hidden @ rng.normal(size=(3, 6))).astype(np.float32)
        self.right = (hidden @ rng.normal(size=(3, 5))).astype(np.float32)

    def __len__(self) -> int:
        return len(self.left)

    def embed(self, model: Towers, chosen: IndexArray, rng: np.random.Generator) -> tuple[list[Tensor], Tensor | None]:
        noise = rng.normal(scale=0.1, size=(len(chosen), 6)).astype(np.float32)
        left = model.image_projection(model.image_tower(torch.from_numpy(self.left[chosen] + noise)))
        right = model.text_projection(torch.from_numpy(self.right[chosen]))
        return [nn.functional.normalize(z, dim=1) for z in (left, right)], None


class Fate:
    """Counts what happens to a run: its steps, and each opening, flushing and renaming of a file in its folder.

    It kills its own process, as the power does, right before the event of a given number.
    """

    def __init__(self, folder: Path, kill_at: int) -> None:
        self.folder, self.kill_at, self.seen = str(folder), kill_at, 0
        sys.addaudithook(self.on_audit)
        flush = os.fsync
        os.fsync = lambda stream: (self.event(), flush(stream))[1]

    def event(self) -> None:
        self.seen += 1
        if self.seen == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_audit(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name in ("open", "os.rename", "os.remove") and str(arguments[0]).startswith(self.folder):
            self.event()


def train(folder: Path, kill_at: int = 0) -> int:
    """One life of a run: it always resumes; the number of events it lived through."""
    fate = Fate(folder, kill_at)
    torch.manual_seed(11)
    model, pairs = Towers(), Pairs()

    def validate() -> Metrics:
        model.eval()
        with torch.no_grad():
            z, _ = pairs.embed(model, np.arange(20), np.random.default_rng(0))
        return {"score": float((z[0] * z[1]).sum(1).mean())}

    def keep(metrics: Metrics) -> None:
        checkpoint.save(folder / "best.pt", "encoders", {}, model, "{}", {"metrics": metrics})

    objective = Objective(LossSettings(tau=0.07, learn_tau=True, atp=1.0, cu=1.0))
    objective.register_forward_hook(lambda *_: fate.event())
    Trainer(model, objective, pairs, SETTINGS, validate=validate, save_best=keep, folder=folder).run(resume=True)
    return fate.seen


def in_a_process(folder: Path, kill_at: int = 0) -> int:
    """What `train` returns, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        count = train(folder, kill_at)
        (folder.parent / f"{folder.name}.events").write_text(str(count))
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status else int((folder.parent / f"{folder.name}.events").read_text())


def all_lives(root: Path) -> dict[str, list[int]]:
    """Each run with how its lives ended: one unbroken, one for every event, and some killed again and again."""
    ends = {"whole": [train(root / "whole")]}  # in this process, so that its children find everything loaded
    for event in range(1, ends["whole"][0] + 1):
        ends[f"at-{event}"] = [in_a_process(root / f"at-{event}", event), in_a_process(root / f"at-{event}")]
    for seed in range(CHAINS):
        moments, name = random.Random(seed), f"chain-{seed}"
        ends[name] = [-1]
        while ends[name][-1] < 0:
            ends[name].append(in_a_process(root / name, moments.randrange(3, 30)))
        ends[name].pop(0)
    return ends


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[int]]]:
    """All lives, led in one process that loads torch once and forks."""
    root = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-m", "tests.training.loop.test_trainer_killed", str(root)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert finished.returncode == 0, finished.stderr
    return root, json.loads(finished.stdout.splitlines()[-1])


def curve(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_every_run_was_killed_where_it_should_be(runs: tuple[Path, dict[str, list[int]]]) -> None:
    _, ends = runs
    assert ends["whole"][0] > 25
    assert all(ends[name][0] == -signal.SIGKILL for name in ends if name.startswith("at-"))
    assert all(life[-1] > 0 for life in ends.values())
    assert sum(len(ends[f"chain-{seed}"]) - 1 for seed in range(CHAINS)) >= CHAINS


def test_a_killed_run_has_the_curve_and_the_weights_of_an_unbroken_one(runs: tuple[Path, dict[str, list[int]]]) -> None:
    root, ends = runs
    expected = {name: checkpoint.read(root / "whole" / name) for name in ("last.pt", "best.pt")}
    assert len(curve(root / "whole")) == SETTINGS.epochs
    for name in ends:
        assert curve(root / name) == curve(root / "whole"), name
        torch.testing.assert_close(checkpoint.read(root / name / "last.pt"), expected["last.pt"], rtol=0, atol=0)
        best = checkpoint.read(root / name / "best.pt")
        torch.testing.assert_close(best["state"], expected["best.pt"]["state"], rtol=0, atol=0)
        assert best["extra"] == expected["best.pt"]["extra"]


def test_no_partial_file_remains(runs: tuple[Path, dict[str, list[int]]]) -> None:
    root, ends = runs
    assert {name: {path.name for path in (root / name).iterdir()} for name in ends} == dict.fromkeys(ends, FILES)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.stdout.write(json.dumps(all_lives(Path(sys.argv[1]))) + "\n")
