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
    never_words = [tokenizer.pad_id, tokenizer.cls_id, tokenizer.unk_id]
    alive, finished = [_Hypothesis()], list[_Hypothesis]()
    past = np.zeros((shape.layers, 2, 1, shape.heads, 0, shape.head_dim), np.float32)
    ids = np.array([[tokenizer.cls_id]], np.int64)
    for length in range(shape.max_tokens):
        if cancelled():
            raise Cancelled
        logits, past = step(ids, np.repeat(condition[None], len(alive), axis=0), past)
        log_probs = log_softmax(logits[:, -1])
        allowed = log_probs.copy()
        allowed[:, never_words] = -np.inf
        if length == 0:
            allowed[:, tokenizer.sep_id] = -np.inf
        for row, hypothesis in enumerate(alive):
            allowed[row, list(would_repeat(hypothesis.ids))] = -np.inf
        totals = allowed + np.array([sum(h.log_probs) for h in alive], np.float32)[:, None]
        rows, tokens = np.unravel_index(_largest(totals.ravel(), beams - len(finished)), totals.shape)
        kept: list[tuple[int, _Hypothesis]] = []
        for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
            longer = alive[row].plus(token, float(log_probs[row, token]))
            if token == tokenizer.sep_id:
                finished.append(longer)
            else:
                kept.append((row, longer))
        if not kept:
            alive = []
            break
        alive = [hypothesis for _, hypothesis in kept]
        past = past[:, :, [row for row, _ in kept]]
        ids = np.array([[hypothesis.ids[-1]] for hypothesis in alive], np.int64)
    best = max([*finished, *alive], key=lambda hypothesis: hypothesis.score)
    words = best.ids[:-1] if best.ids[-1] == tokenizer.sep_id else best.ids
    return Caption(tokenizer.decode(words), tokenizer.tokens(words), best.log_probs[: len(words)])


def _largest(values: Floats, count: int) -> NDArray[np.int64]:
    """Indices of the `count` largest values, best first, ties by position; never one of -inf."""
    order = np.argsort(-values, kind="stable")[:count]
    return order[np.isfinite(values[order])]
