"""After a case is deleted, a search over the bytes of the archive finds nothing of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.case import NewCase
from engine.store.folder.sources import SourceLinks
from engine.store.safety.checksums import WHOLE, seal
from engine.store.safety.removal import REWRITTEN

pytestmark = pytest.mark.folder

Make = Callable[..., NewCase]


def secrets_of(archive: Archive, case_id: int) -> list[bytes]:
    """What identifies the content of a case: words, pixels, vectors and hashes, as they stand in files."""
    read = archive._database.read
    key, patient, description = read("SELECT key, patient, description FROM cases WHERE id = ?", [case_id])[0]
    text = read("SELECT text FROM reports WHERE case_id = ?", [case_id])[0][0]
    found = [key.encode(), patient.encode(), description.encode(), *(word.encode() for word in text.split())]
    for (png,) in read("SELECT png FROM images WHERE case_id = ?", [case_id]):
        found += [png[start : start + 48] for start in range(48, len(png) - 96, 48)]
    for (vector,) in read("SELECT vector FROM embeddings WHERE case_id = ?", [case_id]):
        wide = np.frombuffer(vector, "<f2").astype(np.float32)
        found += [vector[:32], (wide / np.linalg.norm(wide)).astype("<f4").tobytes()[:32]]
    return found


def in_files(archive: Archive, secrets: list[bytes]) -> set[bytes]:
    content = b"".join(path.read_bytes() for path in archive.folder.rglob("*") if path.is_file()).lower()
    return {one for one in secrets if one.lower() in content}


def filled(archive: Archive, make_case: Make) -> None:
    for n, text in enumerate(["Quaxolite near the frobnicator.", "Normal chest.", "Zymurgist effusion at Blorptown."]):
        case = make_case(f"1.{n}", text, seeds=(n + 1,), patient=f"P{n % 2}", description=f"Describron{n}")
        archive.add_case(case)
    archive.index.refresh(save=True)


def test_nothing_of_a_deleted_case_is_left_in_any_file(archive: Archive, encoder, make_case: Make) -> None:
    filled(archive, make_case)
    links = SourceLinks(archive.folder)
    links.remember(1, "/studies/jane-plough.dcm")
    links.close()
    archive.score_scale.current(encoder.score_scale, encoder.id)
    secrets = [*secrets_of(archive, 1), b"jane-plough"]
    shared = {one for one in secrets if one in secrets_of(archive, 3)}  # the hash of the patient
    assert in_files(archive, secrets) >= {b"Quaxolite", b"jane-plough", b"Describron0"}
    archive.delete([1])
    assert in_files(archive, secrets) <= shared | {b"near", b"the"}
    assert archive.problems(deep=True) == []
    assert archive.index.state() == "intact"
    assert [archive.case(one).case_id for one in archive.case_ids()] == [2, 3]
    found = search(archive, encoder, Query(None, "effusion"), SearchOptions())
    assert {hit.case_id for hit in found.hits} == {2, 3}


def test_a_patient_is_deleted_with_every_case(archive: Archive, make_case: Make) -> None:
    filled(archive, make_case)
    secrets = secrets_of(archive, 1) + secrets_of(archive, 3)
    archive.delete(archive.cases_of_same_patient(1))
    assert in_files(archive, secrets) <= {b"near", b"the", b"at"}
    assert archive.case_ids() == [2]


def test_what_was_deleted_before_deletion_was_secure_goes_too(archive: Archive, make_case: Make) -> None:
    filled(archive, make_case)
    with archive._database._connection() as db:
        db.execute("PRAGMA secure_delete = OFF")
    archive.set_report(2, make_case("x", "Wumpusoid mass.").report, "test")  # type: ignore[arg-type]
    archive.set_report(2, make_case("x", "Normal.").report, "test")  # type: ignore[arg-type]
    forget_that_rows_are_overwritten(archive)
    archive.delete([2])
    assert not in_files(archive, [b"Wumpusoid", b"wumpusoid"])


def forget_that_rows_are_overwritten(archive: Archive) -> None:
    with archive._database.write() as db:
        db.execute("DELETE FROM settings WHERE name = ?", [REWRITTEN])
        seal(db, "settings", WHOLE)


def test_a_new_archive_overwrites_deleted_rows_from_the_start(
    archive: Archive, make_case: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(archive, make_case)
    monkeypatch.setattr(archive._database, "rewrite", lambda: pytest.fail("rewritten"))
    archive.delete([1])


def full_disk(*_: object, **__: object) -> None:
    raise UserError("The database cannot be written since the disk is full; free some space, then try again.")


@pytest.mark.parametrize("failing", ["rewrite", "index", "log"])
def test_traces_that_a_full_disk_kept_go_at_the_next_opening(
    archive: Archive, make_case: Make, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(archive, make_case)
    links = SourceLinks(archive.folder)
    links.remember(1, "/studies/jane-plough.dcm")
    links.close()
    forget_that_rows_are_overwritten(archive)
    secrets = [*secrets_of(archive, 1), b"jane-plough"]
    shared = {one for one in secrets if one in secrets_of(archive, 3)}
    with monkeypatch.context() as patch:
        if failing == "rewrite":
            patch.setattr(archive._database, "rewrite", full_disk)
        elif failing == "index":
            patch.setattr(archive.index, "refresh", full_disk)
        else:
            patch.setattr(archive._database, "empty_log", lambda: False)
        with pytest.raises(UserError, match=r"cases were deleted, but files in .* may hold traces .* opened again"):
            archive.delete([1])
        assert archive.case_ids() == [2, 3]
        assert any("may hold traces of deleted cases" in one for one in archive.problems())
    archive.close()
    with Archive.open(archive.place) as again:
        assert in_files(again, secrets) <= shared | {b"near", b"the"}
        assert again.problems(deep=True) == []
        assert again.index.state() == "intact"


def test_the_next_deletion_removes_traces_too(
    archive: Archive, make_case: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(archive, make_case)
    with monkeypatch.context() as patch:
        patch.setattr("engine.store.folder.folder_store.forget_sources", full_disk)
        with pytest.raises(UserError, match="may hold traces"):
            archive.delete([1])
    forgotten: list[int] = []
    monkeypatch.setattr(
        "engine.store.folder.folder_store.forget_sources", lambda _folder, cases: forgotten.extend(cases)
    )
    archive.delete([3])
    assert forgotten == [1, 3]


def test_a_case_that_is_not_there_deletes_nothing(archive: Archive, make_case: Make) -> None:
    filled(archive, make_case)
    with pytest.raises(UserError, match="no case 9"):
        archive.delete([1, 9])
    assert archive.case_ids() == [1, 2, 3]
    archive.delete([])


def test_a_deletion_is_in_the_audit_without_content(archive: Archive, make_case: Make, tmp_path: Path) -> None:
    filled(archive, make_case)
    archive.delete([1])
    rows = archive._database.read("SELECT action, case_id, detail FROM audit")
    assert rows == [("case deleted", 1, "")]
