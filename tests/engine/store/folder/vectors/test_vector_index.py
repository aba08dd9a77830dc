"""The vector index agrees with the database and is rebuilt when it is missing, stale or damaged."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faiss
import numpy as np
import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.store.case import NewCase, NewImage, NewReport
from engine.store.filters import Filters
from engine.store.folder.vectors import faiss_index, index_file, vector_index
from engine.store.folder.vectors.index_file import Snapshot, Stamp
from engine.store.folder.vectors.vector_index import VectorIndex


@pytest.fixture
def vectors() -> np.ndarray:
    rows = np.random.default_rng(3).normal(size=(60, 48))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture
def filled(archive: Archive, vectors: np.ndarray) -> Archive:
    """Thirty cases with one image and one report each, alternating from `vectors`."""
    add(archive, vectors, range(30))
    return archive


def add(archive: Archive, vectors: np.ndarray, numbers: range) -> None:
    for n in numbers:
        image = NewImage(np.zeros((2, 2), np.uint8), vectors[2 * n])
        archive.add_case(NewCase(str(n), images=(image,), report=NewReport(f"r{n}", vectors[2 * n + 1])))


def plain(vectors: np.ndarray, query: np.ndarray, kind: str) -> list[int]:
    """Case ids (1-based) by inner product, by hand."""
    rows = vectors[0 if kind == "image" else 1 :: 2].astype(np.float64)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return (np.argsort(-(rows @ query)) + 1).tolist()


@pytest.mark.parametrize("kind", ["image", "report"])
@pytest.mark.parametrize("index", ["exact", "8 bits", "lists"])
def test_the_nearest_are_those_that_a_plain_scan_finds(
    filled: Archive, vectors: np.ndarray, kind: vector_index.Kind, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if index != "exact":
        monkeypatch.setattr(faiss_index, "FLAT_LIMIT", 10)
    if index == "lists":
        monkeypatch.setattr(faiss_index, "LISTS_FROM", 20)
    query = np.random.default_rng(4).normal(size=48).astype(np.float32)
    found = filled.index.nearest(query, kind, 20)
    best = found.cases[np.argsort(-(found.vectors @ query))][:5]
    assert best.tolist() == plain(vectors[:60], query, kind)[:5]
    assert not found.all
    assert filled.index.nearest(query, kind, 99).all


def test_only_allowed_cases_are_found_even_when_others_are_nearer(filled: Archive) -> None:
    query = np.random.default_rng(5).normal(size=48).astype(np.float32)
    found = filled.index.nearest(query, "image", 2, Filters(cases=(7, 21, 29)))
    assert len(found.cases) == 2
    assert set(found.cases) <= {7, 21, 29}


def test_later_cases_are_added_without_a_rebuild(
    archive: Archive, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(archive, vectors, range(20))
    archive.index.refresh(save=True)
    add(archive, vectors, range(20, 30))
    assert archive.index.state() == "behind"

    def no_rebuild(*_: object) -> None:
        raise AssertionError("rebuilt")

    monkeypatch.setattr(VectorIndex, "_built", no_rebuild)
    query = vectors[2 * 25].astype(np.float32)
    assert archive.index.nearest(query, "image", 1).cases.tolist() == [26]


@pytest.mark.parametrize(
    "damage", [lambda content: b"", lambda content: content[:-9], lambda c: c[:200] + b"x" + c[201:]]
)
def test_a_damaged_file_is_rebuilt(filled: Archive, vectors: np.ndarray, damage: Callable[[bytes], bytes]) -> None:
    filled.index.refresh(save=True)
    path = filled.index.path
    path.write_bytes(damage(path.read_bytes()))
    fresh = VectorIndex(filled.folder, filled._database.read)
    assert fresh.state() == "damaged"
    assert fresh.nearest(vectors[0].astype(np.float32), "image", 1).cases.tolist() == [1]
    assert fresh.state() == "intact"


def test_a_file_with_any_wrong_bit_is_rebuilt(archive: Archive, vectors: np.ndarray) -> None:
    add(archive, vectors[:, :8], range(3))
    archive.index.refresh(save=True)
    path = archive.index.path
    good = path.read_bytes()
    for offset in range(len(good)):
        bad = bytearray(good)
        bad[offset] ^= 1 << offset % 8
        path.write_bytes(bad)
        fresh = VectorIndex(archive.folder, archive._database.read)
        assert fresh.state() == "damaged", offset
        assert sorted(fresh.nearest(vectors[0, :8].astype(np.float32), "image", 3).cases) == [1, 2, 3]
        assert path.read_bytes() == good


def test_a_file_that_is_not_an_index_is_damaged_even_with_a_valid_checksum(filled: Archive) -> None:
    filled.index.refresh(save=True)
    for stamp, body in (
        (b"not JSON\n", b""),
        (b"[]\n", b""),
        (b'{"count": 1, "last_id": 1, "bundle_id": null}\n', b"short"),
        (b'{"count": 0, "last_id": 1, "bundle_id": null}\n', b"no index of faiss"),
    ):
        filled.index.path.write_bytes(index_file.MAGIC + index_file.checksum(stamp, body) + b" " + stamp + body)
        assert filled.index.state() == "damaged"


def test_search_works_when_the_file_cannot_be_written(
    filled: Archive, vectors: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    filled.index.path.mkdir()  # a folder stands where the file goes
    before = sorted(filled.folder.iterdir())
    with caplog.at_level(logging.WARNING):
        assert filled.index.nearest(vectors[0].astype(np.float32), "image", 1).cases.tolist() == [1]
    assert "not saved" in caplog.text
    assert str(filled.folder) not in caplog.text
    with pytest.raises(UserError, match="cannot be written"):
        filled.index.refresh(save=True)
    assert sorted(filled.folder.iterdir()) == before


def test_search_works_when_the_folder_is_gone(filled: Archive, vectors: np.ndarray) -> None:
    lost = VectorIndex(filled.folder / "gone", filled._database.read)
    assert lost.nearest(vectors[0].astype(np.float32), "image", 1).cases.tolist() == [1]
    with pytest.raises(UserError, match="cannot be written"):
        lost.refresh(save=True)


def test_two_open_archives_can_both_save_the_index(filled: Archive) -> None:
    def save(index: VectorIndex) -> None:
        for _ in range(40):
            index.path.unlink(missing_ok=True)
            index.refresh(save=True)

    with ThreadPoolExecutor() as threads:
        list(threads.map(save, [VectorIndex(filled.folder, filled._database.read) for _ in range(2)]))
    assert filled.index.state() == "intact"
    assert [path for path in filled.folder.iterdir() if path.suffix == ".new"] == []
    assert filled.index.path.stat().st_mode & 0o077 == 0


def test_a_missing_file_is_created(filled: Archive) -> None:
    assert filled.index.state() == "missing"
    filled.index.refresh()
    assert filled.index.state() == "intact"


def test_deleted_rows_are_not_found_and_cost_no_rebuild_until_the_index_is_refreshed(
    filled: Archive, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.index.refresh(save=True)
    before = filled.index.path.stat().st_size
    with filled._database.write() as db:
        db.execute("DELETE FROM cases WHERE id = 3")
    assert filled.index.state() == "stale"
    with monkeypatch.context() as patched:
        patched.setattr(VectorIndex, "_built", lambda *_: pytest.fail("built anew"))
        for index in (filled.index, VectorIndex(filled.folder, filled._database.read)):
            found = index.nearest(vectors[4].astype(np.float32), "image", 99)
            assert 3 not in found.cases
            assert len(found.cases) == 29
            assert found.all
        filled.add_case(NewCase("later", images=(NewImage(np.zeros((2, 2), np.uint8), vectors[0]),)))
        assert 31 in filled.index.nearest(vectors[1].astype(np.float32), "image", 99).cases
        assert len(filled.index.rows().ids) == 59
    filled.index.refresh(save=True)
    assert filled.index.state() == "intact"
    assert filled.index.path.stat().st_size < before


def test_a_row_that_was_deleted_during_a_search_is_no_damage(filled: Archive) -> None:
    gone = filled.index.rows().ids[:2]
    with filled._database.write() as db:
        db.execute("DELETE FROM cases WHERE id = 1")
    filled.index.rows()  # as of another search, which has noticed the deletion
    assert filled.index.vectors(gone) is None


def test_rows_that_are_deleted_while_the_index_is_built_anew_come_into_no_file(
    filled: Archive, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete(case_id: int) -> None:
        with filled._database.write() as db:
            db.execute("DELETE FROM cases WHERE id = ?", [case_id])

    filled.index.refresh(save=True)
    build = filled.index._built

    def interrupted(stamp: Stamp) -> Snapshot:
        built = build(stamp)
        delete(4)
        return built

    delete(3)
    with monkeypatch.context() as patched:
        patched.setattr(filled.index, "_built", interrupted)
        filled.index.refresh(save=True)
    assert filled.index.state() == "stale"  # as before: who deleted the fourth is going to write it
    filled.index.refresh(save=True)
    assert filled.index.state() == "intact"
    assert not {3, 4} & {*filled.index.nearest(vectors[0].astype(np.float32), "image", 99).cases.tolist()}


def test_rows_that_are_all_replaced_before_an_index_is_trained_are_indexed_as_they_are_then(
    filled: Archive, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_index, "FLAT_LIMIT", 10)
    read, replaced = filled._database.read, []

    def replacing(sql: str, values: Any = ()) -> list[Any]:
        if sql == vector_index.IDS and not replaced:
            replaced.append(sql)
            with filled._database.write() as db:  # as by `kindred reindex` in another process
                db.execute("UPDATE embeddings SET id = id + 1000")
        return read(sql, values)

    index = VectorIndex(filled.folder, replacing)
    assert index.nearest(vectors[0].astype(np.float32), "image", 99).ids.min() > 1000
    assert len(index.rows().ids) == 60


def test_a_read_that_fails_on_the_way_leaves_each_vector_with_its_row(
    archive: Archive, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_index, "PAGE", 10)
    read, pages = archive._database.read, []

    def failing(sql: str, values: Any = ()) -> list[Any]:
        if sql == vector_index.ROWS and pages:
            pages.pop()
            if not pages:
                raise UserError("the disk is gone")
        return read(sql, values)

    index = VectorIndex(archive.folder, failing)
    add(archive, vectors, range(10))
    index.refresh()
    add(archive, vectors, range(10, 30))
    pages += [1, 2]
    with pytest.raises(UserError, match="the disk is gone"):
        index.refresh()
    found = [index.nearest(vectors[2 * n].astype(np.float32), "image", 1).cases.tolist() for n in range(30)]
    assert found == [[n + 1] for n in range(30)]


def test_deleting_the_last_row_leaves_the_others(filled: Archive, vectors: np.ndarray) -> None:
    filled.index.refresh(save=True)
    with filled._database.write() as db:
        db.execute("DELETE FROM cases WHERE id >= 30")
    assert sorted(filled.index.nearest(vectors[0].astype(np.float32), "image", 99).cases) == [*range(1, 30)]


def test_a_killed_build_is_continued_by_the_next_process(
    filled: Archive, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_index, "PAGE", 10)
    monkeypatch.setattr(vector_index, "STEP", 20)
    read, asked = filled._database.read, []

    def killed(sql: str, values: Any = ()) -> list[Any]:
        if sql == vector_index.ROWS:
            asked.append(values)
            if len(asked) > 6:
                raise KeyboardInterrupt
        return read(sql, values)

    with pytest.raises(KeyboardInterrupt):
        VectorIndex(filled.folder, killed).refresh()
    fresh = VectorIndex(filled.folder, read)
    assert fresh.state() == "behind"
    monkeypatch.setattr(VectorIndex, "_built", lambda *_: pytest.fail("built anew"))
    assert sorted(fresh.nearest(vectors[0].astype(np.float32), "image", 99).cases) == [*range(1, 31)]


def test_searches_go_on_while_an_outgrown_index_is_built_anew(
    filled: Archive, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.index.refresh(save=True)
    monkeypatch.setattr(faiss_index, "FLAT_LIMIT", 10)
    build, found = filled.index._built, []

    def slow(stamp: Stamp) -> Snapshot:
        with ThreadPoolExecutor() as threads:
            query = vectors[0].astype(np.float32)
            found.append(threads.submit(filled.index.nearest, query, "image", 1).result(timeout=60))
        return build(stamp)

    monkeypatch.setattr(filled.index, "_built", slow)
    filled.index.refresh(save=True)
    assert [one.cases.tolist() for one in found] == [[1]]
    assert filled.index.state() == "intact"
    assert isinstance(index_file.read(filled.index.path).index, faiss.IndexScalarQuantizer)


def test_an_index_of_another_bundle_is_stale(filled: Archive) -> None:
    filled.index.refresh(save=True)
    with filled._database.write() as db:
        db.execute("UPDATE settings SET value = 'other' WHERE name = 'bundle_id'")
    assert filled.index.state() == "stale"


def test_an_empty_archive_has_no_neighbors(archive: Archive) -> None:
    assert archive.index.nearest(np.ones(48, np.float32), "image", 5).all
    assert len(archive.index.nearest(np.ones(48, np.float32), "report", 5).ids) == 0


def test_an_archive_that_was_empty_when_first_searched_is_searched_again(archive: Archive, vectors: np.ndarray) -> None:
    archive.index.refresh()
    add(archive, vectors, range(3))
    assert archive.index.nearest(vectors[0].astype(np.float32), "image", 1).cases.tolist() == [1]
