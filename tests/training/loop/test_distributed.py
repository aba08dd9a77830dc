"""Two processes, and one process in several parts, train like one process with the whole batch."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.errors import UserError
from tests.paths import ROOT
from training.arrays import IndexArray
from training.loop import distributed
from training.loop.config import LossSettings, TrainSettings
from training.loop.losses import Objective
from training.loop.trainer import Metrics, Trainer

SETTINGS = TrainSettings(seed=3, epochs=2, batch=8, lr=1e-2, projection_lr=2e-2, average=0.9, half=False)


class Towers(nn.Module):
    """A minimal network, since only the arithmetic is tested."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.image_tower = nn.Sequential(nn.Linear(6, 8), nn.Dropout(dropout), nn.Tanh())
        self.image_projection = nn.Linear(8, 4, bias=False)
        self.text_projection = nn.Linear(5, 4, bias=False)


class Pairs:
    """Twenty pairs of vectors, two of them with the same text; optionally with noise on each draw."""

    def __init__(self, noise: float) -> None:
        rng = np.random.default_rng(0)
        self.left = rng.normal(size=(20, 6)).astype(np.float32)
        self.right = rng.normal(size=(20, 5)).astype(np.float32)
        self.text = np.array([*range(19), 0])
        self.noise = noise

    def __len__(self) -> int:
        return len(self.left)

    def embed(self, model: Towers, chosen: IndexArray, rng: np.random.Generator) -> tuple[list[Tensor], Tensor | None]:
        noise = rng.normal(scale=self.noise, size=(len(chosen), 6)).astype(np.float32)
        left = model.image_projection(model.image_tower(torch.from_numpy(self.left[chosen] + noise)))
        right = model.text_projection(torch.from_numpy(self.right[chosen]))
        return [nn.functional.normalize(z, dim=1) for z in (left, right)], self.same(chosen)

    def sources(self, chosen: IndexArray) -> Tensor:
        return torch.from_numpy(chosen % 3)

    def same(self, chosen: IndexArray) -> Tensor:
        return torch.from_numpy(self.text[chosen][:, None] == self.text[chosen][None, :])


def train(folder: Path, settings: TrainSettings, random: float, resume: bool = False) -> Trainer:
    torch.manual_seed(11 + distributed.rank())  # process 1 begins elsewhere and has to be given the weights
    model, pairs = Towers(random), Pairs(random)

    def validate() -> Metrics:
        model.eval()
        with torch.no_grad():
            z, _ = Pairs(0.0).embed(model, np.arange(20), np.random.default_rng(0))
        return {"score": float((z[0] * z[1]).sum(1).mean())}

    objective = Objective(LossSettings(tau=0.07, learn_tau=True, atp=1.0, cu=1.0, source_gap=1.0, mask_same=True))
    run = Trainer(model, objective, pairs, settings, validate=validate, save_best=lambda metrics: None, folder=folder)
    run.run(resume)
    return run


def result(folder: Path, run: Trainer) -> None:
    """Write the weights of this process next to the curve."""
    folder.mkdir(exist_ok=True)
    torch.save(run.model.state_dict(), folder / f"weights-{distributed.rank()}.pt")


def weights(folder: Path, rank: int = 0) -> dict[str, Tensor]:
    found: dict[str, Tensor] = torch.load(folder / f"weights-{rank}.pt", weights_only=True)
    return found


def curve(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def assert_equal_runs(first: Path, second: Path) -> None:
    for name, value in weights(first).items():
        torch.testing.assert_close(value, weights(second)[name], atol=1e-5, rtol=1e-5, msg=name)
    for one, other in zip(curve(first), curve(second), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What torchrun --nproc-per-node 2 does: this file twice, each with its rank; see the end of the file."""
    folder = tmp_path_factory.mktemp("two")
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.loop.test_distributed", str(folder)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **meeting, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    problems = [run.communicate()[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], "\n".join(problems)
    return folder


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def one_process(folder: Path, settings: TrainSettings, random: float) -> Path:
    result(folder, train(folder, settings, random))
    return folder


def test_two_processes_train_like_one(two_processes: Path, tmp_path: Path) -> None:
    assert_equal_runs(two_processes / "plain", one_process(tmp_path / "one", SETTINGS, random=0.0))
    for name, value in weights(two_processes / "plain").items():
        assert torch.equal(value, weights(two_processes / "plain", rank=1)[name]), name


def test_two_processes_draw_and_drop_out_like_two_parts_and_resume_exactly(two_processes: Path, tmp_path: Path) -> None:
    parts = one_process(tmp_path / "parts", replace(SETTINGS, accumulate=2), random=0.3)
    assert_equal_runs(two_processes / "resumed", parts)


@pytest.mark.parametrize("parts", [2, 4])
def test_accumulated_parts_are_one_big_batch(tmp_path: Path, parts: int) -> None:
    whole = one_process(tmp_path / "whole", SETTINGS, random=0.0)
    assert_equal_runs(one_process(tmp_path / "parts", replace(SETTINGS, accumulate=parts), random=0.0), whole)


def test_small_batches_one_by_one_are_not_one_big_batch() -> None:
    """Plain accumulation would do this, hence `distributed.backward`."""
    torch.manual_seed(0)
    rows = [nn.functional.normalize(torch.randn(8, 4), dim=1).requires_grad_() for _ in range(2)]
    objective = Objective(LossSettings(tau=0.1, learn_tau=False, atp=1.0, cu=1.0))
    whole = torch.autograd.grad(objective(rows)[0], rows)
    halves = [objective([z[part : part + 4] for z in rows])[0] for part in (0, 4)]
    apart = torch.autograd.grad((halves[0] + halves[1]) / 2, rows)
    assert (whole[0] - apart[0]).abs().max() > 0.01


def test_a_batch_that_cannot_be_divided_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be divided among 1 processes x 3 parts"):
        train(tmp_path, replace(SETTINGS, accumulate=3), random=0.0)


def test_without_torchrun_there_is_one_process() -> None:
    with distributed.processes(), distributed.first():
        assert (distributed.rank(), distributed.world()) == (0, 1)
        rows = torch.ones(2, 3)
        assert distributed.gather(rows) is rows
        assert distributed.from_first(lambda: 7) == 7


def test_processes_wait_for_hours_while_the_first_prepares(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
    for name, value in {**alone, "MASTER_PORT": str(free_port())}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with distributed.processes():
        backend = torch.distributed.distributed_c10d._get_default_group()._get_backend(torch.device("cpu"))
        assert backend.options._timeout.total_seconds() > 6 * 3600


def stopped_after_one_epoch(folder: Path) -> None:
    """The schedule covers both epochs from the start, as in a run that is killed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "stalled", lambda self: self.epoch >= 1)
        train(folder, SETTINGS, random=0.3)


if __name__ == "__main__":
    torch.set_num_threads(1)
    plain, resumed = Path(sys.argv[1]) / "plain", Path(sys.argv[1]) / "resumed"
    with distributed.processes():
        result(plain, train(plain, SETTINGS, random=0.0))
        stopped_after_one_epoch(resumed)
        result(resumed, train(resumed, SETTINGS, random=0.3, resume=True))
