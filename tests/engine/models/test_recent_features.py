"""The features of a picture are computed once a question, however often it is asked."""

import numpy as np

from engine.models.recent_features import KEPT, RecentFeatures


def _pictures(count: int) -> list[np.ndarray]:
    return [np.array([[number // 256, number % 256]], np.uint8) for number in range(count)]


class _Counting:
    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, images) -> np.ndarray:
        self.asked += [256 * int(image[0, 0]) + int(image[0, -1]) for image in images]
        return np.stack([image[0, -1:].astype(np.float32) for image in images])


def test_a_picture_asked_for_again_is_not_computed_again():
    recent, compute = RecentFeatures(), _Counting()
    one, two, three = _pictures(3)
    recent.of([one, two], compute)
    rows = recent.of([three, two.copy(), one, three], compute)
    assert rows[:, 0].tolist() == [2, 1, 0, 2]
    assert compute.asked == [0, 1, 2]


def test_pictures_of_the_same_bytes_and_another_shape_are_different():
    recent, compute = RecentFeatures(), _Counting()
    recent.of([np.zeros((4, 6), np.uint8)], compute)
    recent.of([np.zeros((6, 4), np.uint8)], compute)
    assert compute.asked == [0, 0]


def test_the_picture_asked_for_longest_ago_is_dropped_first():
    recent, compute = RecentFeatures(), _Counting()
    pictures = _pictures(KEPT + 1)
    recent.of(pictures[:KEPT], compute)
    recent.of(pictures[:1], compute)
    recent.of(pictures[KEPT:], compute)
    compute.asked.clear()
    recent.of(pictures[:1], compute)
    recent.of(pictures[1:2], compute)
    assert compute.asked == [1]


def test_one_question_runs_the_image_graph_once(starter_bundle, monkeypatch):
    image = np.random.default_rng(1).integers(0, 256, (40, 50), np.uint8)
    once = starter_bundle.embed_images([image])

    def asked_again(*_):
        raise AssertionError("the graph was asked again")

    monkeypatch.setattr(type(starter_bundle._encoder.image), "run", asked_again)
    assert np.array_equal(starter_bundle.embed_images([image]), once)
    starter_bundle.facts_of_image(image)
    starter_bundle.image_features([image])
