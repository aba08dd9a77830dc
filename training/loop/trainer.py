"""The training loop: steps, schedule, log, checkpoints, exact resume, early stopping.

Does not know images, texts or the losses: it is given objects that embed a batch and compute a loss.
"""

import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import UserError
from engine.store.safety.whole_file import flush
from training.arrays import IndexArray
from training.loop import distributed
from training.loop.config import TrainSettings
from training.loop.precision import autocast
from training.networks import checkpoint

log = logging.getLogger(__name__)
Metrics = dict[str, float]


class Examples(Protocol):
    """The training split, as the loop draws from it."""

    def __len__(self) -> int: ...

    def embed(self, model: Any, chosen: IndexArray, rng: np.random.Generator) -> tuple[list[Tensor], Tensor | None]:
        """What the objective takes: embeddings by modality, float [N, D] each, and its second argument."""


@runtime_checkable
class DivisibleExamples(Examples, Protocol):
    """Examples whose batch can be embedded in parts: one after the other, or by several processes."""

    def same(self, chosen: IndexArray) -> Tensor | None:
        """On the CPU what `embed` returns as second: which of the chosen rows must not be negatives of each other."""


@runtime_checkable
class OrderedExamples(Examples, Protocol):
    """Examples that decide which of them an epoch draws, and in which order."""

    def order(self, rng: np.random.Generator) -> IndexArray:
        """Row numbers of one epoch, as many as there are examples, from nothing but the generator."""


@runtime_checkable
class SourcedExamples(Examples, Protocol):
    """Examples that know which source each comes from."""

    def sources(self, chosen: IndexArray) -> Tensor:
        """On the CPU the source of each of the chosen rows, int [N]."""


class Trainer:
    """Trains a model; a killed run that is resumed gives exactly the curve of an uninterrupted one.

    All randomness comes from (seed, epoch) or from torch's generators, whose state is saved with each epoch. In a batch
    of several parts it comes from (seed, step, part), so that processes and gradient accumulation draw the same.

    Args:
        model: parameters without requires_grad stay fixed.
        objective: called with what `examples.embed` returns and the progress of training, 0 to 1.
        validate: metrics of the current model; must contain "score", higher is better.
        save_best: called with the metrics whenever the score is the best so far.
        folder: for log.jsonl and last.pt.
        identity: plain values that identify this run besides `settings` (loss, data, number of examples); a run is
            only resumed with the same ones.
        defaults: values of `identity` that a run of an earlier version does not have.

    Raises:
        UserError: too few examples, or a batch that cannot be divided among processes and parts.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: nn.Module,
        examples: Examples,
        settings: TrainSettings,
        *,
        validate: Callable[[], Metrics],
        save_best: Callable[[Metrics], None],
        folder: Path,
        identity: Mapping[str, Any] | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        if len(examples) < 2:
            raise UserError("Training needs at least two pairs; check the manifests.")
        self.model, self.objective, self.examples, self.settings = model, objective, examples, settings
        self.validate, self.save_best = validate, save_best
        self.folder, self.identity, self.defaults = folder, dict(identity or {}), dict(defaults or {})
        self.device = next(model.parameters()).device
        self.parts = distributed.world() * settings.accumulate
        if settings.batch % self.parts or len(examples) < self.parts:
            raise UserError(
                f"A batch of {settings.batch} out of {len(examples)} pairs cannot be divided among "
                f"{distributed.world()} processes x {settings.accumulate} parts; change batch or accumulate."
            )
        if self.parts > 1 and not isinstance(examples, DivisibleExamples):
            raise UserError("This training cannot run in parts; start it without torchrun and with accumulate = 1.")
        self.batch = min(settings.batch, len(examples) // self.parts * self.parts)
        self.steps_per_epoch = len(examples) // self.batch
        self.total_steps = max(1, self.steps_per_epoch * settings.epochs)
        self.optimizer = torch.optim.AdamW(parameter_groups(model, objective, settings))
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.average = {n: p.detach().clone() for n, p in self.trainable()} if settings.average else {}
        self.step, self.epoch, self.best, self.best_epoch = 0, 0, -math.inf, 0
        distributed.share_weights(model)
        torch.manual_seed(settings.seed)

    def trainable(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The trainable parameters by name."""
        return ((name, p) for name, p in self.model.named_parameters() if p.requires_grad)

    def run(self, resume: bool = False) -> Metrics:
        """Train to the last epoch or until early stopping; the score and the number of the epoch that was kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if resume and (self.folder / "last.pt").exists():
            self.restore()
        elif distributed.rank() == 0:
            (self.folder / "log.jsonl").write_text("")
        started, first = time.monotonic(), self.epoch
        while self.epoch < self.settings.epochs and not self.stalled():
            losses = self.run_epoch()
            with self.averaged():
                metrics = distributed.from_first(self.validate)
                self.epoch += 1
                last = self.epoch == self.settings.epochs
                if metrics["score"] > self.best or self.settings.keep_last:
                    self.best, self.best_epoch = metrics["score"], self.epoch
                    if distributed.rank() == 0 and (last or not self.settings.keep_last):
                        self.save_best(metrics)
            elapsed = time.monotonic() - started
            remaining = elapsed / (self.epoch - first) * (self.settings.epochs - self.epoch)
            shown = " ".join(f"{name} {value:.3f}" for name, value in {**losses, **metrics}.items())
            log.info("epoch %d/%d %s, %.0f s left", self.epoch, self.settings.epochs, shown, remaining)
            if distributed.rank() == 0:
                self.record({"epoch": self.epoch, "step": self.step, **losses, **metrics, "seconds": round(elapsed, 1)})
                self.store()
        return {"score": self.best, "epoch": float(self.best_epoch)}

    def stalled(self) -> bool:
        """Whether early stopping applies: no better score for `patience` epochs."""
        patience = self.settings.patience
        return bool(patience) and self.epoch - self.best_epoch >= patience

    def run_epoch(self) -> Metrics:
        """One pass over the examples in an order that depends only on seed and epoch; mean loss and its terms."""
        self.model.train()
        rng = np.random.default_rng([self.settings.seed, self.epoch])
        examples = self.examples
        order = examples.order(rng) if isinstance(examples, OrderedExamples) else rng.permutation(len(examples))
        sums: dict[str, float] = {}
        for number in range(self.steps_per_epoch):
            parts = self.run_step(order[number * self.batch : (number + 1) * self.batch], rng)
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value / self.steps_per_epoch
        return sums

    def run_step(self, chosen: IndexArray, rng: np.random.Generator) -> Metrics:
        """One optimizer step on the chosen rows; the loss and its terms."""
        factor = schedule(self.step, self.total_steps, self.settings.warmup)
        for group, peak in zip(self.optimizer.param_groups, self.peaks):
            group["lr"] = peak * factor
        self.optimizer.zero_grad()
        loss, values = self.backward_whole(chosen, rng) if self.parts == 1 else self.backward_in_parts(chosen)
        nn.utils.clip_grad_norm_([p for _, p in self.trainable()], self.settings.clip)
        self.optimizer.step()
        self.step += 1
        decay = min(self.settings.average, (1.0 + self.step) / (10.0 + self.step))  # a young average forgets faster
        if self.average:
            for name, value in self.trainable():
                self.average[name].lerp_(value.detach(), 1.0 - decay)
        return {"loss": loss, **values}

    def backward_whole(self, chosen: IndexArray, rng: np.random.Generator) -> tuple[float, Metrics]:
        """Gradients of a batch that is embedded at once; the loss and its terms."""
        with autocast(self.device, self.settings.half):
            embeddings, same = self.examples.embed(self.model, chosen, rng)
        loss, values = self.loss_of(embeddings, same, chosen)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item(), values

    def backward_in_parts(self, chosen: IndexArray) -> tuple[float, Metrics]:
        """The same gradients, computed from this process's `accumulate` parts of the batch one at a time."""
        examples, own = self.examples, distributed.rank() * self.settings.accumulate
        assert isinstance(examples, DivisibleExamples)
        rows, same = np.split(chosen, self.parts), examples.same(chosen)

        def embed(part: int) -> list[Tensor]:
            rng = np.random.default_rng([self.settings.seed, self.step, own + part + 1])
            torch.manual_seed(int(rng.integers(2**63)))
            with autocast(self.device, self.settings.half):
                return examples.embed(self.model, rows[own + part], rng)[0]

        def loss_of(embeddings: list[Tensor]) -> tuple[Tensor, Metrics]:
            return self.loss_of(embeddings, None if same is None else same.to(self.device), chosen)

        loss, values = distributed.backward(embed, self.settings.accumulate, loss_of)
        distributed.sum_gradients(p for _, p in self.trainable())
        return loss.item(), values

    def loss_of(self, embeddings: list[Tensor], same: Tensor | None, chosen: IndexArray) -> tuple[Tensor, Metrics]:
        """The loss of a whole batch and its terms.

        Raises:
            UserError: the loss is infinite or nan.
        """
        examples = self.examples
        known = {"sources": examples.sources(chosen).to(self.device)} if isinstance(examples, SourcedExamples) else {}
        loss, values = self.objective(embeddings, same, self.step / self.total_steps, **known)
        if not torch.isfinite(loss):
            raise UserError(f"The loss is {loss.item()} at step {self.step}; lower lr or projection_lr.")
        return loss, values

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the moving average of the weights into the model while it is validated and saved."""
        current = {name: value.detach().clone() for name, value in self.trainable()} if self.average else {}
        with torch.no_grad():
            for name, value in self.trainable():
                if self.average:
                    value.copy_(self.average[name])
        try:
            yield
        finally:
            with torch.no_grad():
                for name, value in self.trainable():
                    if self.average:
                        value.copy_(current[name])

    def record(self, line: dict[str, Any]) -> None:
        """Append a line to log.jsonl."""
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def store(self) -> None:
        """Write last.pt: everything that the next epoch depends on."""
        content = {
            "settings": asdict(self.settings),
            "identity": self.identity,
            "model": {name: value.detach() for name, value in self.trainable()},
            "buffers": dict(self.model.named_buffers()),  # such as the statistics of batch normalisation
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "counters": [self.step, self.epoch, self.best, self.best_epoch],
            "random": torch.get_rng_state(),
        }
        if self.device.type == "cuda":
            content["random_cuda"] = torch.cuda.get_rng_state(self.device)
        checkpoint.write(self.folder / "last.pt", content)

    def restore(self) -> None:
        """Resume from last.pt.

        Raises:
            UserError: it was made with other settings, encoders or data; the message names what differs.
        """
        content = checkpoint.read(self.folder / "last.pt")
        before = filled(content.get("identity", {}), self.defaults)
        before["train"] = asdict(TrainSettings()) | content["settings"]
        others = differences(before, {**self.identity, "train": asdict(self.settings)})
        if others:
            raise UserError(
                f"{self.folder} contains a run with other settings or data ({', '.join(others)}); resume with those, "
                "or choose another --out."
            )
        with torch.no_grad():
            for name, value in self.trainable():
                value.copy_(content["model"][name])
            for name, buffer in self.model.named_buffers():
                buffer.copy_(content.get("buffers", {}).get(name, buffer))
        self.objective.load_state_dict(content["objective"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.average = {name: value.to(self.device) for name, value in content["average"].items()}
        self.step, self.epoch, self.best, self.best_epoch = content["counters"]
        torch.set_rng_state(content["random"])
        if "random_cuda" in content and self.device.type == "cuda":
            torch.cuda.set_rng_state(content["random_cuda"], self.device)
        if distributed.rank() == 0:
            self.cut_log()
        log.info("resuming after epoch %d", self.epoch)

    def cut_log(self) -> None:
        """Drop the lines of epochs that were logged but not stored; a kill leaves the old file or the new one."""
        path, part = self.folder / "log.jsonl", self.folder / ".log.jsonl.part"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[: self.epoch]
        part.write_text("".join(lines), encoding="utf-8")
        flush(part)
        part.replace(path)


def filled(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with those of `defaults` that their tables lack; a table that is missing altogether stays so."""
    return {
        name: {**defaults[name], **value} if isinstance(value, Mapping) and name in defaults else value
        for name, value in values.items()
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Names of the values that differ, as "loss.atp"; a value that `before` does not have counts as equal."""
    names = []
    for name, value in before.items():
        other = now.get(name)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            names += [f"{name}.{inner}" for inner in differences(value, other)]
        elif value != other:
            names.append(name)
    return names


def schedule(step: int, total: int, warmup: float) -> float:
    """Share of the peak learning rate: linear warm-up over the share `warmup` of all steps, then cosine decay to 0."""
    rise = warmup * total
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1.0 + math.cos(math.pi * (step - rise) / max(1.0, total - rise)))


def parameter_groups(model: nn.Module, objective: nn.Module, settings: TrainSettings) -> list[dict[str, Any]]:
    """Parameter groups of AdamW: projections have their own rate, lower layers learn more slowly (layer_decay).

    Biases, norms and the temperature have no weight decay.
    """
    above = layers_above([name for name, _ in model.named_parameters()])
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, value in model.named_parameters():
        if value.requires_grad:
            heads = "projection" in name.split(".")[0]
            rate = settings.projection_lr if heads else settings.lr * settings.layer_decay ** above.get(name, 0)
            groups.setdefault((rate, settings.weight_decay if value.ndim > 1 else 0.0), []).append(value)
    groups.setdefault((settings.projection_lr, 0.0), []).extend(p for p in objective.parameters() if p.requires_grad)
    return [{"params": values, "lr": rate, "weight_decay": decay} for (rate, decay), values in groups.items() if values]


def layers_above(names: Sequence[str]) -> dict[str, int]:
    """For each parameter's name, how many layers of its tower are above it: 0 for the highest layer.

    The first part of the name is the tower, the first number in it the layer (stages.17, encoder.layer.5). Parameters
    outside of layers, such as embeddings, are below all of them.
    """
    layer_of = {
        name: (name.split(".")[0], next((int(part) for part in name.split(".") if part.isdigit()), -1))
        for name in names
    }
    layers = {
        tower: sorted({n for t, n in layer_of.values() if t == tower}, reverse=True) for tower, _ in layer_of.values()
    }
    return {name: layers[tower].index(number) for name, (tower, number) in layer_of.items()}
