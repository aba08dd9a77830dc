"""Generates a caption from an embedding by beam search with a key-value cache. Does not know ONNX, images or archives.

The search calls the decoder as a function (`Step`), so that export runs ONNX and torch through the same code.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import Cancelled
from engine.progress import IsCancelled, never
from engine.tokenizer import Tokenizer

Floats = NDArray[np.float32]
Step = Callable[[NDArray[np.int64], Floats, Floats], tuple[Floats, Floats]]
"""(ids [N, T], condition [N, D], past [layers, 2, N, heads, P, head_dim]) ->
(logits [N, T, V], present [layers, 2, N, heads, P + T, head_dim])."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A generated text with the log-probability of each token."""

    text: str
    tokens: list[str]
    """WordPiece tokens without [CLS] and [SEP]; "##" continues a word."""
    log_probs: list[float]
    """Natural log-probability of each token given the previous ones."""


@dataclass(frozen=True, slots=True)
class DecoderShape:
    """The sizes of the key-value cache."""

    layers: int
    heads: int
    head_dim: int
    max_tokens: int
    """Longest caption in tokens."""


@dataclass(slots=True)
class _Hypothesis:
    ids: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Mean log-probability, because the sum favors short captions."""
        return sum(self.log_probs) / max(1, len(self.log_probs))

    def extended(self, token: int, log_prob: float) -> "_Hypothesis":
        return _Hypothesis([*self.ids, token], [*self.log_probs, log_prob])


def log_softmax(logits: Floats) -> Floats:
    """Natural log of the softmax over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)


def repeating_tokens(ids: list[int], size: int = 3) -> set[int]:
    """The tokens that would complete a run of `size` tokens that `ids` already contains."""
    if len(ids) < size:
        return set()
    tail = ids[len(ids) - size + 1 :]
    return {ids[i + size - 1] for i in range(len(ids) - size + 1) if ids[i : i + size - 1] == tail}


class BeamSearch:
    """One beam search, advanced step by step so that several can share the calls of a decoder; see `generate`."""

    def __init__(self, condition: Floats, tokenizer: Tokenizer, shape: DecoderShape, beams: int) -> None:
        self._tokenizer, self._beams, self._tokens_left = tokenizer, beams, shape.max_tokens
        self._condition = condition
        self._forbidden = [tokenizer.pad_id, tokenizer.cls_id, tokenizer.unk_id]
        self._active, self._finished = [_Hypothesis()], list[_Hypothesis]()
        self.past = np.zeros((shape.layers, 2, 1, shape.heads, 0, shape.head_dim), np.float32)
        """float32 [layers, 2, N, heads, P, head_dim], the cache of the unfinished hypotheses."""
        self.ids = np.array([[tokenizer.cls_id]], np.int64)
        """int64 [N, 1], the last token of each unfinished hypothesis."""

    @property
    def done(self) -> bool:
        """Whether every hypothesis is finished or has the maximum length."""
        return not self._active or not self._tokens_left

    @property
    def conditions(self) -> Floats:
        """float32 [N, D], one row per row of `ids`."""
        return np.repeat(self._condition[None], len(self._active), axis=0)

    def advance(self, logits: Floats, present: Floats) -> None:
        """Take the decoder's output for `ids`, `conditions` and `past`: logits [N, 1, V] and the extended cache."""
        end = self._tokenizer.sep_id
        log_probs = log_softmax(logits[:, -1])
        allowed = log_probs.copy()
        allowed[:, self._forbidden] = -np.inf
        if not self._active[0].ids:
            allowed[:, end] = -np.inf
        for row, hypothesis in enumerate(self._active):
            allowed[row, list(repeating_tokens(hypothesis.ids))] = -np.inf
        totals = allowed + np.array([sum(hypothesis.log_probs) for hypothesis in self._active], np.float32)[:, None]
        best = _largest(totals.ravel(), self._beams - len(self._finished))
        rows, tokens = np.unravel_index(best, totals.shape)
        kept: list[tuple[int, _Hypothesis]] = []
        for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
            longer = self._active[row].extended(token, float(log_probs[row, token]))
            if token == end:
                self._finished.append(longer)
            else:
                kept.append((row, longer))
        self._tokens_left -= 1
        self._active = [hypothesis for _, hypothesis in kept]
        self.past = present[:, :, [row for row, _ in kept]]
        self.ids = np.array([[hypothesis.ids[-1]] for hypothesis in self._active], np.int64).reshape(-1, 1)

    def caption(self) -> Caption:
        """The best hypothesis so far; an empty text when the decoder said nothing that is a number."""
        if not self._finished and not self._active:
            return Caption("", [], [])
        best = max([*self._finished, *self._active], key=lambda hypothesis: hypothesis.score)
        ids = best.ids[:-1] if best.ids[-1] == self._tokenizer.sep_id else best.ids
        return Caption(self._tokenizer.decode(ids), self._tokenizer.tokens(ids), best.log_probs[: len(ids)])


def generate(
    step: Step,
    condition: Floats,
    tokenizer: Tokenizer,
    shape: DecoderShape,
    beams: int = 3,
    cancelled: IsCancelled = never,
) -> Caption:
    """Generate one caption by beam search; `beams=1` is greedy decoding.

    A finished hypothesis reduces the beam by one, so the search always ends; the best mean log-probability wins. No run
    of three tokens is repeated, and special tokens are not generated.

    Args:
        step: the decoder.
        condition: float32 [D], the unit embedding of an image or of a text.
        tokenizer: [CLS] begins a caption and [SEP] ends it.
        shape: sizes of the cache and the maximum length.
        beams: beam width, at least 1.
        cancelled: polled before every token.

    Raises:
        Cancelled: `cancelled` returned True.
    """
    search = BeamSearch(condition, tokenizer, shape, beams)
    while not search.done:
        if cancelled():
            raise Cancelled
        search.advance(*step(search.ids, search.conditions, search.past))
    return search.caption()


def generate_all(
    step: Step, conditions: Floats, tokenizer: Tokenizer, shape: DecoderShape, beams: int = 3
) -> list[Caption]:
    """`generate` for each row of float32 [N, D], batched in the same decoder calls."""
    searches = [BeamSearch(row, tokenizer, shape, beams) for row in conditions]
    while waiting := [search for search in searches if not search.done]:
        logits, present = step(
            np.concatenate([search.ids for search in waiting]),
            np.concatenate([search.conditions for search in waiting]),
            np.concatenate([search.past for search in waiting], axis=2),
        )
        first = 0
        for search in waiting:
            last = first + len(search.ids)
            search.advance(logits[first:last], present[:, :, first:last])
            first = last
    return [search.caption() for search in searches]


def _largest(values: Floats, count: int) -> NDArray[np.int64]:
    """Indices of the `count` largest values, best first, ties by index; -inf is excluded."""
    order = np.argsort(-values, kind="stable")[:count]
    return order[np.isfinite(values[order])]
