"""The caption decoder: the cache does not change its output, it is causal, and it depends on its condition."""

import pytest
import torch
from torch.nn import functional

from training.networks.captioner import CaptionDecoder, CaptionerConfig, from_config, greedy

CONFIG = CaptionerConfig(vocab=50, embedding=16, dim=32, layers=2, heads=4, memory=3, max_tokens=12, dropout=0.0)
WANTED = [[5, 6, 7], [9, 8, 9, 8, 20], [7, 5, 11, 30, 31]]


@pytest.fixture(scope="module")
def decoder() -> CaptionDecoder:
    """A decoder that has learned one caption for each of the first three conditions."""
    torch.manual_seed(0)
    model = CaptionDecoder(CONFIG)
    rows = torch.full((3, 7), -100)
    for row, words in zip(rows, WANTED):
        row[: len(words) + 2] = torch.tensor([2, *words, 3])
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        logits, _ = model(rows[:, :-1].clamp(min=0), conditions(3), model.empty_past(3))
        loss = functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def conditions(count: int) -> torch.Tensor:
    rows = torch.randn(8, CONFIG.embedding, generator=torch.Generator().manual_seed(1))
    return functional.normalize(rows, dim=1)[:count]


def test_the_decoder_generates_the_trained_caption_of_each_condition(decoder: CaptionDecoder) -> None:
    assert greedy(decoder, conditions(3), bos=2, eos=3) == WANTED


def test_greedy_decoding_is_the_same_with_and_without_the_cache(decoder: CaptionDecoder) -> None:
    given = conditions(6)
    cached = greedy(decoder, given, bos=2, eos=3)
    assert cached == greedy(decoder, given, bos=2, eos=3, cache=False)
    assert len({tuple(row) for row in cached}) > 1


@torch.inference_mode()
def test_one_pass_has_the_same_logits_as_single_steps(decoder: CaptionDecoder) -> None:
    ids = torch.randint(0, CONFIG.vocab, (2, 7), generator=torch.Generator().manual_seed(2))
    whole, _ = decoder(ids, conditions(2), decoder.empty_past(2))
    past, steps = decoder.empty_past(2), []
    for chunk in (ids[:, :3], ids[:, 3:4], ids[:, 4:]):
        logits, past = decoder(chunk, conditions(2), past)
        steps.append(logits)
    torch.testing.assert_close(torch.cat(steps, dim=1), whole)
    assert past.shape == (CONFIG.layers, 2, 2, CONFIG.heads, 7, CONFIG.head_dim)


@torch.inference_mode()
def test_later_tokens_do_not_change_earlier_logits(decoder: CaptionDecoder) -> None:
    ids = torch.arange(2, 8)[None]
    other = torch.cat([ids[:, :4], torch.tensor([[40, 41]])], dim=1)
    first, _ = decoder(ids, conditions(1), decoder.empty_past(1))
    second, _ = decoder(other, conditions(1), decoder.empty_past(1))
    torch.testing.assert_close(first[:, :4], second[:, :4])
    assert not torch.allclose(first[:, 4:], second[:, 4:])


@torch.inference_mode()
def test_a_row_does_not_depend_on_its_neighbours_in_the_batch(decoder: CaptionDecoder) -> None:
    together = greedy(decoder, conditions(5), bos=2, eos=3)
    assert together == [greedy(decoder, row[None], bos=2, eos=3)[0] for row in conditions(5)]


def test_a_caption_stops_at_the_end_token_and_at_the_longest_length(decoder: CaptionDecoder) -> None:
    third = conditions(3)[2:]
    assert greedy(decoder, third, bos=2, eos=3, max_tokens=4) == [WANTED[2][:4]]
    assert greedy(decoder, third, bos=2, eos=11) == [WANTED[2][:2]]
    endless = greedy(decoder, third, bos=2, eos=49)[0]
    assert len(endless) == CONFIG.max_tokens - 1


def test_a_decoder_is_rebuilt_from_its_configuration(decoder: CaptionDecoder) -> None:
    again = from_config(CONFIG.as_dict()).eval()
    again.load_state_dict(decoder.state_dict())
    assert greedy(again, conditions(2), bos=2, eos=3) == greedy(decoder, conditions(2), bos=2, eos=3)
