"""Gradients of the heads, against torch and against numerical differences."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.adapt import network
from engine.models import heads
from export.heads import parameters
from training.networks.heads import head as torch_head

WIDTH, HIDDEN, DIM, ROWS = 24, 40, 16, 9


def made(hidden: int) -> torch.nn.Module:
    torch.manual_seed(2)
    head = torch_head(WIDTH, DIM, hidden, 0.0)
    for value in head.parameters():
        torch.nn.init.normal_(value, 0.1, 0.4)
    return head


def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    return rng.standard_normal((ROWS, WIDTH)).astype(np.float32) * 2 + 1, rng.standard_normal((ROWS, DIM)).astype(
        np.float32
    )


@pytest.mark.parametrize("hidden", [0, HIDDEN])
def test_embeddings_and_gradients_are_those_of_torch(hidden: int) -> None:
    head, (features, slope) = made(hidden), batch()
    embedded = functional.normalize(head(torch.from_numpy(features)), dim=1)
    embedded.backward(torch.from_numpy(slope))
    mine = parameters(head)
    found = network.forward(mine, network.prepared(mine, features))
    np.testing.assert_allclose(found.rows, embedded.detach().numpy(), atol=2e-6)
    gradients = network.backward(mine, found, slope)
    expected = [value.grad.numpy() for value in head.parameters() if value.grad is not None]
    assert len(gradients) == len(expected)
    for name, value in zip(mine, expected, strict=True):
        np.testing.assert_allclose(gradients[name], value, rtol=1e-3, atol=1e-4 * np.abs(value).max(), err_msg=name)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_gradients_agree_with_numerical_differences_along_random_directions(dropout: float) -> None:
    features, slope = batch()
    mine = parameters(made(HIDDEN))
    given = network.prepared(mine, features)

    def value(weights: dict[str, np.ndarray]) -> float:
        rows = network.forward(weights, given, dropout, np.random.default_rng(7)).rows
        return float((rows.astype(np.float64) * slope).sum())

    found = network.forward(mine, given, dropout, np.random.default_rng(7))
    gradients = network.backward(mine, found, slope)
    for name in mine:
        way = np.random.default_rng(3).standard_normal(mine[name].shape).astype(np.float32)
        way /= np.linalg.norm(way)
        step = 2e-2
        ahead, behind = (value({**mine, name: mine[name] + sign * step * way}) for sign in (1, -1))
        numerical = (ahead - behind) / (2 * step)
        assert float((gradients[name] * way).sum()) == pytest.approx(numerical, rel=0.02, abs=2e-3), name


def test_dropout_is_the_same_with_the_same_seed_and_keeps_the_mean() -> None:
    mine = parameters(made(HIDDEN))
    given = np.ones((4000, WIDTH), np.float32)
    first, second = (network.forward(mine, given, 0.3, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first.rows, second.rows)
    assert set(np.unique(first.kept[0]).round(4)) == {0, np.float32(1 / 0.7).round(4)}
    assert first.kept[1].mean() == pytest.approx(1, abs=0.01)


def test_a_forward_pass_without_dropout_is_what_the_bundle_computes() -> None:
    mine, (features, _) = parameters(made(HIDDEN)), batch()
    served = heads.project(mine, features)
    served /= np.linalg.norm(served, axis=1, keepdims=True)
    np.testing.assert_allclose(network.forward(mine, network.prepared(mine, features)).rows, served, atol=1e-5)
