"""Copies a folder archive to a server table by table, for measuring; an interrupted copy goes on where it was.

`kindred copy` copies archives, and checks what it has copied; this one is quicker, and leaves the checksums out.
"""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from engine.archive import Archive
from engine.store.address import Address
from engine.store.folder.folder_store import DATABASE
from engine.store.folder.local_database import LocalDatabase
from engine.store.server.connecting import connect
from engine.store.server.fact_vectors import FILL
from engine.store.shared_sql import StoredVector
from tools.department_server import DepartmentServer

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
        target.execute("ALTER TABLE facts DISABLE TRIGGER put_fact_vector")  # row by row it takes minutes
        for table, columns in TABLES.items():
            by = columns.split(",")[0]
            last = target.execute(f"SELECT coalesce(max({by}), 0) FROM {table}").fetchone()
            end = source.read(f"SELECT coalesce(max({by}), 0) FROM {table}")[0][0]
            assert last is not None
            for start in range(last[0], end, AT_ONCE):
                sql = f"SELECT {columns} FROM {table} WHERE {by} > ? AND {by} <= ?"
                _put(target, table, columns, source.read(sql, [start, start + AT_ONCE]))
            if by == "id":
                target.execute(f"SELECT setval(pg_get_serial_sequence('kindred.{table}', 'id'), max(id)) FROM {table}")
        target.execute("ALTER TABLE facts ENABLE TRIGGER put_fact_vector")
        target.execute(f"{FILL} ON CONFLICT DO NOTHING")
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


def room(address: Address) -> tuple[int, int]:
    """Bytes of the table of vectors with its plain indexes, and of the indexes of vectors."""
    of_lists = """SELECT coalesce(sum(pg_relation_size(oid)), 0)::bigint FROM pg_class
        WHERE relnamespace = 'kindred'::regnamespace AND relkind = 'i' AND relname LIKE 'nearest%'"""
    with closing(connect(address)) as db:
        whole = db.execute("SELECT pg_total_relation_size('embeddings')").fetchone()
        lists = db.execute(of_lists).fetchone()
    assert whole is not None
    assert lists is not None
    return whole[0] - lists[0], lists[0]


def by_graph(
    address: Address, links: int, width: int, queries: list[NDArray[np.float32]], count: int
) -> tuple[float, list[tuple[NDArray[np.int64], float]]]:
    """Seconds to build an HNSW graph of the images; ids of the `count` nearest of each query by it, and milliseconds.

    Args:
        address: of the archive; the graph is dropped again.
        links: pgvector's `m`.
        width: its `ef_construction`, and four times as many its `ef_search`.
        queries: float32 [D] each.
        count: candidates, which the caller ranks by their vectors.
    """
    length = len(queries[0])
    distance = f"vector::halfvec({length})"
    nearest = f"SELECT id FROM embeddings WHERE kind = 'image' ORDER BY {distance} <#> %s LIMIT {count}"
    answers = []
    with closing(connect(address)) as db:
        start = time.perf_counter()
        db.execute("SET maintenance_work_mem = '3GB'")
        db.execute(
            f"""CREATE INDEX graph ON embeddings USING hnsw (({distance}) halfvec_ip_ops)
            WITH (m = {links}, ef_construction = {width}) WHERE kind = 'image'"""
        )
        built = time.perf_counter() - start
        db.execute(f"SELECT set_config('hnsw.ef_search', '{min(1000, 4 * width)}', false)")
        db.execute("SELECT set_config('hnsw.iterative_scan', 'relaxed_order', false)")
        for query in queries:
            start = time.perf_counter()
            rows = db.execute(nearest, [StoredVector.of(query / np.linalg.norm(query))]).fetchall()
            answers.append((np.array([row[0] for row in rows]), 1000 * (time.perf_counter() - start)))
        db.execute("DROP INDEX graph")
    return built, answers


def server_seconds(server: DepartmentServer) -> float:
    """CPU seconds that a server and its processes, also those that have ended, have used; 0 without /proc."""
    parent = (server.folder / "postmaster.pid").read_text().split()[0]
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has ended
            continue
        if path.parent.name == parent:
            total += sum(map(int, fields[11:15]))
        elif fields[1] == parent:
            total += sum(map(int, fields[11:13]))
    return total / os.sysconf("SC_CLK_TCK")
