"""Workers share an import or a re-indexing; what one leaves, another one takes over."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.archive import Archive
from engine.errors import Rejected, UserError
from engine.importing.import_result import ImportResult
from engine.importing.importer import import_path, read_all, with_reports
from engine.importing.reindex import reindex
from engine.importing.source import FoundCase
from engine.importing.work import queueing
from engine.importing.work.parts import parts_of
from engine.importing.work.queueing import queue_import, queue_reindex
from engine.importing.work.worker import work
from engine.progress import ignore, never
from engine.store.server.work_queue import MOST, WorkQueue
from tests.engine.conftest import WordEncoder
from tools.department_server import DepartmentServer

Make = Callable[..., Any]
SHORT = 0.0
"""Seconds of a lease that is over at once, as that of a killed worker is after a while."""


@pytest.fixture
def archive(server: DepartmentServer, template: str) -> Iterator[Archive]:
    """Work is handed out by a server only."""
    made = server.empty_database(template)
    with Archive.open(made) as opened:
        yield opened
    server.drop(made)


@pytest.fixture
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "CASES", 1)
    monkeypatch.setattr(queueing, "ROWS", 2)


@pytest.fixture
def filled(archive: Archive, make_case: Make) -> Archive:
    for n in range(6):
        archive.add_case(make_case(f"k{n}", f"Report {n}.", seeds=(n,)))
    return archive


def never_paused() -> None:
    raise AssertionError("nothing to wait for")


def after(calls: int) -> Callable[[], bool]:
    """Cancelled from this call on."""
    answers: Iterator[bool] = iter([False] * calls)
    return lambda: next(answers, True)


def content(archive: Archive) -> list[Any]:
    rows = [archive.case(case_id) for case_id in archive.case_ids()]
    found = [(one.modality, one.age, one.sex, len(one.images), one.report and one.report.text) for one in rows]
    return sorted(found, key=repr)


@pytest.mark.usefixtures("small_units")
def test_workers_import_what_an_import_does(
    archive: Archive, encoder: WordEncoder, image_folder: Path, tmp_path: Path
) -> None:
    job, count = queue_import(archive, encoder.id, image_folder)
    work(archive, encoder, cancelled=after(16), pause=never_paused)
    assert 0 < archive.work.jobs()[0].done < count
    second = work(archive, encoder, pause=never_paused)
    with Archive.create(tmp_path / "alone", encoder.id) as alone:
        done = import_path(alone, encoder, image_folder)
        assert content(archive) == content(alone)
    assert second.units
    assert archive.stats()["cases"] == done.added == count
    (state,) = archive.work.jobs()
    assert (state.job_id, state.units, state.done, state.failed) == (job, count + 1, count + 1, 0)
    assert archive.stats()["embeddings"] == done.images + done.reports


def test_what_may_be_one_case_is_in_one_part_wherever_it_is_listed(image_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(image_folder, tmp_path / "elsewhere")
    reports = [FoundCase(key=f"r{n}", name=f"r{n}", text="x", joins=(("accession", str(n // 2)),)) for n in range(40)]
    chained = [
        FoundCase(key="c1", joins=(("visit", "a"), ("study", "b"))),
        FoundCase(key="c2", joins=(("study", "b"),)),
    ]
    items = [*reports, *chained, Rejected("bad.dcm", "why")]
    parts = parts_of(items, 7)
    assert sorted(map(repr, (one for part in parts for one in part))) == sorted(map(repr, items))
    assert sum(bool(part) for part in parts) > 4
    where = {one.key: n for n, part in enumerate(parts) for one in part if isinstance(one, FoundCase)}
    assert all(where[f"r{n}"] == where[f"r{n + 1}"] for n in range(0, 40, 2))
    assert where["c1"] == where["c2"]
    assert parts_of(items, 7) == parts
    _, found, extra = read_all(tmp_path / "elsewhere", None, ignore, never)
    elsewhere = parts_of(with_reports(found, extra, ImportResult()), 3)
    _, found, extra = read_all(image_folder, None, ignore, never)
    here = parts_of(with_reports(found, extra, ImportResult()), 3)
    assert [[one.key for one in part] for part in here] == [[one.key for one in part] for part in elsewhere]  # type: ignore[union-attr]


@pytest.mark.usefixtures("small_units")
def test_reindexing_ends_in_one_change_of_models(filled: Archive) -> None:
    new = WordEncoder(32, "new")
    queue_reindex(filled, new.id)
    with pytest.raises(UserError, match="being re-indexed already"):
        queue_reindex(filled, new.id)
    work(filled, new, cancelled=after(12), pause=never_paused)
    assert filled.new_embeddings.count("new") > 0
    assert filled.bundle_id == "word-encoder"
    done = work(filled, new, pause=never_paused)
    assert filled.bundle_id == "new"
    assert filled.stats()["embeddings"] == 12
    assert filled.problems(deep=True) == []
    assert [row["action"] for row in filled.audit()] == ["moved to another model"]
    assert done.units > 1


def test_a_reindexing_that_another_process_has_ended_is_not_begun_again(filled: Archive) -> None:
    new = WordEncoder(32, "new")
    reindex(filled, new)
    assert filled.new_embeddings.adopt("new")
    assert len(filled.audit()) == 1
    assert reindex(filled, new).complete


@pytest.mark.usefixtures("small_units")
def test_the_work_of_a_killed_worker_is_taken_over_and_nothing_is_doubled(filled: Archive) -> None:
    new = WordEncoder(32, "new")
    queue_reindex(filled, new.id)
    assert filled.work.next_job() is not None
    killed = filled.work.lease("killed", SHORT)
    assert killed is not None
    filled.new_embeddings.add("image", "new", [killed.first], new.embed_images([filled.image(killed.first)]))
    work(filled, new, pause=never_paused)
    assert filled.stats()["embeddings"] == 12
    assert not filled.work.done(killed)
    assert not filled.work.prolong(killed)


def test_a_unit_is_leased_to_one_worker_until_it_is_given_back(filled: Archive) -> None:
    queue_reindex(filled, "new")
    queue = filled.work
    assert queue.next_job() is not None
    units = [queue.lease(f"worker {n}") for n in range(3)]
    assert [unit is None for unit in units] == [False, False, True]  # images and reports; the last unit waits for both
    assert units[0] is not None
    assert queue.prolong(units[0])
    queue.give_back(units[0])
    assert queue.lease("another") is not None


@pytest.mark.usefixtures("small_units")
def test_a_unit_that_fails_is_tried_a_few_times_then_listed_with_its_reason(
    archive: Archive, encoder: WordEncoder, image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, count = queue_import(archive, encoder.id, image_folder)

    def fail(*arguments: object) -> None:
        raise UserError(f"{image_folder} cannot be embedded.", image_folder)

    with monkeypatch.context() as patch:
        patch.setattr(encoder, "embed_texts", fail)
        done = work(archive, encoder, pause=never_paused)
    assert done.failed == 4 * MOST
    (state,) = archive.work.jobs()
    assert (state.failed, state.done, state.is_over) == (4, count - 3, True)
    assert archive.work.reasons(job) == [("… cannot be embedded.", 4)]
    assert archive.work.retry() == 4
    work(archive, encoder, pause=never_paused)
    assert archive.work.jobs()[0].failed == 0
    assert archive.stats()["cases"] == count


def test_a_unit_whose_workers_end_without_a_word_is_given_up(filled: Archive) -> None:
    queue_reindex(filled, "new")
    for _ in range(MOST):
        assert filled.work.next_job() is not None
        assert filled.work.lease("killed", SHORT) is not None
    assert filled.work.next_job() is not None
    assert [state.failed for state in filled.work.jobs()] == [1]


def test_a_worker_that_is_stopped_gives_its_unit_back(filled: Archive) -> None:
    new = WordEncoder(32, "new")
    queue_reindex(filled, new.id)
    assert work(filled, new, cancelled=after(2)).units == 0
    assert filled.work.jobs()[0].leased == 0
    work(filled, new, pause=never_paused)
    assert filled.bundle_id == "new"


def test_a_worker_with_other_models_says_so(filled: Archive) -> None:
    queue_reindex(filled, "new")
    with pytest.raises(UserError, match="needs other models"):
        work(filled, WordEncoder(name="third"))


def test_one_job_follows_the_other(filled: Archive, encoder: WordEncoder, image_folder: Path) -> None:
    first, _ = queue_import(filled, encoder.id, image_folder)
    queue_reindex(filled, "new")
    queue = filled.work
    assert queue.next_job() is not None
    leased = [queue.lease("one"), queue.lease("two")]
    assert [unit and unit.job_id for unit in leased] == [first, None]
    assert queue.drop(first)
    job = queue.next_job()
    assert job is not None
    assert job.bundle_id == "new"


def test_an_archive_in_a_folder_hands_out_no_work(tmp_path: Path, encoder: WordEncoder) -> None:
    with Archive.create(tmp_path / "folder", encoder.id) as archive, pytest.raises(UserError, match="kindred copy"):
        work(archive, encoder)


def test_nothing_of_a_patient_is_in_the_queue(
    archive: Archive, encoder: WordEncoder, tmp_path: Path, image_folder: Path
) -> None:
    (image_folder / "images" / "0.png").write_bytes(b"no image")
    queue_import(archive, encoder.id, image_folder)
    done = work(archive, encoder, pause=never_paused)
    assert [Path(one.path).name for one in done.rejected] == ["0.png"]
    assert isinstance(archive.work, WorkQueue)
    assert not any("0.png" in result for result in archive.work.results(archive.work.jobs()[0].job_id))
