"""Tables whose bytes were changed are told as damage. Each kind was found by 20,000 damaged databases."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.store.case import NewCase
from engine.store.folder.folder_store import DATABASE
from engine.store.folder.vectors.vector_index import VectorIndex

pytestmark = pytest.mark.folder


def damage(archive: Archive, *statements: str) -> Path:
    archive.close()
    with sqlite3.connect(archive.folder / DATABASE) as db:
        db.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            db.execute(statement)
    db.close()
    return archive.folder


def test_a_column_of_another_name_is_a_problem_and_not_a_bug(
    archive: Archive, make_case: Callable[..., NewCase]
) -> None:
    archive.add_case(make_case("1", "Small effusion."))
    renamed = "UPDATE sqlite_master SET sql = 'CREATE TABLE sqlite_sequence(name,sex)' WHERE name = 'sqlite_sequence'"
    with Archive.open(damage(archive, renamed)) as again:
        assert any("its tables are not those of an archive" in one for one in again.problems(deep=True))


def test_a_list_of_migrations_that_cannot_be_read_is_damage(archive: Archive) -> None:
    folder = damage(archive, "ALTER TABLE _sqlite_migrations RENAME COLUMN name TO nose")
    with pytest.raises(UserError, match="damaged"):
        Archive.open(folder)


def test_a_row_that_is_counted_and_cannot_be_found_is_damage_and_not_waited_for(
    archive: Archive, make_case: Callable[..., NewCase]
) -> None:
    case_id = archive.add_case(make_case("1", "Small effusion."))

    def read(sql: str, *parameters: Any) -> list[Any]:
        lost = sql.startswith("SELECT id, vector FROM embeddings WHERE id IN")
        return [] if lost else archive._database.read(sql, *parameters)

    index = VectorIndex(archive.folder, read)
    with pytest.raises(UserError, match="damaged"):
        index.of_cases([case_id], "report")
    with pytest.raises(UserError, match="damaged"):
        index.nearest(np.ones(48, np.float32), "report", 5)
