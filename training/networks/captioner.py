"""The caption decoder: text from one shared-space embedding. Does not know images, the encoders or files.

It is conditioned on a unit vector of the shared space and never on image tokens, so that a decoder trained on TEXT
embeddings can be run on IMAGE embeddings: this requires a closed gap.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.models.captioner import Caption, DecoderShape, Step, generate_all
from engine.tokenizer import Tokenizer
from training.arrays import Float32Array, IntArray

SEARCH_BATCH = 32
"""Batch size of the search."""


@dataclass(frozen=True, slots=True)
class CaptionerConfig:
    """Sizes of the decoder."""

    vocab: int
    embedding: int
    """D of the shared space."""
    dim: int = 256
    layers: int = 3
    heads: int = 4
    memory: int = 4
    """Number K of cross-attention tokens."""
    max_tokens: int = 64
    dropout: float = 0.1
    centred: bool = False
    """The decoder subtracts the mean of the images from a condition and normalises it again."""

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.dim // self.heads

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as a checkpoint stores them."""
        return asdict(self)


class _Layer(nn.Module):
    """Pre-norm: causal self-attention, cross-attention to the memory, feed-forward."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        dim = config.dim
        self.heads, self.head_dim, self.dropout = config.heads, config.head_dim, config.dropout
        self.self_norm, self.cross_norm, self.feed_norm = nn.LayerNorm(dim), nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.self_in, self.self_out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.cross_query, self.cross_memory, self.cross_out = (
            nn.Linear(dim, dim),
            nn.Linear(dim, 2 * dim),
            nn.Linear(dim, dim),
        )
        self.feed = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.drop = nn.Dropout(config.dropout)

    def _split(self, x: Tensor) -> Tensor:
        """[N, T, dim] -> [N, heads, T, head_dim]."""
        return x.reshape(x.shape[0], x.shape[1], self.heads, self.head_dim).transpose(1, 2)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """Softmax attention over [N, heads, *, head_dim], returned as [N, T, dim]."""
        scores = query @ key.transpose(2, 3) * self.head_dim**-0.5
        if mask is not None:
            scores = scores + mask
        weights = functional.dropout(scores.softmax(-1), self.dropout, self.training)
        mixed = (weights @ value).transpose(1, 2)
        return mixed.reshape(mixed.shape[0], mixed.shape[1], self.heads * self.head_dim)

    def forward(self, x: Tensor, memory: Tensor, past: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Layer: x [N, T, dim], memory [N, K, dim], past [2, N, heads, P, head_dim] -> x, present (past and T more)."""
        query, key, value = (self._split(part) for part in self.self_in(self.self_norm(x)).chunk(3, dim=-1))
        key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        x = x + self.drop(self.self_out(self._attend(query, key, value, mask)))
        memory_key, memory_value = (self._split(part) for part in self.cross_memory(memory).chunk(2, dim=-1))
        crossed = self._attend(self._split(self.cross_query(self.cross_norm(x))), memory_key, memory_value, None)
        x = x + self.drop(self.cross_out(crossed))
        x = x + self.drop(self.feed(self.feed_norm(x)))
        return x, torch.stack([key, value])


class CaptionDecoder(nn.Module):
    """A small pre-norm decoder with a key/value cache, tied output embedding and learned position embeddings."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.config = config
        if config.centred:
            self.register_buffer("shift", torch.zeros(config.embedding))
        self.words = nn.Embedding(config.vocab, config.dim)
        self.positions = nn.Embedding(config.max_tokens, config.dim)
        self.to_memory = nn.Linear(config.embedding, config.memory * config.dim)
        self.memory_norm = nn.LayerNorm(config.dim)
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.dim)
        self.drop = nn.Dropout(config.dropout)
        nn.init.normal_(self.words.weight, std=0.02)
        nn.init.normal_(self.positions.weight, std=0.02)
        # A unit vector of D entries has entries of about 1/sqrt(D): without this the memory would start near zero.
        nn.init.normal_(self.to_memory.weight, std=1.0)
        nn.init.zeros_(self.to_memory.bias)

    def forward(self, ids: Tensor, condition: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """One step, or one teacher-forced pass over a whole sequence.

        Args:
            ids: int64 [N, T], the first being [CLS]; padding on the right needs no mask beside the causal one.
            condition: float [N, D], unit rows: an image's or a text's embedding in the shared space.
            past: float [layers, 2, N, heads, P, head_dim], keys and values of the P tokens before; P may be 0.

        Returns:
            logits float [N, T, V] of the NEXT token, and present [layers, 2, N, heads, P+T, head_dim]. P+T must not
            exceed `max_tokens`.
        """
        if self.config.centred:
            condition = functional.normalize(condition - self.get_buffer("shift"), dim=1)
        before, length = past.shape[4], ids.shape[1]
        position = torch.arange(before, before + length, device=ids.device)
        seen = torch.arange(before + length, device=ids.device)
        mask = torch.zeros(1, dtype=condition.dtype, device=ids.device).masked_fill(
            seen[None, :] > position[:, None], torch.finfo(condition.dtype).min
        )
        memory = self.to_memory(condition).reshape(condition.shape[0], self.config.memory, self.config.dim)
        memory = self.memory_norm(memory)
        x = self.drop(self.words(ids) + self.positions(position))
        presents = []
        for index, layer in enumerate(self.layers):
            x, present = layer(x, memory, past[index], mask)
            presents.append(present)
        logits = functional.linear(self.norm(x), self.words.weight)
        return logits, torch.stack(presents)

    def empty_past(self, batch: int) -> Tensor:
        """The cache before the first token: float [layers, 2, batch, heads, 0, head_dim]."""
        config = self.config
        return self.words.weight.new_zeros(config.layers, 2, batch, config.heads, 0, config.head_dim)


def from_config(config: dict[str, Any]) -> CaptionDecoder:
    """Rebuild a decoder from the config stored in a checkpoint (see `CaptionerConfig.as_dict`)."""
    return CaptionDecoder(CaptionerConfig(**config))


@torch.inference_mode()
def greedy(
    decoder: CaptionDecoder, condition: Tensor, bos: int, eos: int, max_tokens: int | None = None, cache: bool = True
) -> list[list[int]]:
    """Greedy decoding for every row of `condition` [N, D].

    Args:
        bos, eos: ids of [CLS] and [SEP].
        max_tokens: longest caption; limited by the number of positions.
        cache: False recomputes the whole prefix at each step (the reference the cache is tested against).

    Returns:
        N lists of ids without bos and eos.
    """
    limit = min(max_tokens or decoder.config.max_tokens, decoder.config.max_tokens - 1)
    count = condition.shape[0]
    prefix = torch.full((count, 1), bos, dtype=torch.int64, device=condition.device)
    past, done = decoder.empty_past(count), torch.zeros(count, dtype=torch.bool, device=condition.device)
    while prefix.shape[1] <= limit and not bool(done.all()):
        if cache:
            logits, past = decoder(prefix[:, -1:], condition, past)
        else:
            logits, _ = decoder(prefix, condition, decoder.empty_past(count))
        following = logits[:, -1].argmax(-1).masked_fill(done, eos)
        done = done | (following == eos)
        prefix = torch.cat([prefix, following[:, None]], dim=1)
    return [_until(row, eos) for row in prefix[:, 1:].tolist()]


def torch_step(decoder: CaptionDecoder) -> Step:
    """The decoder as a step function for the search of the engine."""

    @torch.inference_mode()
    def step(ids: IntArray, condition: Float32Array, past: Float32Array) -> tuple[Float32Array, Float32Array]:
        device = decoder.words.weight.device
        parts = (torch.from_numpy(np.ascontiguousarray(part)).to(device) for part in (ids, condition, past))
        logits, present = decoder(*parts)
        return logits.cpu().numpy(), present.cpu().numpy()

    return step


def decoder_shape(decoder: CaptionDecoder) -> DecoderShape:
    """The sizes that the search of the engine needs."""
    config = decoder.config
    return DecoderShape(config.layers, config.heads, config.head_dim, config.max_tokens)


def drafts(decoder: CaptionDecoder, tokenizer: Tokenizer, conditions: Float32Array, beams: int = 3) -> list[Caption]:
    """Captions of embeddings float32 [N, D] by the beam search of the application."""
    decoder.eval()
    step, shape = torch_step(decoder), decoder_shape(decoder)
    parts = [conditions[first : first + SEARCH_BATCH] for first in range(0, len(conditions), SEARCH_BATCH)]
    return [caption for part in parts for caption in generate_all(step, part, tokenizer, shape, beams)]


def _until(row: list[int], end: int) -> list[int]:
    return row[: row.index(end)] if end in row else row
