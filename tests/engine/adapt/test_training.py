"""The training of the heads: repeatable, and what is replayed stays."""

from dataclasses import replace

import numpy as np
import pytest

from engine.adapt import network
from engine.adapt.features import features
from engine.adapt.optimizer import AdamW, rate_at
from engine.adapt.replay import sample_pairs
from engine.adapt.training import Recipe, TrainingFeatures, train
from engine.adapt.views import view
from engine.bundle import Bundle
from engine.models.heads import Heads
from tests.engine.adapt.conftest import FEATURES, gray, report

RECIPE = Recipe(steps=20, batch=32, rate=3e-3)


def pairs(seed: int, count: int = 60) -> TrainingFeatures:
    rng = np.random.default_rng(seed)
    images = rng.standard_normal((2, count, FEATURES)).astype(np.float32)
    texts = rng.standard_normal((count * 2, FEATURES)).astype(np.float32)
    parts = [np.array([number, count + number]) for number in range(count)]
    return TrainingFeatures(images, texts, np.arange(count), parts)


def moved(bundle: Bundle, heads: Heads, given: TrainingFeatures) -> float:
    """How far the embeddings of some pairs have moved, as a mean squared distance."""
    assert bundle.heads is not None
    rows = [
        network.forward(one.image, network.prepared(one.image, given.images[0])).rows for one in (bundle.heads, heads)
    ]
    return float(((rows[0] - rows[1]) ** 2).sum(1).mean())


def test_a_training_is_repeatable_and_the_seed_matters(bundle: Bundle) -> None:
    assert bundle.heads is not None
    start = bundle.heads
    first, again, other = (train(start, pairs(1), pairs(2), replace(RECIPE, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.image["last.weight"], again.image["last.weight"])
    np.testing.assert_array_equal(first.text["first.weight"], again.text["first.weight"])
    assert abs(first.image["last.weight"] - other.image["last.weight"]).max() > 1e-4
    assert first.image.keys() == start.image.keys()


def test_replayed_pairs_move_less_when_they_are_held_and_weights_less_when_they_are_pulled(bundle: Bundle) -> None:
    assert bundle.heads is not None
    own, others = pairs(1), pairs(2)
    free, held, pulled = (
        train(bundle.heads, own, others, recipe)
        for recipe in (
            replace(RECIPE, hold=0.0, pull=0.0),
            replace(RECIPE, pull=0.0, hold=30.0),
            replace(RECIPE, pull=200.0),
        )
    )
    assert moved(bundle, held, others) < 0.5 * moved(bundle, free, others)
    distance = [
        abs(heads.image["first.weight"] - bundle.heads.image["first.weight"]).mean() for heads in (free, pulled)
    ]
    assert distance[1] < 0.7 * distance[0]


def test_there_may_be_nothing_to_replay(bundle: Bundle) -> None:
    assert bundle.heads is not None
    assert moved(bundle, train(bundle.heads, pairs(1), None, RECIPE), pairs(1)) > 0.01


def test_features_are_those_of_the_trunks_with_sentences_as_texts_of_their_own(bundle: Bundle) -> None:
    reports = [report(1), report(2), report(1)]
    found = features(bundle, lambda number: gray(number, number), reports, views=3, by_sentence=True)
    assert found.images.shape == (3, 3, FEATURES)
    np.testing.assert_array_equal(found.images[0], bundle.image_trunk([gray(n, n) for n in range(3)]))
    assert found.text_of.tolist() == [0, 1, 0]
    assert len(found.texts) == 5  # two reports, a sentence of each, and one that both have
    np.testing.assert_array_equal(found.texts[found.sentences_of[1][1]], bundle.text_trunk(["No other finding."])[0])


def test_a_view_is_a_part_of_the_image_whose_black_stays_black() -> None:
    image = np.zeros((60, 50), np.uint8)
    image[:, 25:] = 200
    shapes = set()
    for seed in range(20):
        shown = view(image, np.random.default_rng(seed))
        shapes.add(shown.shape)
        assert 0.45 * image.size < shown.size <= image.size
        assert set(np.unique(shown)) <= {0, shown.max()}
        assert (np.diff(shown.astype(int), axis=1) >= 0).all()  # never mirrored
    assert len(shapes) > 10


def test_the_rate_rises_and_falls() -> None:
    rates = [rate_at(step, 100, 1.0) for step in range(100)]
    assert rates[0] < rates[5] < rates[9] == max(rates) == pytest.approx(1.0)
    assert rates == [*sorted(rates[:10]), *sorted(rates[10:], reverse=True)]
    assert rates[-1] < 0.001


def test_the_optimizer_steps_as_that_of_torch() -> None:
    import torch

    start = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    mine, theirs = AdamW({"w": start}, 0.0, 0.9), torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = torch.optim.AdamW([theirs], lr=0.01, betas=(0.9, 0.98), weight_decay=0.0)
    for step in range(5):
        slope = np.random.default_rng(step).standard_normal((4, 3)).astype(np.float32)
        mine.step({"w": slope}, 0.01)
        theirs.grad = torch.from_numpy(slope)
        optimizer.step()
    np.testing.assert_allclose(mine.weights["w"], theirs.detach().numpy(), atol=1e-5)
    between = np.abs(mine.averaged["w"] - start).sum() / np.abs(mine.weights["w"] - start).sum()
    assert 0.1 < between < 1


def test_the_sample_archive_is_replayed_but_for_a_part() -> None:
    found = sample_pairs()
    assert len(found) > 100
    assert 0.1 < np.mean([pair.held_out for pair in found]) < 0.4
    assert found[0].image().ndim == 2
    assert {pair.text: pair.held_out for pair in found}.items() >= {(pair.text, pair.held_out) for pair in found}
