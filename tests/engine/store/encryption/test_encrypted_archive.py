"""An encrypted archive: no word, vector or picture in any file of its folder, and the hits of a plain one."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlite_utils import Database

from engine.archive import Archive
from engine.errors import DamagedError, LockedError, UserError
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.backup.backup import backups_of, check
from engine.store.backup.making import make
from engine.store.backup.restore import restore_archive
from engine.store.backup.salvage import salvage
from engine.store.backup.source import archive_source
from engine.store.encryption import unlocked
from engine.store.encryption.convert import change_passphrase, decrypt, encrypt, plain_copies
from engine.store.encryption.key_file import FILE, WrongPassphraseError
from engine.store.encryption.unlocked import VARIABLE, is_encrypted, look_again, unlock
from engine.store.folder import schema
from engine.store.folder.folder_store import DATABASE
from engine.store.folder.sources import SourceLinks
from engine.store.identity import create_key
from engine.store.safety.connection import connect_read_only
from tests.engine.conftest import picture
from tests.engine.earlier_schemas import apply
from tests.engine.store.encryption.conftest import OTHER, PASSPHRASE, forget_keys
from tests.engine.test_earlier_schemas import fill
from tests.paths import ROOT


def secrets_of(folder: Path) -> dict[str, bytes]:
    """Some bytes of a word, a path, a picture and a vector of a plain archive, as its files hold them."""
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        png = db.execute("SELECT png FROM images").fetchone()[0]
        vector = db.execute("SELECT vector FROM embeddings").fetchone()[0]
    unit = np.frombuffer(vector, "<f2").astype(np.float32)
    unit /= np.linalg.norm(unit)
    return {
        "word": b"Zwiebelschale",
        "stem": b"zwiebelschal",
        "path": b"Quastenflosser",
        "picture": png[-80:-20],
        "vector": vector[:40],
        "vector of the index": unit.tobytes()[:40],
        "table": b"CREATE TABLE",
    }


def found_in(folder: Path, wanted: dict[str, bytes]) -> set[str]:
    """Which of them stand in some file below a folder."""
    content = b"\0".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return {name for name, value in wanted.items() if value in content}


def test_no_word_no_picture_and_no_vector_is_in_any_file_of_the_folder(folder: Path, encoder, make_case) -> None:
    wanted = secrets_of(folder)
    assert found_in(folder, wanted) == wanted.keys()  # the search finds them where they are
    encrypt(archive_source(folder), PASSPHRASE)
    assert found_in(folder, wanted) == set()
    with Archive.open(folder) as archive:
        archive.add_case(make_case("new", "Zwiebelschale once more, with effusion.", [3]), encoder.id)
        archive.index.refresh(save=True)
        archive.score_scale.current(encoder.score_scale, encoder.id)
        with closing(SourceLinks(folder)) as links:
            links.remember(1, "/media/Quastenflosser/new.dcm")
        names = {path.name for path in folder.iterdir()}
        assert {"archive.db-wal", "sources.db", "vectors.index", "score_scale.json"} <= names
        assert found_in(folder, wanted) == set()
    make(archive_source(folder), folder.parent / "backups")
    assert found_in(folder.parent / "backups", wanted) == set()


def test_the_hits_are_those_of_the_plain_archive_with_the_very_same_scores(folder: Path, encoder) -> None:
    asked_for: list[tuple[Query, Any]] = [
        (Query(text="left effusion"), "vector"),
        (Query(picture(3)), "vector"),
        (Query(picture(4), text="Zwiebelschale"), "hybrid"),
        (Query(text="effusion"), "lexical"),
    ]

    def hits() -> list[object]:
        with Archive.open(folder) as archive:
            asked = [search(archive, encoder, query, SearchOptions(k=12, mode=mode)).hits for query, mode in asked_for]
            return [(hit.case_id, hit.kind, hit.score, hit.text) for one in asked for hit in one]

    plain = hits()
    encrypt(archive_source(folder), PASSPHRASE)
    assert hits() == plain
    decrypt(archive_source(folder))
    assert hits() == plain
    assert plain


def test_all_rows_stay_as_they_were_sealed_and_so_does_the_audit(folder: Path) -> None:
    for change in (lambda: encrypt(archive_source(folder), PASSPHRASE), lambda: decrypt(archive_source(folder))):
        change()
        with Archive.open(folder) as archive:
            assert archive.problems(deep=True) == []
            assert archive.audit_problems() == []
            assert archive.stats()["cases"] == 12
            assert archive.source(3) == "/media/Quastenflosser/2.dcm"


def test_without_the_passphrase_it_does_not_open_and_nothing_is_changed(folder: Path) -> None:
    encrypt(archive_source(folder), PASSPHRASE)
    forget_keys()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(LockedError, match="is encrypted; type its passphrase"):
        Archive.open(folder)
    with pytest.raises(WrongPassphraseError):
        unlock(folder, OTHER)
    with pytest.raises(LockedError):
        Archive.open(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    unlock(folder, PASSPHRASE)
    Archive.open(folder).close()


def test_a_file_with_the_passphrase_opens_it(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encrypt(archive_source(folder), PASSPHRASE)
    forget_keys()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "passphrase"))
    with pytest.raises(UserError, match="cannot be read"):
        Archive.open(folder)
    (tmp_path / "passphrase").write_text(f"{OTHER}\n")
    with pytest.raises(UserError, match=r"does not hold the passphrase of .*archive; correct it"):
        Archive.open(folder)
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\r\n")
    Archive.open(folder).close()


def test_another_passphrase_takes_the_place_of_the_first_and_no_database_is_written(folder: Path) -> None:
    encrypt(archive_source(folder), PASSPHRASE)
    before = (folder / DATABASE).read_bytes()
    change_passphrase(folder, OTHER)
    assert (folder / DATABASE).read_bytes() == before
    forget_keys()
    with pytest.raises(WrongPassphraseError):
        unlock(folder, PASSPHRASE)
    unlock(folder, OTHER)
    Archive.open(folder).close()


def test_without_the_key_file_it_is_damaged_and_the_key_file_of_another_does_not_help(
    folder: Path, tmp_path: Path
) -> None:
    encrypt(archive_source(folder), PASSPHRASE)
    key = (folder / FILE).read_bytes()
    (folder / FILE).unlink()
    with pytest.raises(DamagedError, match="restore it from a backup"):
        Archive.open(folder)
    shutil.copytree(folder, tmp_path / "other")
    (folder / FILE).write_bytes(key)
    other = tmp_path / "plain"
    Archive.create(other).close()
    encrypt(archive_source(other), PASSPHRASE)
    shutil.copyfile(other / FILE, tmp_path / "other" / FILE)
    with pytest.raises(DamagedError):
        Archive.open(tmp_path / "other")
    Archive.open(folder).close()


def test_a_backup_is_encrypted_is_checked_and_is_restored(folder: Path, tmp_path: Path) -> None:
    source = archive_source(folder)
    plain = make(source)
    encrypt(source, PASSPHRASE)
    assert plain is not None
    assert plain_copies(source) == [plain.path]
    backup = make(source)
    assert backup is not None
    assert is_encrypted(backup.path / DATABASE)
    check(backup)
    change_passphrase(folder, OTHER)
    with Archive.open(folder) as archive:
        archive.delete([1, 2])
    restore_archive(backup, folder)
    restore_archive(backup, tmp_path / "new")
    for where, passphrase in ((folder, OTHER), (tmp_path / "new", PASSPHRASE)):
        forget_keys()
        unlock(where, passphrase)  # the folder keeps its passphrase; elsewhere it is that of the backup
        with Archive.open(where) as archive:
            assert archive.stats()["cases"] == 12


def test_a_plain_backup_can_be_restored_over_an_encrypted_archive_and_is_plain(folder: Path) -> None:
    backup = make(archive_source(folder))
    assert backup is not None
    encrypt(archive_source(folder), PASSPHRASE)
    restore_archive(backup, folder)
    forget_keys()
    with Archive.open(folder) as archive:
        assert archive.stats()["cases"] == 12


def test_an_archive_of_an_earlier_version_is_upgraded_after_an_encrypted_backup(tmp_path: Path) -> None:
    folder = tmp_path / "early"
    folder.mkdir()
    create_key(folder)
    with closing(Database(folder / DATABASE)) as db:
        apply(db, "archive", 5)
        fill(db)
    encrypt(archive_source(folder), PASSPHRASE)
    with Archive.open(folder) as archive:
        assert archive.stats()["schema"] == len(schema.names())
        assert archive.problems(deep=True) == []
    backup = backups_of(archive_source(folder))[-1]
    assert backup.reason == "before-upgrade"
    assert is_encrypted(backup.path / DATABASE)


def test_of_a_damaged_one_all_but_the_damaged_page_is_salvaged_and_encrypted(folder: Path, tmp_path: Path) -> None:
    wanted = secrets_of(folder)
    encrypt(archive_source(folder), PASSPHRASE)
    content = bytearray((folder / DATABASE).read_bytes())
    with closing(connect_read_only(folder / DATABASE)) as db:
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'reports'").fetchone()[0]
    content[8192 * page - 100] ^= 1
    (folder / DATABASE).write_bytes(content)
    saved, found = salvage(folder, tmp_path / "salvaged")
    assert (found.cases, found.lost > 0) == (12, True)
    assert found_in(saved, wanted) == set()
    with Archive.open(saved) as archive:
        assert len(archive.case_ids()) == 12


def test_a_plain_archive_loads_no_library_of_ciphers(folder: Path) -> None:
    code = (
        "import sys; from engine.archive import Archive; archive = Archive.open(sys.argv[1]); archive.stats(); "
        "assert not {'sqlcipher3', 'cryptography', 'keyring'} & set(sys.modules), 'a library was imported'"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, cwd=ROOT)


def test_an_archive_in_use_is_neither_encrypted_nor_decrypted(folder: Path) -> None:
    for change, encrypted in (
        (lambda: encrypt(archive_source(folder), PASSPHRASE), False),
        (lambda: decrypt(archive_source(folder)), True),
    ):
        with Archive.open(folder) as archive:
            archive.stats()
            with pytest.raises(UserError, match="locked by another program; close that program"):
                change()
            assert archive.stats()["cases"] == 12
            assert is_encrypted(folder / DATABASE) == encrypted
            assert (folder / FILE).exists() == encrypted
        change()


def test_an_encryption_that_fails_on_the_way_leaves_the_plain_archive_and_no_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(path: Path) -> None:
        raise OSError(28, "No space left on device")

    before = {path.name for path in folder.iterdir()}
    monkeypatch.setattr("engine.store.encryption.convert.flush", full_disk)
    with pytest.raises(UserError, match="No space left on device"):
        encrypt(archive_source(folder), PASSPHRASE)
    assert {path.name for path in folder.iterdir()} == before
    with Archive.open(folder) as archive:
        assert archive.problems(deep=True) == []


def test_a_file_that_is_still_there_is_never_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be open, and closing it would drop the locks that SQLite has on it in this process."""
    encrypt(archive_source(folder), PASSPHRASE)
    shutil.copytree(folder, folder.with_name("other"))
    assert is_encrypted(folder / DATABASE)
    assert is_encrypted(folder.with_name("other") / DATABASE)
    shutil.rmtree(folder.with_name("other"))
    look_again()
    monkeypatch.setattr(unlocked, "_start", lambda path: pytest.fail(f"{path} was read again"))
    assert is_encrypted(folder / DATABASE)
    assert {path.parent for path, _ in unlocked._forms.values()} == {folder}


def test_what_is_asked_twice_is_said(folder: Path) -> None:
    with pytest.raises(UserError, match="is not encrypted"):
        decrypt(archive_source(folder))
    with pytest.raises(UserError, match="at least 10 characters"):
        encrypt(archive_source(folder), "short")
    assert not (folder / FILE).exists()
    encrypt(archive_source(folder), PASSPHRASE)
    with pytest.raises(UserError, match="is encrypted already"):
        encrypt(archive_source(folder), PASSPHRASE)
