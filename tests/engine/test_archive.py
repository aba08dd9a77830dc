"""The archive stores each case once, as a whole, and without identifiers."""

import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.store.case import NewCase, NewImage, NewReport
from engine.store.folder.folder_store import DATABASE
from engine.store.identity import KEY_FILE
from tests.engine.stores import everything_in

Make = Callable[..., NewCase]


def test_a_case_comes_back_as_it_was_stored(archive: Archive, make_case: Make) -> None:
    case_id = archive.add_case(make_case("1.2.3", "Normal chest.", seeds=[1, 2], modality="CR", sex="F", age=44))
    case = archive.case(case_id)
    assert (case.modality, case.sex, case.age) == ("CR", "F", 44)
    assert case.report is not None
    assert (case.report.text, case.report.state) == ("Normal chest.", "imported")
    assert [image.frame for image in case.images] == [0, 0]


def test_pictures_are_stored_without_loss(archive: Archive, make_case: Make, make_picture: Callable) -> None:
    case = archive.case(archive.add_case(make_case("1", seeds=[5])))
    assert np.array_equal(archive.image(case.images[0].image_id), make_picture(5))


def test_large_pictures_shrink_to_512_and_keep_their_aspect(archive: Archive) -> None:
    gray = np.full((1024, 600), 77, np.uint8)
    case = archive.case(archive.add_case(NewCase("1", images=(NewImage(gray, np.ones(48) / 48**0.5),))))
    stored = archive.image(case.images[0].image_id)
    assert stored.shape == (512, 300)
    assert (case.images[0].height, case.images[0].width) == (512, 300)
    assert set(np.unique(stored)) == {77}


def test_a_case_sent_again_is_stored_once(archive: Archive, make_case: Make) -> None:
    first = archive.add_case(make_case("1.2.3", "Normal chest.", seeds=[1]))
    assert archive.add_case(make_case("1.2.3", "Another text.", seeds=[1])) == first
    stats = archive.stats()
    assert (stats["cases"], stats["images"], stats["reports"], stats["embeddings"]) == (1, 1, 1, 2)


def test_a_known_case_is_completed(archive: Archive, make_case: Make) -> None:
    case_id = archive.add_case(make_case("1.2.3", seeds=[1]))
    archive.add_case(make_case("1.2.3", "Normal chest.", seeds=[1, 2]))
    case = archive.case(case_id)
    assert len(case.images) == 2
    assert case.report is not None


def test_a_case_is_stored_whole_or_not_at_all(
    archive: Archive, make_case: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("engine.archive.insert_report", broken)
    with pytest.raises(RuntimeError, match="power cut"):
        archive.add_case(make_case("1.2.3", "Normal chest.", seeds=[1]))
    assert archive.stats()["cases"] == archive.stats()["images"] == archive.stats()["embeddings"] == 0


def test_no_file_contains_an_identifier(archive: Archive, make_case: Make) -> None:
    archive.add_case(make_case("1.2.840.99999.7", "Normal chest.", seeds=[1], patient="SECRET-ID-77"))
    archive.index.refresh(save=True)
    content = everything_in(archive)
    assert b"1.2.840.99999.7" not in content
    assert b"SECRET-ID-77" not in content


def test_hashes_of_two_archives_differ(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "a") as one, Archive.create(tmp_path / "b") as other:
        assert one.identity.patient("77") == one.identity.patient(" 77 ")
        assert one.identity.patient("77") != other.identity.patient("77")
        assert one.identity.patient("77") != one.identity.case("77")
        assert one.identity.patient("") is None


@pytest.mark.folder
def test_only_the_owner_can_read_the_archive(archive: Archive) -> None:
    assert stat.S_IMODE(archive.folder.stat().st_mode) == 0o700
    for name in (DATABASE, KEY_FILE):
        assert stat.S_IMODE((archive.folder / name).stat().st_mode) == 0o600


def test_ages_over_ninety_are_stored_as_ninety(archive: Archive, make_case: Make) -> None:
    assert archive.case(archive.add_case(make_case("1", "x", age=97))).age == 90


def test_a_signed_report_replaces_the_earlier_one_and_leaves_an_audit_row(archive: Archive, make_case: Make) -> None:
    case_id = archive.add_case(make_case("1", "Old words."))
    archive.set_report(case_id, NewReport("New words.", np.ones(48), "signed"), "signed in a test")
    report = archive.case(case_id).report
    assert report is not None
    assert (report.text, report.state) == ("New words.", "signed")
    assert archive.stats()["embeddings"] == 1
    audit = archive._database.read("SELECT action, case_id, detail FROM audit")
    assert audit == [("report set", case_id, "signed in a test")]


def test_vectors_of_two_models_are_never_mixed(archive: Archive) -> None:
    with pytest.raises(UserError, match="indexed with another model"):
        archive.bind("another-bundle")


def test_threads_read_while_one_writes(archive: Archive, make_case: Make) -> None:
    failures: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for number in range(first, first + 10):
                archive.case(archive.add_case(make_case(str(number), f"Report {number}.")))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(10 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert archive.stats()["reports"] == 40


def test_case_ids_are_returned_in_pages(archive: Archive, make_case: Make) -> None:
    ids = [archive.add_case(make_case(str(number), "x")) for number in range(5)]
    assert archive.case_ids(limit=3) == ids[:3]
    assert archive.case_ids(limit=3, after=ids[2]) == ids[3:]


@pytest.mark.folder
def test_an_archive_of_a_newer_version_is_refused_and_not_changed(archive: Archive) -> None:
    with archive._database.write() as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kindred-archive', 'future', 'x')"
        )
    archive.close()
    before = (archive.folder / DATABASE).read_bytes()
    with pytest.raises(UserError, match="newer version of Kindred"):
        Archive.open(archive.place)
    assert (archive.folder / DATABASE).read_bytes() == before


def test_a_failed_migration_leaves_neither_change_nor_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlite_utils import Database, Migrations

    from engine.store.folder import schema

    migrations = Migrations("kindred-archive")

    @migrations()
    def half_done(db: Database) -> None:
        db.execute("CREATE TABLE half (x)")
        raise RuntimeError("power cut")

    monkeypatch.setattr(schema, "migrations", migrations)
    db = Database(sqlite3.connect(tmp_path / "x.db"))
    with pytest.raises(RuntimeError, match="power cut"):
        schema.upgrade(db, "here")
    assert "half" not in db.table_names()
    assert schema.pending(db) == ["half_done"]
    db.close()


@pytest.mark.folder
def test_a_damaged_database_is_reported_in_one_sentence(archive: Archive, make_case: Make) -> None:
    archive.add_case(make_case("1", "x"))
    archive.close()
    (archive.folder / DATABASE).write_bytes(b"this is not a database, but it is long enough to be read as one" * 20)
    with pytest.raises(UserError, match=r"damaged; restore it from a backup\.$"):
        Archive.open(archive.place)


@pytest.mark.folder
def test_an_archive_without_its_key_is_restored_from_a_backup(archive: Archive) -> None:
    archive.close()
    (archive.folder / KEY_FILE).unlink()
    with pytest.raises(UserError, match=r"has no identity\.key"):
        Archive.open(archive.place)


def test_opening_a_folder_without_an_archive_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a Kindred archive; choose another folder or create an archive"):
        Archive.open(tmp_path)


def test_an_archive_is_never_created_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UserError, match="not an empty folder"):
        Archive.create(tmp_path)


def test_an_interrupted_creation_can_be_repeated(tmp_path: Path) -> None:
    (tmp_path / (KEY_FILE + ".new")).write_bytes(b"half a ke")
    with Archive.create(tmp_path) as archive:
        assert archive.stats()["cases"] == 0
