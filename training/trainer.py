"""The training loop: steps, schedule, log, checkpoints, exact resume, early stopping. Knows no pictures, no texts."""

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.errors import UserError
from training import checkpoint
from training.config import TrainSettings

log = logging.getLogger(__name__)
Metrics = dict[str, float]


class Examples(Protocol):
    def __len__(self) -> int: ...

    def embed(
        self, model: Any, chosen: NDArray[np.intp], rng: np.random.Generator
    ) -> tuple[list[Tensor], Tensor | None]: ...


class Trainer:
    """Trains a model so that a killed run, started again with resume, gives the very curve of an unbroken one.

    Everything random comes from (seed, epoch) or from torch's generator, whose state is kept with each epoch.

    Args:
        model: has parameters; those that want no gradient stay as they are.
        examples: embed rows of the training split by modality.
        validate: metrics of the model now; must hold "score", higher is better.
        keep: called with the model and its metrics whenever the score is the best so far.
        folder: takes log.jsonl and last.pt.
    """

    def __init__(
        self, model: nn.Module, objective: nn.Module, examples: Examples, settings: TrainSettings,
        validate: Callable[[], Metrics], keep: Callable[[Metrics], None], folder: Path,
    ) -> None:  # fmt: skip
        if len(examples) < 2:
            raise UserError("Training needs at least two pairs; check the manifests.")
        self.model, self.objective, self.examples, self.settings = model, objective, examples, settings
        self.validate, self.keep, self.folder = validate, keep, folder
        self.device = next(model.parameters()).device
        self.batch = min(settings.batch, len(examples))
        self.steps_per_epoch = len(examples) // self.batch
        self.total_steps = max(1, self.steps_per_epoch * settings.epochs)
        self.optimizer = torch.optim.AdamW(parameter_groups(model, objective, settings))
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.average = {n: p.detach().clone() for n, p in self.learned()} if settings.average else {}
        self.step, self.epoch, self.best, self.best_epoch = 0, 0, -math.inf, 0
        torch.manual_seed(settings.seed)

    def learned(self) -> Iterator[tuple[str, nn.Parameter]]:
        return ((name, p) for name, p in self.model.named_parameters() if p.requires_grad)

    def run(self, resume: bool = False) -> Metrics:
        """Train to the end or to the early stop; the metrics of the best epoch."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if resume and (self.folder / "last.pt").exists():
            self.restore()
        else:
            (self.folder / "log.jsonl").write_text("")
        started, first = time.monotonic(), self.epoch
        while self.epoch < self.settings.epochs and not self.stalled():
            losses = self.run_epoch()
            with self.averaged():
                metrics = self.validate()
                self.epoch += 1
                if metrics["score"] > self.best:
                    self.best, self.best_epoch = metrics["score"], self.epoch
                    self.keep(metrics)
            spent = time.monotonic() - started
            left = spent / (self.epoch - first) * (self.settings.epochs - self.epoch)
            self.record({"epoch": self.epoch, "step": self.step, **losses, **metrics, "seconds": round(spent, 1)})
            shown = " ".join(f"{name} {value:.3f}" for name, value in {**losses, **metrics}.items())
            log.info("epoch %d/%d %s, %.0f s left", self.epoch, self.settings.epochs, shown, left)
            self.store()
        return {"score": self.best, "epoch": float(self.best_epoch)}

    def stalled(self) -> bool:
        patience = self.settings.patience
        return bool(patience) and self.epoch - self.best_epoch >= patience

    def run_epoch(self) -> Metrics:
        """One pass over the pairs in an order that depends on seed and epoch alone; mean losses."""
        self.model.train()
        rng = np.random.default_rng([self.settings.seed, self.epoch])
        order = rng.permutation(len(self.examples))
        sums: dict[str, float] = {}
        for number in range(self.steps_per_epoch):
            parts = self.run_step(order[number * self.batch : (number + 1) * self.batch], rng)
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value / self.steps_per_epoch
        return sums

    def run_step(self, chosen: NDArray[np.intp], rng: np.random.Generator) -> Metrics:
        factor = schedule(self.step, self.total_steps, self.settings.warmup)
        for group, peak in zip(self.optimizer.param_groups, self.peaks):
            group["lr"] = peak * factor
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.half):
            embeddings, same = self.examples.embed(self.model, chosen, rng)
        loss, parts = self.objective(embeddings, same, self.step / self.total_steps)
        if not torch.isfinite(loss):
            raise UserError(f"The loss is {loss.item()} at step {self.step}; lower lr or projection_lr.")
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for _, p in self.learned()], self.settings.clip)
        self.optimizer.step()
        self.step += 1
        decay = min(self.settings.average, (1.0 + self.step) / (10.0 + self.step))  # young averages forget faster
        if self.average:
            for name, value in self.learned():
                self.average[name].lerp_(value.detach(), 1.0 - decay)
        return {"loss": loss.item(), **parts}

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The model with the moving average of its weights, for as long as it is validated and kept."""
        now = {name: value.detach().clone() for name, value in self.learned()} if self.average else {}
        with torch.no_grad():
            for name, value in self.learned():
                if self.average:
                    value.copy_(self.average[name])
        try:
            yield
        finally:
            with torch.no_grad():
                for name, value in self.learned():
                    if self.average:
                        value.copy_(now[name])

    def record(self, line: dict[str, Any]) -> None:
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def store(self) -> None:
        """last.pt: all that the next epoch depends on."""
        content = {
            "settings": asdict(self.settings),
            "model": {name: value.detach() for name, value in self.learned()},
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "counters": [self.step, self.epoch, self.best, self.best_epoch],
            "random": torch.get_rng_state(),
        }
        checkpoint.write(self.folder / "last.pt", content)

    def restore(self) -> None:
        content = checkpoint.read(self.folder / "last.pt")
        if content["settings"] != asdict(self.settings):
            raise UserError(f"{self.folder} holds a run with other settings; resume with those, or give another --out.")
        with torch.no_grad():
            for name, value in self.learned():
                value.copy_(content["model"][name])
        self.objective.load_state_dict(content["objective"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.average = {name: value.to(self.device) for name, value in content["average"].items()}
        self.step, self.epoch, self.best, self.best_epoch = content["counters"]
        torch.set_rng_state(content["random"])
        lines = (self.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()[: self.epoch]
        (self.folder / "log.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        log.info("going on after epoch %d", self.epoch)


def schedule(step: int, total: int, warmup: float) -> float:
    """Share of the peak learning rate: a linear rise over the first `warmup` of all steps, then a cosine to 0."""
    rise = warmup * total
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1.0 + math.cos(math.pi * (step - rise) / max(1.0, total - rise)))


def parameter_groups(model: nn.Module, objective: nn.Module, settings: TrainSettings) -> list[dict[str, Any]]:
    """Projections learn at their own rate; weight decay spares biases, norms and the temperature."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, value in model.named_parameters():
        if value.requires_grad:
            rate = settings.projection_lr if "projection" in name.split(".")[0] else settings.lr
            groups.setdefault((rate, settings.weight_decay if value.ndim > 1 else 0.0), []).append(value)
    groups.setdefault((settings.projection_lr, 0.0), []).extend(p for p in objective.parameters() if p.requires_grad)
    return [{"params": values, "lr": rate, "weight_decay": decay} for (rate, decay), values in groups.items() if values]
