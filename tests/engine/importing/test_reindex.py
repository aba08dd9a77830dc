"""Re-indexing replaces all embeddings of an archive or none, and never mixes those of two models."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.facts.fact import Fact
from engine.importing.importer import import_path
from engine.importing.reindex import reindex, reindex_progress
from engine.reports.nearest_report import near_reports
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.case import NewReport
from engine.store.case_facts import add_facts, set_models
from engine.store.folder.vectors.vector_index import VectorIndex
from engine.store.nearest_index import NearestIndex
from engine.store.safety.checksums import seal
from tests.paths import ROOT

CASES, KILLS = 90, 6
TEXT = "Report number 77 of the move"

CHILD = """
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("doubles", sys.argv[1])
doubles = importlib.util.module_from_spec(spec)
spec.loader.exec_module(doubles)
from engine.importing import reindex
from engine.archive import Archive
reindex.BATCH = 3
os.write(1, b".")
reindex.reindex(Archive.open(sys.argv[2]), doubles.WordEncoder(32, "newer"), lambda *_: os.write(1, b"."))
"""


@pytest.fixture
def newer(encoder):
    """Another model, whose embeddings differ in length, so that a mix of both would fail."""
    return type(encoder)(32, "newer")


@pytest.fixture
def filled(archive: Archive, make_case: Callable) -> Archive:
    for n in range(CASES):
        pictures = ((), (n,), (n, n + 1000))[n % 3]
        archive.add_case(make_case(str(n), f"Report number {n} of the move" if n % 2 or not pictures else "", pictures))
    archive.index.refresh(save=True)
    return archive


def assert_reindexed(archive: Archive, model, folder: Path) -> None:
    """Every image and every report has exactly one embedding, of the new model, and the index matches."""
    assert archive.bundle_id == model.id
    rows = archive._database.read("SELECT image_id, report_id, bundle_id, vector FROM embeddings")
    assert {row[2] for row in rows} == {model.id}
    made = {("image", row[0]) if row[0] else ("report", row[1]): np.frombuffer(row[3], "<f2") for row in rows}
    images = archive._database.read("SELECT id FROM images")
    reports = archive._database.read("SELECT id, text FROM reports")
    assert len(rows) == len(made) == len(images) + len(reports)
    for (image_id,) in images:
        assert np.array_equal(made["image", image_id], model.embed_images([archive.image(image_id)])[0].astype("<f2"))
    for report_id, text in reports:
        assert np.array_equal(made["report", report_id], model.embed_texts([text])[0].astype("<f2"))
    assert archive._database.read("SELECT count(*) FROM new_embeddings") == [(0,)]
    assert archive.problems(deep=True) == []
    assert archive.index.state() == "intact"
    query = model.embed_texts([TEXT])[0]
    kept = archive.index.nearest(query, "report", CASES, bundle_id=model.id)
    if isinstance(archive.place, Path):
        assert archive._database.read("PRAGMA foreign_key_check") == []
        fresh = VectorIndex(folder, archive._database.read).nearest(query, "report", CASES)
        assert np.array_equal(kept.ids, fresh.ids)
    else:
        assert len(kept.ids) == len(reports)


def test_every_embedding_is_replaced_and_search_uses_the_new_model(filled: Archive, newer, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    result = reindex(filled, newer, lambda done, total, _: seen.append((done, total)))
    assert result.complete
    assert seen[-1] == (result.total, result.total)
    assert_reindexed(filled, newer, tmp_path)
    assert search(filled, newer, Query(text=TEXT)).hits[0].text == TEXT
    assert filled._database.read("SELECT action FROM audit") == [("moved to another model",)]


def test_reindexing_again_does_nothing(filled: Archive, newer) -> None:
    reindex(filled, newer)
    before = filled._database.read("SELECT id FROM embeddings")
    assert reindex(filled, newer).complete
    assert filled._database.read("SELECT id FROM embeddings") == before


def test_search_uses_the_old_embeddings_until_all_new_ones_exist(filled: Archive, encoder, newer) -> None:
    def look(done: int, total: int, what: str) -> None:
        assert search(filled, encoder, Query(text=TEXT)).hits[0].text.endswith("77 of the move")
        with pytest.raises(UserError, match="another model"):
            search(filled, newer, Query(text="anything"))

    assert reindex(filled, newer, look).complete
    with pytest.raises(UserError, match="another model"):
        search(filled, encoder, Query(text="anything"))


def test_a_cancelled_reindexing_is_resumed(filled: Archive, encoder, newer, tmp_path: Path) -> None:
    answers = iter([False, False, True, True, True, True])
    stopped = reindex(filled, newer, cancelled=lambda: next(answers))
    assert (stopped.complete, filled.bundle_id) == (False, encoder.id)
    assert 0 < stopped.done < stopped.total
    made = filled._database.read("SELECT id, vector FROM new_embeddings")
    seen: list[int] = []
    reindex(filled, newer, lambda done, *_: seen.append(done))
    assert seen[0] > stopped.done == len(made)
    assert_reindexed(filled, newer, tmp_path)


def test_only_what_models_say_of_cases_changes_with_their_embeddings_and_not_before(
    filled: Archive, encoder, newer
) -> None:
    def said() -> dict[int, str]:
        return {case_id: facts["region"].value for case_id, facts in filled.facts_of().items() if "region" in facts}

    encoder.image_facts = {"region": Fact("chest", "models", 0.9)}
    newer.image_facts = {"region": Fact("head", "models", 0.9)}
    for case_id in (2, 3):
        with filled._database.write() as db:
            set_models(db, case_id, encoder.image_facts)
            seal(db, "facts", case_id)
    with filled._database.write() as db:
        add_facts(db, 5, {"region": Fact("hand", "user")})
        seal(db, "facts", 5)
    answers = iter([False, False, True, True, True, True])
    assert not reindex(filled, newer, cancelled=lambda: next(answers)).complete
    assert said() == {2: "chest", 3: "chest", 5: "hand"}
    third = type(encoder)(16, "third")
    assert reindex(filled, third).complete  # which says nothing of any case
    assert said() == {5: "hand"}
    assert reindex(filled, newer).complete
    assert {case_id: region for case_id, region in said().items() if region != "head"} == {5: "hand"}
    assert len(said()) == sum(bool(filled.case(case_id).images) for case_id in filled.case_ids())
    assert filled.problems(deep=True) == []


def test_killed_runs_are_resumed_and_searches_use_the_old_index_until_then(
    filled: Archive, encoder, newer, tmp_path: Path
) -> None:
    place, moments = filled.place, random.Random(20261124)
    reports = reindex_progress(filled, newer.id).total // 3
    filled.close()
    reached = 0
    for marks in sorted(moments.randrange(1, reports // 2) for _ in range(KILLS)):
        command = [sys.executable, "-c", CHILD, str(ROOT / "tests/engine/conftest.py"), str(place)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        assert child.stdout is not None
        child.stdout.read(marks)
        child.send_signal(signal.SIGKILL)
        child.stdout.close()
        child.wait()
        with Archive.open(place) as archive:
            now = reindex_progress(archive, newer.id)
            assert now.done >= reached
            reached = now.done
            serving = newer if now.complete else encoder
            assert search(archive, serving, Query(text=TEXT)).hits[0].text == TEXT
    assert reached > 0
    with Archive.open(place) as archive:
        assert reindex(archive, newer).complete
        assert_reindexed(archive, newer, tmp_path)


def test_cases_imported_or_replaced_meanwhile_are_reindexed_too(
    filled: Archive, encoder, newer, make_case: Callable, tmp_path: Path
) -> None:
    calls: list[int] = []

    def meddle(done: int, total: int, what: str) -> None:
        calls.append(done)
        if len(calls) == 2:
            filled.add_case(make_case("late", "A report that came late", (5000,)), encoder.id)
        if done == total:  # the last batch seemed to be the last: a report of the first ones changes
            report = NewReport("A better report", encoder.embed_texts(["A better report"])[0])
            if not filled._database.read("SELECT 1 FROM reports WHERE text = 'A better report'"):
                filled.set_report(1, report, "test", encoder.id)

    assert reindex(filled, newer, meddle).complete
    assert_reindexed(filled, newer, tmp_path)
    assert filled._database.read(
        "SELECT count(*) FROM reports WHERE text IN ('A better report', 'A report that came late')"
    ) == [(2,)]


def test_a_third_model_starts_over(filled: Archive, encoder, newer, tmp_path: Path) -> None:
    answers = iter([False, True, True, True])
    reindex(filled, newer, cancelled=lambda: next(answers))
    third = type(encoder)(16, "third")
    assert reindex_progress(filled, third.id).done == 0
    assert reindex(filled, third).complete
    assert_reindexed(filled, third, tmp_path)


def test_an_empty_archive_is_reindexed_at_once(archive: Archive, newer) -> None:
    assert reindex(archive, newer).complete
    assert archive.bundle_id == newer.id


def test_vectors_of_two_models_are_never_mixed(
    filled: Archive, encoder, newer, make_case: Callable, image_folder: Path
) -> None:
    late = make_case("late", "Made before the move, stored after it", (4000,))
    reindex(filled, newer)
    before = filled.stats()
    for attempt in (
        lambda: filled.add_case(late, encoder.id),
        lambda: filled.set_report(1, NewReport("x", encoder.embed_texts(["x"])[0]), "test", encoder.id),
        lambda: import_path(filled, encoder, image_folder),
        lambda: search(filled, encoder, Query(text="x")).hits,
        lambda: near_reports(filled, encoder, encoder.embed_texts(["A report."])[0]),
        lambda: filled.index.nearest(encoder.embed_texts(["x"])[0], "report", 3, bundle_id=encoder.id),
    ):
        with pytest.raises(UserError, match="another model"):
            attempt()
    assert filled.stats() == before


def test_a_report_replaced_during_a_search_does_not_break_it(
    filled: Archive, encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index returns ids; an embedding may be deleted before it is read."""
    read, replaced = type(filled.index).vectors, []

    def slow(index: NearestIndex, ids: np.ndarray) -> np.ndarray | None:
        if not replaced:
            replaced.append(True)
            report = NewReport("Report number 77 of the move, signed", encoder.embed_texts(["Report number 77"])[0])
            filled.set_report(78, report, "test", encoder.id)
        return read(index, ids)

    monkeypatch.setattr(type(filled.index), "vectors", slow)
    found = search(filled, encoder, Query(text=TEXT), SearchOptions(k=3)).hits
    assert replaced
    assert len(found) == 3
