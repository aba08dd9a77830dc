"""What a person with rights can do to an archive beside Kindred, on either store."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from engine.archive import Archive
from engine.store.address import Address
from engine.store.folder.folder_store import DATABASE
from engine.store.server.server_database import ServerDatabase
from engine.store.shared_sql import Connection

TABLES = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'kindred' ORDER BY 1"


@contextmanager
def by_hand(place: Path | Address) -> Iterator[Connection]:
    """A connection to the database of an archive that knows no checksum and no chain; it commits at the end."""
    if isinstance(place, Address):
        database = ServerDatabase(place)
        try:
            with database.reading() as server:
                yield server
        finally:
            database.close()
        return
    with closing(sqlite3.connect(place / DATABASE)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        yield db
        db.commit()


def everything_in(archive: Archive) -> bytes:
    """Every byte of the files of an archive; on a server, every value of every table of its schema."""
    if isinstance(archive.place, Path):
        return b"".join(path.read_bytes() for path in archive.place.iterdir())
    found = []
    with by_hand(archive.place) as db:
        for (table,) in db.execute(TABLES).fetchall():
            for row in db.execute(f"SELECT * FROM {table}").fetchall():
                found += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\n".join(found)
