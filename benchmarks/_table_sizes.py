"""How much room the tables of a database take on the disk, as SQLite counts it."""

import sqlite3
from contextlib import closing
from pathlib import Path


def bytes_of(path: Path, tables: str) -> int:
    """Bytes of the pages of the tables and indexes whose names begin so (https://sqlite.org/dbstat.html)."""
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE ? || '%'", [tables]).fetchone()[0])
