"""Losses and their gradients in numpy, against those of the training in torch and a plain loop."""

import math

import numpy as np
import pytest
import torch

from engine.adapt import losses
from training.loop import losses as of_training
from training.metrics import gap as of_metrics


def rows(seed: int, count: int = 7, dim: int = 5) -> np.ndarray:
    values = np.random.default_rng(seed).standard_normal((count, dim))
    return values / np.linalg.norm(values, axis=1, keepdims=True)


SAME = np.eye(7, dtype=bool)
SAME[1, 4] = SAME[4, 1] = True


def torch_loss(name: str, pair: list[torch.Tensor]) -> torch.Tensor:
    if name == "nce":
        return of_training.info_nce(pair, 0.2, same=torch.from_numpy(SAME))
    return {"atp": of_training.align_true_pairs, "cu": of_training.centroid_uniformity}[name](pair)


def my_loss(name: str, images: np.ndarray, texts: np.ndarray) -> losses.Loss:
    if name == "nce":
        return losses.info_nce(images, texts, 0.2, SAME)
    plain = {"atp": losses.align_true_pairs, "cu": losses.centroid_uniformity, "gap": losses.squared_gap}
    return plain[name](images, texts)


@pytest.mark.parametrize("name", ["nce", "atp", "cu"])
def test_losses_and_gradients_are_those_of_the_training(name: str) -> None:
    images, texts = rows(1), rows(2)
    pair = [torch.tensor(values, requires_grad=True) for values in (images, texts)]
    expected = torch_loss(name, pair)
    expected.backward()
    value, of_images, of_texts = my_loss(name, images, texts)
    assert value == pytest.approx(expected.item(), rel=1e-6)
    for found, wanted in zip((of_images, of_texts), pair, strict=True):
        assert wanted.grad is not None
        np.testing.assert_allclose(found, wanted.grad.numpy(), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", ["nce", "atp", "cu", "gap"])
def test_gradients_agree_with_numerical_differences(name: str) -> None:
    images, texts = rows(3), rows(4)
    _, of_images, of_texts = my_loss(name, images, texts)
    for row, column in ((0, 0), (1, 3), (6, 4)):
        for which, gradient in ((0, of_images), (1, of_texts)):
            moved = []
            for step in (1e-5, -1e-5):
                both = [images.copy(), texts.copy()]
                both[which][row, column] += step
                moved.append(my_loss(name, *both)[0])
            assert gradient[row, column] == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-4, abs=1e-7)


def test_a_plain_loop_gives_the_same_numbers() -> None:
    images, texts = rows(5), rows(6)
    count = len(images)
    nce = 0.0
    for first, second in ((images, texts), (texts, images)):
        for i in range(count):
            others = [j for j in range(count) if j == i or not SAME[i, j]]
            nce -= math.log(
                math.exp(first[i] @ second[i] / 0.2) / sum(math.exp(first[i] @ second[j] / 0.2) for j in others)
            )
    assert losses.info_nce(images, texts, 0.2, SAME)[0] == pytest.approx(nce / (2 * count))
    centres = [(a + b) / np.linalg.norm(a + b) for a, b in zip(images, texts, strict=True)]
    near = [math.exp(-2 * float(((centres[i] - centres[j]) ** 2).sum())) for i in range(count) for j in range(i)]
    assert losses.centroid_uniformity(images, texts)[0] == pytest.approx(math.log(np.mean(near)))


def test_the_objective_weighs_its_terms() -> None:
    images, texts = rows(7), rows(8)
    terms, of_images, _ = losses.objective(images, texts, SAME, losses.Weights(0.2, 0.5, 0.25, 2.0))
    expected = my_loss("nce", images, texts)[1] + 0.5 * my_loss("atp", images, texts)[1]
    expected += 0.25 * my_loss("cu", images, texts)[1] + 2.0 * my_loss("gap", images, texts)[1]
    np.testing.assert_allclose(of_images, expected)
    assert terms["gap"] == pytest.approx(of_metrics.gap(images, texts) ** 2)


def test_a_single_pair_has_no_uniformity() -> None:
    assert losses.centroid_uniformity(rows(1, 1), rows(2, 1))[0] == 0
