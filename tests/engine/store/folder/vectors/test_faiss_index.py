"""Each kind of index finds what a plain scan finds, and lists read only a part of the vectors."""

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.store.folder.vectors import faiss_index
from engine.store.folder.vectors.faiss_index import is_outgrown, new_index, search

DIM = 32


@pytest.fixture
def clustered() -> NDArray[np.float32]:
    """4,000 unit vectors around 50 centers."""
    rng = np.random.default_rng(1)
    rows = np.repeat(rng.normal(size=(50, DIM)), 80, axis=0) + 0.5 * rng.normal(size=(4_000, DIM))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture
def lists(clustered: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> faiss.IndexIVF:
    monkeypatch.setattr(faiss_index, "FLAT_LIMIT", 100)
    monkeypatch.setattr(faiss_index, "LISTS_FROM", 1_000)
    monkeypatch.setattr(faiss_index, "SCANNED", 600)
    drawn = np.random.default_rng(3).permutation(clustered)
    index = new_index(len(clustered), DIM, lambda count: drawn[:count])
    index.add(clustered)
    return index


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.01])
def test_lists_find_nearly_all_that_a_plain_scan_finds_under_any_filter(
    clustered: NDArray[np.float32], lists: faiss.IndexIVF, share: float
) -> None:
    rng = np.random.default_rng(2)
    allowed = rng.random(len(clustered)) < share
    found = expected = 0
    for query in clustered[::100] + 0.05 * rng.normal(size=(40, DIM)).astype(np.float32):
        best = [row for row in np.argsort(-(clustered @ query)) if allowed[row]][:10]
        rows, products = search(lists, query, 10, allowed)
        assert allowed[rows].all()
        assert products == pytest.approx(clustered[rows] @ query, abs=0.02)
        found += len({*rows.tolist()} & {*best})
        expected += len(best)
    assert found / expected > 0.95


def test_a_search_of_lists_reads_a_part_of_them_and_more_where_few_rows_are_allowed(
    clustered: NDArray[np.float32], lists: faiss.IndexIVF
) -> None:
    allowed = np.ones(len(clustered), np.bool_)
    faiss.cvar.indexIVF_stats.reset()
    search(lists, clustered[0], 10, allowed)
    assert faiss.cvar.indexIVF_stats.nlist == pytest.approx(lists.nlist * 600 / 4_000, abs=1)
    faiss.cvar.indexIVF_stats.reset()
    assert len(search(lists, clustered[0], 10, np.arange(len(clustered)) % 40 == 0)[0]) == 10
    assert faiss.cvar.indexIVF_stats.nlist == lists.nlist


def test_whoever_asks_for_all_rows_gets_all(clustered: NDArray[np.float32], lists: faiss.IndexIVF) -> None:
    rows, _ = search(lists, clustered[0], 4_000, np.ones(4_000, np.bool_))
    assert sorted(rows.tolist()) == [*range(4_000)]


def test_an_index_is_outgrown_when_another_kind_would_hold_as_many(lists: faiss.IndexIVF) -> None:
    flat, scan = (new_index(count, DIM, lambda count: np.eye(DIM, dtype=np.float32)) for count in (100, 500))
    assert [is_outgrown(flat, count) for count in (100, 101)] == [False, True]
    assert [is_outgrown(scan, count) for count in (101, 999, 1_000)] == [False, False, True]
    assert [is_outgrown(lists, count) for count in (4_000, 15_000, 16_000)] == [False, False, True]
