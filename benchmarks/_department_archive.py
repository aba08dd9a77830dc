"""Copies a folder archive to a server table by table, for measuring; an interrupted copy goes on where it was.

`kindred copy` copies archives, and checks what it has copied; this one is quicker, and leaves the checksums out.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from engine.archive import Archive
from engine.store.address import Address
from engine.store.folder.folder_store import DATABASE
from engine.store.folder.local_database import LocalDatabase
from engine.store.server.connecting import connect
from engine.store.shared_sql import StoredVector

TABLES = {
    "cases": "id, key, patient, modality, sex, age, body_part, description, source, licence, attribution, created",
    "images": "id, case_id, key, frame, window_center, window_width, height, width, png",
    "reports": "id, case_id, text, state, created, machine_share",
    "embeddings": "id, case_id, kind, image_id, report_id, bundle_id, vector",
    "facts": "case_id, kind, value, source, probability",
}
"""In an order in which each row is after those that it refers to."""
AT_ONCE = 20_000
"""Ids in one transaction."""


def copy_rows(folder: Path, address: Address, bundle_id: str) -> None:
    """Make the archive on the server unless it is there, and copy the rows that it lacks."""
    Archive.create(address, bundle_id).close()
    source = LocalDatabase(folder / DATABASE)
    with closing(connect(address)) as target:
        for table, columns in TABLES.items():
            by = columns.split(",")[0]
            last = target.execute(f"SELECT coalesce(max({by}), 0) FROM {table}").fetchone()
            end = source.read(f"SELECT coalesce(max({by}), 0) FROM {table}")[0][0]
            assert last is not None
            for start in range(last[0], end, AT_ONCE):
                sql = f"SELECT {columns} FROM {table} WHERE {by} > ? AND {by} <= ?"
                _put(target, table, columns, source.read(sql, [start, start + AT_ONCE]))
            if by == "id":
                target.execute(f"SELECT setval(pg_get_serial_sequence('kindred.{table}', 'id'), {end})")
        target.execute("VACUUM ANALYZE")
    source.close()


def _put(target: psycopg.Connection[Any], table: str, columns: str, rows: list[Any]) -> None:
    typed = "SELECT attname, atttypid::regtype::text FROM pg_attribute WHERE attrelid = %s::regclass"
    types = dict(target.execute(typed, [table]).fetchall())
    names = [name.strip() for name in columns.split(",")]
    with target.transaction(), target.cursor().copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)") as copy:
        copy.set_types([types[name] for name in names])
        for row in _converted(rows, names):
            copy.write_row(row)


def _converted(rows: list[Any], names: list[str]) -> Iterator[list[Any]]:
    vector = names.index("vector") if "vector" in names else None
    for row in rows:
        values = list(row)
        if vector is not None:
            values[vector] = StoredVector(values[vector])
        yield values
