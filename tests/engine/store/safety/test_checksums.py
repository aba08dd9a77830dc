"""Every damaged byte in a row that matters is found, and nothing that is damaged is shown or searched."""

import random
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.archive import Archive
from engine.cli.main import main
from engine.errors import UserError
from engine.importing.reindex import reindex
from engine.retrieval.search import Query, search
from engine.store.address import Address
from engine.store.case import NewCase, NewReport
from engine.store.folder.folder_store import DATABASE
from tests.engine.stores import by_hand

Make = Callable[..., NewCase]
ROWS = {
    "cases": ("key", "patient", "modality", "sex", "age", "body_part", "description", "source", "created"),
    "images": ("case_id", "key", "frame", "window_center", "window_width", "height", "width", "png"),
    "reports": ("text", "state", "created", "machine_share"),
    "embeddings": ("kind", "image_id", "report_id", "bundle_id", "vector"),
    "facts": ("kind", "value", "source", "probability"),
    "settings": ("name", "value"),
    "audit": ("at", "action", "detail"),
}


@pytest.fixture
def filled(archive: Archive, make_case: Make, encoder) -> Archive:
    for n in range(3):
        archive.add_case(
            make_case(str(n), f"CT of the chest {n}.", [n, n + 9], modality="CT", age=40, patient="p"), encoder.id
        )
    archive.set_report(1, NewReport("Left effusion.", np.ones(48), "signed", machine_share=0.5), "signed")
    reindex(archive, type(encoder)(48, "newer"))
    archive.close()
    return archive


def changed(value: object, dice: random.Random) -> object:
    """The value with one bit of one byte changed, or its type."""
    if isinstance(value, str | bytes) and value:
        data = bytearray(value.encode() if isinstance(value, str) else value)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(7)
        return bytes(data) if isinstance(value, bytes) else data.decode()
    if isinstance(value, float):
        (bits,) = struct.unpack("<q", struct.pack("<d", value))
        return struct.unpack("<d", struct.pack("<q", bits ^ 1))[0]
    return value ^ 1 if isinstance(value, int) else b"" if value == "" else ""


@pytest.mark.folder
@pytest.mark.parametrize("table", ROWS)
def test_every_changed_value_is_found(filled: Archive, table: str) -> None:
    with Archive.open(filled.place) as intact:
        assert intact.problems(deep=True) == []
    path, dice = filled.folder / DATABASE, random.Random(5)
    before, unseen = path.read_bytes(), []
    where = f"rowid = (SELECT min(rowid) FROM {table})"
    if table == "facts":
        where = "(case_id, kind) = (SELECT case_id, kind FROM facts LIMIT 1)"
    for column in ROWS[table]:
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA ignore_check_constraints = ON")
            ((value,),) = db.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchall()
            db.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", [changed(value, dice)])
        db.close()
        try:
            with Archive.open(filled.place) as opened:
                if opened.problems(deep=True) == []:
                    unseen.append(column)
        except UserError:
            pass
        path.write_bytes(before)
    assert unseen == []


@pytest.mark.folder
def test_every_flipped_byte_of_the_file_that_changes_a_row_is_found(filled: Archive) -> None:
    path, dice = filled.folder / DATABASE, random.Random(7)
    before = path.read_bytes()
    content, unseen = dumped(path), []
    for _ in range(60):
        data = bytearray(before)
        offset = dice.randrange(len(data))
        data[offset] ^= dice.randrange(1, 256)
        path.write_bytes(data)
        try:
            with Archive.open(filled.place) as opened:
                seen = opened.problems(deep=True) != []
        except UserError:
            seen = True
        for name in ("archive.db-wal", "archive.db-shm"):
            (filled.folder / name).unlink(missing_ok=True)
        if not seen and (path.write_bytes(data), dumped(path))[1] != content:
            unseen.append(offset)
    assert unseen == []


def dumped(path: Path) -> list[object]:
    """Everything in the rows that matter, as the file alone has it."""
    db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    db.text_factory = bytes
    try:
        return [row for table in ROWS for row in db.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    finally:
        db.close()


def test_a_lost_row_is_found(filled: Archive) -> None:
    with by_hand(filled.place) as db:
        on_server = isinstance(filled.place, Address)
        db.execute("ALTER TABLE images DISABLE TRIGGER USER" if on_server else "DROP TRIGGER images_checksum")
        db.execute("DELETE FROM embeddings WHERE image_id = 2")
        db.execute("DELETE FROM images WHERE id = 2")
        db.execute("ALTER TABLE images ENABLE TRIGGER USER" if on_server else TRIGGER)
    with Archive.open(filled.place) as opened:
        assert "rows of images are missing: 2" in opened.problems(deep=True)


TRIGGER = """CREATE TRIGGER images_checksum AFTER DELETE ON images BEGIN
    DELETE FROM checksums WHERE (name = 'images' AND id = old.id) ; END"""


def test_a_damaged_picture_is_not_shown(filled: Archive) -> None:
    with by_hand(filled.place) as db:
        db.execute("UPDATE images SET png = (SELECT png FROM images WHERE id = 2) WHERE id = 1")
    with Archive.open(filled.place) as opened:
        with pytest.raises(UserError, match="Image 1 of the archive is damaged"):
            opened.image(1)
        assert opened.image(2).shape == (40, 32)


@pytest.mark.folder  # pgvector takes no such value
@pytest.mark.parametrize("vector", [b"\xff" * 96, b"", b"abc", "text", b"ab" * 47])
def test_a_damaged_vector_is_not_searched(filled: Archive, encoder, vector: object) -> None:
    with sqlite3.connect(filled.folder / DATABASE) as db:
        db.execute("UPDATE embeddings SET vector = ? WHERE id % 2", [vector])
    db.close()
    filled.index.path.unlink(missing_ok=True)
    with Archive.open(filled.place) as opened, pytest.raises(UserError, match="are damaged; restore"):
        search(opened, type(encoder)(48, "newer"), Query(text="effusion"))


def test_doctor_checks_checksums_when_it_is_asked_to(filled: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    with by_hand(filled.place) as db:
        db.execute("UPDATE cases SET modality = 'MR' WHERE id = 2")
    main(["doctor", "--archive", str(filled.place)])
    assert "The database is intact." in capsys.readouterr().out
    assert main(["doctor", "--archive", str(filled.place), "--deep"]) == 2
    assert "rows of cases are not as they were written: 2" in capsys.readouterr().out
