"""Training examples of the caption decoder: token ids and the embeddings that condition them. Knows no files."""

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
"""Target of padding, which the loss leaves out."""
WINDOWS = 8
"""Batches that are drawn at once, to choose one of similar length from."""


@dataclass(frozen=True)
class Example:
    """One target text: its ids ([CLS] ... [SEP]), and the rows of the embeddings that it may be conditioned on."""

    ids: tuple[int, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Sampling:
    """How training batches are drawn."""

    batch: int
    steps: int
    """Batches per epoch."""
    pairs_share: float
    """Share of the examples that have an image; the rest are texts without images."""
    noise: tuple[float, float]
    """Shortest and longest noise added to an embedding, see `add_noise`."""


def encode(texts: Sequence[str], tokenizer: Tokenizer, max_tokens: int) -> list[tuple[int, ...]]:
    """Ids of each text; one longer than `max_tokens` is truncated and has no [SEP], since it does not end there."""
    ids, mask = tokenizer.encode_batch(texts, max_tokens + 2)
    rows = [tuple(row[: int(length)].tolist()) for row, length in zip(ids, mask.sum(1))]
    return [row[: max_tokens + 1] for row in rows]


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[Tensor, Tensor]:
    """Inputs int64 [N, T] and next tokens int64 [N, T], IGNORED after the end."""
    longest = max(len(row) for row in rows) - 1
    inputs = torch.full((len(rows), longest), pad, dtype=torch.int64)
    following = torch.full((len(rows), longest), IGNORED, dtype=torch.int64)
    for index, row in enumerate(rows):
        inputs[index, : len(row) - 1] = torch.tensor(row[:-1])
        following[index, : len(row) - 1] = torch.tensor(row[1:])
    return inputs, following


def add_noise(conditions: FloatArray, lengths: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Unit rows [N, D] plus Gaussian noise of about the given lengths [N], normalised again.

    Without noise the decoder would only know exact text embeddings, not the image embeddings near them (CapDec, Nukrai
    et al. 2022). Noise of length r leaves a cosine of about 1 / sqrt(1 + r^2) with the original.
    """
    noise = rng.standard_normal(conditions.shape) * (np.asarray(lengths) / np.sqrt(conditions.shape[1]))[:, None]
    moved = conditions + noise
    # A row of zeros means "no condition" and stays zero.
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12))


class CaptionExamples:
    """Batches for the training loop, each a new draw that depends on the state of the generator alone.

    Args:
        paired: texts with an image.
        unpaired: texts without an image; may be empty.
        conditions: float [R, D], unit rows, indexed by the examples' `rows`.
        pad: id of [PAD].
    """

    def __init__(
        self,
        paired: Sequence[Example],
        unpaired: Sequence[Example],
        conditions: FloatArray,
        pad: int,
        sampling: Sampling,
    ) -> None:
        self.paired, self.unpaired, self.conditions = list(paired), list(unpaired), conditions
        self.pad, self.sampling = pad, sampling
        self.pairs_share = sampling.pairs_share if self.unpaired else 1.0

    def __len__(self) -> int:
        """Steps of an epoch: the loop draws one row per step, and each row is a batch of its own."""
        return self.sampling.steps

    def draw(self, rng: np.random.Generator) -> list[Example]:
        """A batch of similar length: several batches are drawn and sorted by length, and one of them is used."""
        count = self.sampling.batch * WINDOWS
        from_pairs = rng.random(count) < self.pairs_share
        chosen = [
            self.paired[rng.integers(len(self.paired))] if pair else self.unpaired[rng.integers(len(self.unpaired))]
            for pair in from_pairs
        ]
        chosen.sort(key=lambda example: len(example.ids))
        first = int(rng.integers(WINDOWS)) * self.sampling.batch
        return chosen[first : first + self.sampling.batch]

    def embed(self, model: Any, chosen: IndexArray, rng: np.random.Generator) -> tuple[list[Tensor], Tensor]:
        """Logits float [N, T, V] of one batch, and the next tokens int64 [N, T]."""
        examples = self.draw(rng)
        rows = [example.rows[rng.integers(len(example.rows))] for example in examples]
        conditions = add_noise(self.conditions[rows], rng.uniform(*self.sampling.noise, len(rows)), rng)
        inputs, following = padded([example.ids for example in examples], self.pad)
        device = next(model.parameters()).device
        condition = torch.from_numpy(conditions.astype(np.float32)).to(device)
        logits, _ = model(inputs.to(device), condition, model.empty_past(len(rows)))
        return [logits], following.to(device)


class NextToken(nn.Module):
    """The loss of the decoder: mean cross-entropy of the next token, in nats.

    smoothing: share of each target spread over all tokens (label smoothing, Szegedy et al. 2016).
    """

    def __init__(self, smoothing: float = 0.0) -> None:
        super().__init__()
        self.smoothing = smoothing

    def forward(
        self, outputs: Sequence[Tensor], following: Tensor | None, progress: float = 0.0
    ) -> tuple[Tensor, dict[str, float]]:
        """The loss of `outputs`, logits [N, T, V], and no further terms."""
        assert following is not None
        loss = functional.cross_entropy(
            outputs[0].float().flatten(0, 1), following.flatten(), ignore_index=IGNORED, label_smoothing=self.smoothing
        )
        return loss, {}


@torch.inference_mode()
def token_loss(model: Any, rows: Sequence[Sequence[int]], conditions: FloatArray, pad: int, chunk: int = 64) -> float:
    """Mean cross-entropy per token (nats) of texts given their conditions [N, D]; its exp is the perplexity."""
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
