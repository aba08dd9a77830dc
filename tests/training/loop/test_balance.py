"""An epoch whose sources and modalities are balanced."""

from collections import Counter

import numpy as np
import pytest

from training.loop.balance import MOST, balanced_order, shares

KINDS = [("large", "CR")] * 600 + [("medium", "CT")] * 160 + [("medium", "MR")] * 40 + [("small", "US")] * 100


def test_without_balance_every_example_is_drawn_once() -> None:
    assert sorted(balanced_order(KINDS, 0.0, np.random.default_rng(0))) == list(range(len(KINDS)))


def test_with_full_balance_every_source_and_every_modality_of_a_source_is_drawn_equally_often() -> None:
    order = balanced_order(KINDS, 1.0, np.random.default_rng(0))
    assert len(order) == len(KINDS)
    drawn = Counter(KINDS[row] for row in order)
    assert drawn["large", "CR"] == pytest.approx(320, abs=1)
    assert drawn["medium", "CT"] == pytest.approx(160, abs=1)
    assert drawn["medium", "MR"] == pytest.approx(120, abs=1)  # the most that its 40 rows may be drawn
    assert drawn["small", "US"] == pytest.approx(300, abs=1)  # likewise


def test_a_power_between_gives_each_source_its_share_of_the_roots() -> None:
    found = shares(Counter({("a", "CR"): 400, ("b", "CR"): 100}), 0.5)
    assert found == pytest.approx({("a", "CR"): 500 * 20 / 30, ("b", "CR"): 500 * 10 / 30})
    found = shares(Counter({("a", "CR"): 400, ("b", "CT"): 64, ("b", "MR"): 36}), 0.5)
    assert found["b", "CT"] / found["b", "MR"] == pytest.approx(8 / 6)
    assert sum(found.values()) == pytest.approx(500)


def test_no_example_of_a_rare_kind_is_drawn_much_more_often_than_the_limit() -> None:
    kinds = [("a", "CR")] * 500 + [("a", "MG")] * 3 + [("b", "US")] * 10
    drawn = Counter(balanced_order(kinds, 1.0, np.random.default_rng(0)).tolist())
    assert max(drawn.values()) <= MOST + 1


def test_the_examples_of_a_kind_that_repeats_are_all_drawn_before_one_is_drawn_again() -> None:
    order = balanced_order(KINDS, 1.0, np.random.default_rng(1))
    small = [row for row in order if KINDS[row][0] == "small"]
    assert len(set(small[:100])) == 100


def test_every_part_of_the_epoch_has_about_the_same_composition() -> None:
    order = balanced_order(KINDS, 1.0, np.random.default_rng(2))
    shares_of_small = [np.mean([KINDS[row][0] == "small" for row in part]) for part in np.array_split(order, 9)]
    assert shares_of_small == pytest.approx([1 / 3] * 9, abs=0.05)


def test_the_order_depends_on_the_generator_alone() -> None:
    first, again, other = (balanced_order(KINDS, 0.7, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert set(first) != set(other)  # a source drawn in part is drawn in another part
