"""The picture of the shared space: distances are the scores, and neighbors stay neighbors."""

from collections.abc import Callable
from math import hypot

import numpy as np
import pytest

from engine.archive import Archive
from engine.retrieval.around import around
from engine.retrieval.search import Query, SearchOptions, search
from engine.retrieval.space import angles, radius
from engine.store.case import NewCase
from tests.engine.retrieval.test_fusion import unit

Make = Callable[..., NewCase]


def test_the_distance_falls_with_the_score_and_stays_inside_the_disk() -> None:
    lengths = [radius(score) for score in (9, 6, 4, 2.33, 0, -2, -7)]
    assert lengths == sorted(lengths)
    assert (lengths[0], lengths[-1]) == (0.15, 1.0)
    assert radius(5) == pytest.approx(0.35)


def test_angles_are_even_and_keep_the_order_around_the_query() -> None:
    truth = np.random.default_rng(0).permutation(12) * np.pi / 6
    plane = np.stack([np.cos(truth), np.sin(truth)], 1)
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(16, 2)))[0]
    vectors = (plane @ axes.T).astype(np.float32)
    found = angles(np.zeros(16, np.float32), vectors)
    assert np.allclose(np.sort(found), np.arange(12) * np.pi / 6)
    by_truth, by_found = np.argsort(truth), np.argsort(found)
    around_once = np.roll(by_found, -by_found.tolist().index(by_truth[0])).tolist()
    assert around_once in (by_truth.tolist(), [by_truth[0], *by_truth[:0:-1]])  # a mirror image has the same neighbors
    assert np.array_equal(found, angles(np.zeros(16, np.float32), vectors))


def test_one_case_or_none_needs_no_angle() -> None:
    assert angles(unit(1), unit(2, 1)).tolist() == [0]
    assert angles(unit(1), np.zeros((0, 16), np.float32)).tolist() == []


def test_hits_lie_at_their_score_and_other_cases_beyond_most_of_them(
    archive: Archive, encoder, make_case: Make
) -> None:
    for n in range(30):
        word = "effusion" if n < 5 else f"other {n}"
        archive.add_case(make_case(f"1.{n}", f"{word} seen", seeds=[n]))
    found = search(archive, encoder, Query(text="effusion seen"), SearchOptions(k=5))
    assert found.embedded is not None
    dots = around(archive, encoder, found.embedded, 0.5, found.hits)
    assert len(dots) == 30
    assert [dot.case_id for dot in dots[:5]] == [hit.case_id for hit in found.hits]
    assert [dot.hit for dot in dots] == [True] * 5 + [False] * 25
    for dot, hit in zip(dots, found.hits, strict=False):
        assert hypot(dot.x, dot.y) == pytest.approx(radius(hit.score))
        assert dot.kind == "report"
    assert np.median([hypot(dot.x, dot.y) for dot in dots[5:]]) > max(hypot(dot.x, dot.y) for dot in dots[:5])


def test_fused_ranks_are_placed_by_their_vectors(archive: Archive, encoder, make_case: Make) -> None:
    for n, text in enumerate(("effusion", "fracture", "effusion of the knee")):
        archive.add_case(make_case(f"1.{n}", text))
    found = search(archive, encoder, Query(text="effusion"), SearchOptions(mode="hybrid"))
    assert found.embedded is not None
    fused = around(archive, encoder, found.embedded, 0.5, found.hits, fused=True)
    plain = {dot.case_id: dot for dot in around(archive, encoder, found.embedded, 0.5, [])}
    assert {dot.case_id: round(hypot(dot.x, dot.y), 5) for dot in fused} == {
        case: round(hypot(dot.x, dot.y), 5) for case, dot in plain.items()
    }
