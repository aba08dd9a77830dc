"""Words from an embedding, token by token, with a key-value cache. Knows nothing of ONNX files, images or archives.

The search works on a `Step`, the decoder as a function, so that export can run ONNX and torch through the same code.
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
    """A drafted text with how sure the model was of each of its tokens."""

    text: str
    tokens: list[str]
    """WordPiece tokens without [CLS] and [SEP]; "##" continues a word."""
    log_probs: list[float]
    """Natural log-probability of each token given the ones before it."""


@dataclass(frozen=True, slots=True)
class DecoderShape:
    """The sizes of the key-value cache, and the longest caption in tokens."""

    layers: int
    heads: int
    head_dim: int
    max_tokens: int


@dataclass(slots=True)
class _Hypothesis:
    ids: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Mean log-probability: the plain sum would favour short captions."""
        return sum(self.log_probs) / max(1, len(self.log_probs))

    def plus(self, token: int, log_prob: float) -> "_Hypothesis":
        return _Hypothesis([*self.ids, token], [*self.log_probs, log_prob])


def log_softmax(logits: Floats) -> Floats:
    """Natural log of the softmax over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)


def would_repeat(ids: list[int], size: int = 3) -> set[int]:
    """The tokens that would complete a run of `size` tokens which `ids` already holds."""
    if len(ids) < size:
        return set()
    tail = ids[len(ids) - size + 1 :]
    return {ids[i + size - 1] for i in range(len(ids) - size + 1) if ids[i : i + size - 1] == tail}


class Search:
    """One beam search in steps, so that several can share the calls of a decoder. Answers as `generate` does.

    ids: int64 [N, 1], the last token of each hypothesis that is not finished. past: their cache. done: nothing is left
    to ask for.
    """

    def __init__(self, condition: Floats, tokenizer: Tokenizer, shape: DecoderShape, beams: int) -> None:
        self._tokenizer, self._beams, self._left = tokenizer, beams, shape.max_tokens
        self._condition = condition
        self._never_words = [tokenizer.pad_id, tokenizer.cls_id, tokenizer.unk_id]
        self._alive, self._finished = [_Hypothesis()], list[_Hypothesis]()
        self.past = np.zeros((shape.layers, 2, 1, shape.heads, 0, shape.head_dim), np.float32)
        self.ids = np.array([[tokenizer.cls_id]], np.int64)

    @property
    def done(self) -> bool:
        return not self._alive or not self._left

    @property
    def conditions(self) -> Floats:
        """float32 [N, D], one row for each of `ids`."""
        return np.repeat(self._condition[None], len(self._alive), axis=0)

    def advance(self, logits: Floats, present: Floats) -> None:
        """Go on with the decoder's answer to `ids`, `conditions` and `past`: logits [N, 1, V] and the longer cache."""
        end = self._tokenizer.sep_id
        log_probs = log_softmax(logits[:, -1])
        allowed = log_probs.copy()
        allowed[:, self._never_words] = -np.inf
        if not self._alive[0].ids:
            allowed[:, end] = -np.inf
        for row, hypothesis in enumerate(self._alive):
            allowed[row, list(would_repeat(hypothesis.ids))] = -np.inf
        totals = allowed + np.array([sum(h.log_probs) for h in self._alive], np.float32)[:, None]
        best = _largest(totals.ravel(), self._beams - len(self._finished))
        rows, tokens = np.unravel_index(best, totals.shape)
        kept: list[tuple[int, _Hypothesis]] = []
        for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
            longer = self._alive[row].plus(token, float(log_probs[row, token]))
            if token == end:
                self._finished.append(longer)
            else:
                kept.append((row, longer))
        self._left -= 1
        self._alive = [hypothesis for _, hypothesis in kept]
        self.past = present[:, :, [row for row, _ in kept]]
        self.ids = np.array([[hypothesis.ids[-1]] for hypothesis in self._alive], np.int64).reshape(-1, 1)

    def caption(self) -> Caption:
        """The best of all hypotheses so far."""
        best = max([*self._finished, *self._alive], key=lambda hypothesis: hypothesis.score)
        words = best.ids[:-1] if best.ids[-1] == self._tokenizer.sep_id else best.ids
        return Caption(self._tokenizer.decode(words), self._tokenizer.tokens(words), best.log_probs[: len(words)])


def generate(
    step: Step,
    condition: Floats,
    tokenizer: Tokenizer,
    shape: DecoderShape,
    beams: int = 3,
    cancelled: IsCancelled = never,
) -> Caption:
    """Beam search; `beams=1` is greedy decoding.

    A finished hypothesis takes its place out of the beam, so the search ends by itself; the best mean log-probability
    wins.
    No run of three tokens is repeated, and special tokens are never words.

    Args:
        step: the decoder.
        condition: float32 [D], the unit embedding of an image or of a text.
        tokenizer: its [CLS] begins a caption and its [SEP] ends it.
        shape: sizes of the cache.
        beams: hypotheses kept, at least 1.
        cancelled: asked before every token.

    Raises:
        Cancelled: the caller said so.
    """
    search = Search(condition, tokenizer, shape, beams)
    while not search.done:
        if cancelled():
            raise Cancelled
        search.advance(*step(search.ids, search.conditions, search.past))
    return search.caption()


def generate_all(
    step: Step, conditions: Floats, tokenizer: Tokenizer, shape: DecoderShape, beams: int = 3
) -> list[Caption]:
    """`generate` for each row of float32 [N, D], all in the same calls of the decoder."""
    searches = [Search(row, tokenizer, shape, beams) for row in conditions]
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
    """Indices of the `count` largest values, best first, ties by position; never one of -inf."""
    order = np.argsort(-values, kind="stable")[:count]
    return order[np.isfinite(values[order])]
