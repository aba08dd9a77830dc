"""What the caption decoder learns from: token ids, each with the embeddings that may lead to it. Knows no files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.tokenizer import Tokenizer
from training.arrays import FloatArray, IndexArray

IGNORED = -100
WINDOWS = 8


@dataclass(frozen=True)
class Example:
    """One text to be written: its ids ([CLS] ... [SEP]) and the rows of the conditions that may lead to it."""

    ids: tuple[int, ...]
    rows: tuple[int, ...]


def encode(texts: Sequence[str], tokenizer: Tokenizer, max_tokens: int) -> list[tuple[int, ...]]:
    """Ids of each text; a text beyond `max_tokens` loses its tail and its [SEP], for it does not end there."""
    ids, mask = tokenizer.encode_batch(texts, max_tokens + 2)
    rows = [tuple(row[: int(length)].tolist()) for row, length in zip(ids, mask.sum(1))]
    return [row[: max_tokens + 1] for row in rows]


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[Tensor, Tensor]:
    """Inputs int64 [N, T] and the tokens that follow them int64 [N, T], IGNORED after the end."""
    longest = max(len(row) for row in rows) - 1
    inputs = torch.full((len(rows), longest), pad, dtype=torch.int64)
    following = torch.full((len(rows), longest), IGNORED, dtype=torch.int64)
    for index, row in enumerate(rows):
        inputs[index, : len(row) - 1] = torch.tensor(row[:-1])
        following[index, : len(row) - 1] = torch.tensor(row[1:])
    return inputs, following


def noised(conditions: FloatArray, lengths: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Unit rows [N, D] moved by Gaussian noise of about the given lengths [N] and brought back to the sphere.

    A decoder that only ever saw exact text embeddings would not know what an image nearby means (CapDec, Nukrai et al.
    2022). Noise of length r leaves a cosine of about 1 / sqrt(1 + r^2) to where it started.
    """
    noise = rng.standard_normal(conditions.shape) * (np.asarray(lengths) / np.sqrt(conditions.shape[1]))[:, None]
    moved = conditions + noise
    # A row of zeros stands for no condition at all and stays one.
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12))


class CaptionExamples:
    """Batches for the training loop, each a fresh draw, so that nothing but the generator's state decides it.

    Args:
        paired: texts of pairs; alone: texts without pictures, may be empty.
        conditions: float [R, D], unit rows, which the examples' `rows` point into.
        pairs_share: how much of a draw comes from `paired`.
        noise: shortest and longest noise.
    """

    def __init__(
        self,
        paired: Sequence[Example],
        alone: Sequence[Example],
        conditions: FloatArray,
        pad: int,
        batch: int,
        steps: int,
        pairs_share: float,
        noise: tuple[float, float],
    ) -> None:
        self.paired, self.alone, self.conditions = list(paired), list(alone), conditions
        self.pad, self.batch, self.steps, self.noise = pad, batch, steps, noise
        self.pairs_share = pairs_share if self.alone else 1.0

    def __len__(self) -> int:
        """Steps of an epoch: the loop draws one row a step, and each stands for a batch of its own."""
        return self.steps

    def draw(self, rng: np.random.Generator) -> list[Example]:
        """Examples of like length: several batches are drawn, sorted, and one stretch of them taken."""
        count = self.batch * WINDOWS
        from_pairs = rng.random(count) < self.pairs_share
        chosen = [
            self.paired[rng.integers(len(self.paired))] if pair else self.alone[rng.integers(len(self.alone))]
            for pair in from_pairs
        ]
        chosen.sort(key=lambda example: len(example.ids))
        first = int(rng.integers(WINDOWS)) * self.batch
        return chosen[first : first + self.batch]

    def embed(self, model: Any, chosen: IndexArray, rng: np.random.Generator) -> tuple[list[Tensor], Tensor]:
        """Logits [N, T, V] of one batch, and the tokens that follow [N, T]."""
        examples = self.draw(rng)
        rows = [example.rows[rng.integers(len(example.rows))] for example in examples]
        conditions = noised(self.conditions[rows], rng.uniform(*self.noise, len(rows)), rng)
        inputs, following = padded([example.ids for example in examples], self.pad)
        device = next(model.parameters()).device
        condition = torch.from_numpy(conditions.astype(np.float32)).to(device)
        logits, _ = model(inputs.to(device), condition, model.empty_past(len(rows)))
        return [logits], following.to(device)


class NextToken(nn.Module):
    """The loss of the decoder as the training loop calls it: mean cross-entropy of the next token, in nats.

    smoothing: share of each target spread over all tokens (label smoothing, Szegedy et al. 2016).
    """

    def __init__(self, smoothing: float = 0.0) -> None:
        super().__init__()
        self.smoothing = smoothing

    def forward(
        self, outputs: Sequence[Tensor], following: Tensor | None, progress: float = 0.0
    ) -> tuple[Tensor, dict[str, float]]:
        assert following is not None
        loss = functional.cross_entropy(
            outputs[0].float().flatten(0, 1), following.flatten(), ignore_index=IGNORED, label_smoothing=self.smoothing
        )
        return loss, {}


@torch.inference_mode()
def token_loss(model: Any, rows: Sequence[Sequence[int]], conditions: FloatArray, pad: int, chunk: int = 64) -> float:
    """Mean cross-entropy a token (nats) of the texts, each given its condition [N, D]; exp of it is the perplexity."""
    model.eval()
    device, total, count = next(model.parameters()).device, 0.0, 0
    for first in range(0, len(rows), chunk):
        inputs, following = padded(rows[first : first + chunk], pad)
        condition = torch.from_numpy(np.asarray(conditions[first : first + chunk], np.float32)).to(device)
        logits, _ = model(inputs.to(device), condition, model.empty_past(len(inputs)))
        total += functional.cross_entropy(
            logits.float().flatten(0, 1), following.to(device).flatten(), ignore_index=IGNORED, reduction="sum"
        ).item()
        count += int((following != IGNORED).sum())
    return total / count
