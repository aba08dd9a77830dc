"""Beam search over a decoder that is a known function of the whole prefix, checked against exhaustive search."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models

from engine.errors import Cancelled
from engine.models.captioner import Caption, DecoderShape, generate, generate_all, log_softmax, repeating_tokens
from engine.tokenizer import Tokenizer

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
SHAPE = DecoderShape(layers=1, heads=1, head_dim=1, max_tokens=4)
SIZE = 9


def words(size: int = SIZE) -> Tokenizer:
    vocabulary = {token: number for number, token in enumerate([*SPECIALS, *(f"w{i}" for i in range(size - 4))])}
    backend = Backend(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.decoder = decoders.WordPiece()
    backend.add_special_tokens(SPECIALS)
    return Tokenizer(backend)


def logits_after(prefix: tuple[int, ...], condition: float) -> NDArray[np.float32]:
    seed = [int(condition * 1000), *prefix]
    return (2.0 * np.random.default_rng(seed).standard_normal(SIZE)).astype(np.float32)


def step(ids: NDArray[np.int64], condition: NDArray[np.float32], past: NDArray[np.float32]):  # type: ignore[no-untyped-def]
    """A decoder whose cache is the prefix itself."""
    present = np.concatenate([past, ids[None, None, :, None, :, None].astype(np.float32).repeat(2, axis=1)], axis=4)
    rows = [tuple(int(i) for i in row) for row in present[0, 0, :, 0, :, 0]]
    return np.stack([logits_after(row, float(c[0])) for row, c in zip(rows, condition, strict=True)])[:, None], present


def log_probs(prefix: tuple[int, ...], condition: float) -> NDArray[np.float64]:
    logits = logits_after(prefix, condition).astype(np.float64)
    return logits - np.log(np.exp(logits).sum())


def every_caption(condition: float, length: int) -> list[tuple[float, list[int]]]:
    """(mean log-probability, word ids) of all captions of up to `length` tokens that the rules allow."""
    found = []
    for count in range(1, length + 1):
        for ids in itertools.product(range(4, SIZE), repeat=count):
            scores = [log_probs((2, *ids[:i]), condition)[token] for i, token in enumerate(ids)]
            if any(ids[i] in repeating_tokens(list(ids[:i])) for i in range(count)):
                continue
            if count < length:
                scores.append(log_probs((2, *ids), condition)[3])
            found.append((float(np.mean(scores)), list(ids)))
    return found


def caption(condition: float, beams: int, shape: DecoderShape = SHAPE) -> Caption:
    return generate(step, np.array([condition], np.float32), words(), shape, beams)


@pytest.mark.parametrize("condition", [0.1, 0.2, 0.3, 0.4, 0.5])
def test_a_beam_of_one_is_greedy_decoding(condition: float) -> None:
    prefix: tuple[int, ...] = (2,)
    for _ in range(SHAPE.max_tokens):
        scores = log_probs(prefix, condition)
        scores[[0, 1, 2]] = -np.inf
        if len(prefix) == 1:
            scores[3] = -np.inf
        scores[list(repeating_tokens(list(prefix[1:])))] = -np.inf
        if scores.argmax() == 3:
            break
        prefix = (*prefix, int(scores.argmax()))
    assert caption(condition, 1).tokens == words().tokens(prefix[1:])


def test_a_beam_as_wide_as_the_search_space_finds_the_most_likely_caption() -> None:
    shape = DecoderShape(1, 1, 1, max_tokens=3)
    for condition in (0.1, 0.2, 0.3):
        score, ids = max(every_caption(condition, 3))
        found = caption(condition, 500, shape)
        assert found.tokens == words().tokens(ids)
        expected = [log_probs((2, *ids[:i]), condition)[token] for i, token in enumerate(ids)]
        np.testing.assert_allclose(found.log_probs, expected, atol=1e-5)
        assert score <= 0


def test_batched_captions_equal_captions_generated_one_by_one() -> None:
    shape = DecoderShape(1, 1, 1, max_tokens=6)
    conditions = np.linspace(0, 1, 9, dtype=np.float32)[:, None]
    for beams in (1, 3):
        found = generate_all(step, conditions, words(), shape, beams)
        assert found == [generate(step, row, words(), shape, beams) for row in conditions]
        assert len({len(one.tokens) for one in found}) > 1
    assert generate_all(step, conditions[:0], words(), shape) == []


def test_the_maximum_length_holds_and_the_text_is_the_tokens() -> None:
    for condition in np.linspace(0, 1, 7):
        found = caption(float(condition), 3, DecoderShape(1, 1, 1, max_tokens=6))
        assert 1 <= len(found.tokens) == len(found.log_probs) <= 6
        assert found.text == " ".join(found.tokens)


def test_no_run_of_three_tokens_is_repeated() -> None:
    def stubborn(ids, condition, past):  # type: ignore[no-untyped-def]
        logits = np.zeros((len(ids), 1, SIZE), np.float32)
        logits[..., 5], logits[..., 6], logits[..., 3] = 5, 4, -9
        return logits, np.concatenate([past, np.zeros((*past.shape[:4], 1, 1), np.float32)], axis=4)

    found = generate(stubborn, np.zeros(1, np.float32), words(), DecoderShape(1, 1, 1, 20), beams=1)
    runs = [tuple(found.tokens[i : i + 3]) for i in range(len(found.tokens) - 2)]
    assert found.tokens[:4] == ["w1", "w1", "w1", "w2"]
    assert len(runs) == len(set(runs)) > 5


def test_repeating_tokens_are_those_that_complete_an_earlier_run() -> None:
    assert repeating_tokens([1, 2, 3, 1, 2]) == {3}
    assert repeating_tokens([1, 1, 1]) == {1}
    assert repeating_tokens([1, 2]) == set()


def test_cancelling_stops_before_the_next_token() -> None:
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        generate(step, np.array([0.1], np.float32), words(), SHAPE, 2, lambda: next(answers))


def test_log_softmax_is_the_logarithm_of_a_distribution_even_far_from_zero() -> None:
    values = log_softmax(np.array([[1000.0, 1001.0, 999.0]], np.float32))
    np.testing.assert_allclose(np.exp(values).sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(values[0, 1] - values[0, 0], 1, rtol=1e-5)
