"""Gap and shape of the space against plain loops and cases that can be computed by hand."""

import math

import numpy as np
import pytest

from training.metrics import gap as mg


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return unit(rng.normal(size=(9, 5)) + 0.5), unit(rng.normal(size=(9, 5)) - 0.2)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return sum(float(x) * float(y) for x, y in zip(a, b))


def test_two_opposite_cones_have_a_gap_of_two() -> None:
    up, down = np.tile([[0.0, 1.0]], (3, 1)), np.tile([[0.0, -1.0]], (3, 1))
    assert mg.gap(up, down) == pytest.approx(2.0)
    assert mg.gap(up, up) == 0.0
    assert mg.relative_gap(up, down) == pytest.approx(1.0)
    assert mg.angle_degrees(cosine(up[0], down[0])) == pytest.approx(180.0)


def test_margin_cosines_and_relative_gap_agree_with_plain_loops(pair: tuple[np.ndarray, np.ndarray]) -> None:
    images, texts = pair
    n = len(images)
    true = [cosine(images[i], texts[i]) for i in range(n)]
    off = [cosine(images[i], texts[j]) for i in range(n) for j in range(n) if i != j]
    within = {
        name: [cosine(z[i], z[j]) for i in range(n) for j in range(n) if i != j]
        for name, z in (("i", images), ("t", texts))
    }
    np.testing.assert_allclose(mg.true_pair_cosines(images, texts), true)
    assert mg.margin(images, texts) == pytest.approx(np.mean(true) - np.mean(off))
    assert mg.mean_cosine(images) == pytest.approx(np.mean(within["i"]))
    # Schrodi et al.: d = (1 - cos) / 2; sum over the pairs / (N) against 1 / (2 N (N - 1)) of both modalities
    across = sum((1 - c) / 2 for c in true) / n
    inside = sum((1 - c) / 2 for c in within["i"] + within["t"]) / (2 * n * (n - 1))
    assert mg.relative_gap(images, texts) == pytest.approx(across / (inside + across))


def test_uniformity_agrees_with_a_plain_loop_and_is_zero_when_collapsed(pair: tuple[np.ndarray, np.ndarray]) -> None:
    images, texts = pair
    middles = unit((images + texts) / 2)
    terms = [math.exp(-2 * float(((middles[i] - middles[j]) ** 2).sum())) for i in range(9) for j in range(i + 1, 9)]
    assert mg.uniformity(images, texts) == pytest.approx(math.log(sum(terms) / len(terms)))
    same = np.tile([[1.0, 0.0]], (4, 1))
    assert mg.uniformity(same, same) == pytest.approx(0.0)


def test_the_floor_is_the_mean_gap_over_all_ways_to_swap_whole_groups(pair: tuple[np.ndarray, np.ndarray]) -> None:
    images, texts = pair
    groups = np.array([0, 0, 1, 1, 1, 2, 3, 3, 3])
    gaps = []
    for code in range(2**4):
        swap = np.array([(code >> group) & 1 for group in groups], bool)[:, None]
        gaps.append(mg.gap(np.where(swap, texts, images), np.where(swap, images, texts)))
    assert mg.gap_floor(images, texts, groups, draws=20000) == pytest.approx(np.mean(gaps), rel=0.02)


def test_the_floor_of_many_independent_pairs_is_near_its_closed_form() -> None:
    rng = np.random.default_rng(1)
    images = unit(rng.normal(size=(300, 64)))
    texts = unit(images + 1.2 * unit(rng.normal(size=(300, 64))))
    mean_cosine = float(mg.true_pair_cosines(images, texts).mean())
    floor = mg.gap_floor(images, texts, np.arange(300))
    assert floor == pytest.approx(math.sqrt((2 - 2 * mean_cosine) / 300), rel=0.03)


def test_effective_rank_counts_directions() -> None:
    assert mg.effective_rank(np.eye(6)) == pytest.approx(6.0)
    assert mg.effective_rank(np.tile([[0.6, 0.8]], (5, 1))) == pytest.approx(1.0)
    assert mg.effective_rank(np.diag([3.0, 1.0])) == pytest.approx(
        math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    )


def test_centring_on_the_means_of_the_data_closes_the_gap() -> None:
    rng = np.random.default_rng(2)
    images, texts = unit(rng.normal(size=(400, 8)) + 1.0), unit(rng.normal(size=(400, 8)) - 1.0)
    shifted = [mg.centred(z, z.mean(0)) for z in (images, texts)]
    assert mg.gap(images, texts) > 1.0
    assert mg.gap(*shifted) < 0.15
    np.testing.assert_allclose(np.linalg.norm(shifted[0], axis=1), 1.0)


def test_clusters_that_match_labels_score_one_and_unknown_labels_are_left_out() -> None:
    rng = np.random.default_rng(3)
    rows = np.repeat(np.eye(3), 10, axis=0) + 0.01 * rng.normal(size=(30, 3))
    labels = ["CT"] * 10 + ["MR"] * 10 + ["CR"] * 10
    assert mg.v_measure(rows, labels) == pytest.approx(1.0)
    assert mg.v_measure(rows, ["a", "b"] * 15) < 0.2
    assert mg.v_measure(rows, labels[:20] + [""] * 10) == pytest.approx(1.0)
    assert np.isnan(mg.v_measure(rows, ["CT"] * 30))


def test_the_v_measure_depends_little_on_the_start_of_k_means() -> None:
    from sklearn.cluster import KMeans
    from sklearn.metrics import v_measure_score

    rng = np.random.default_rng(5)
    rows, labels = rng.normal(size=(120, 6)), [str(number % 7) for number in range(120)]
    single = [v_measure_score(labels, KMeans(7, n_init=4, random_state=seed).fit_predict(rows)) for seed in range(200)]
    for first in (0, 100):
        assert mg.v_measure(rows, labels, first) == pytest.approx(np.mean(single), abs=3 * np.std(single) / 20**0.5)
