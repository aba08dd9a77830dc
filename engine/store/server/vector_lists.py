"""The indexes that a server keeps of vectors: one for each kind, of lists around centroids (pgvector's IVFFlat).

A search reads the lists nearest to its query. On vectors that lie in clusters, as those of many pictures of one kind
do, a search of an HNSW graph stays in one cluster and misses the neighbors in others (docs/department-scale.md).

An index holds the vectors of one bundle: when the archive is re-indexed with another, no vector of other length or
meaning comes into it. Only the owner of the tables can make one; without, vectors are compared one by one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, sqrt

from psycopg import sql

from engine.store.address import Address
from engine.store.case import Kind
from engine.store.nearest_index import IndexState
from engine.store.score_scale import KINDS
from engine.store.server.connecting import connect, reachable
from engine.store.server.server_database import ServerConnection

FROM = 5_000
"""Fewer vectors of a kind are compared one by one."""
MOST_LISTS = 4_000
"""The time to train them grows with the square of their number: 1,400 take about a minute of one core."""
PER_LIST = 50
"""Vectors that pgvector trains a centroid on."""
WAIT = "10min"
"""For transactions that began before an index was made."""
# The name of an index has a digest of the bundle, whose id may be any text.
DIGEST = "left(md5(?), 12)"
READY = f"""SELECT bound.value, list.reloptions
    FROM (SELECT (SELECT value FROM settings WHERE name = 'bundle_id') AS value) AS bound
    LEFT JOIN (pg_class AS list JOIN pg_index ON pg_index.indexrelid = list.oid AND pg_index.indisvalid)
    ON list.relnamespace = 'kindred'::regnamespace AND list.relname = ? || {DIGEST.replace("?", "bound.value")}"""
OWNED = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'kindred.embeddings'::regclass"
COUNTED = "SELECT count(*) FROM embeddings WHERE kind = ?"
LENGTH = "SELECT vector_dims(vector) FROM embeddings WHERE kind = ? LIMIT 1"
NAMED = """SELECT relname FROM pg_class WHERE relnamespace = 'kindred'::regnamespace AND relkind = 'i'
    AND starts_with(relname::text, ?)"""


@dataclass(frozen=True, slots=True)
class Ready:
    """What a search finds."""

    bundle_id: str | None
    """The bundle that the archive is bound to."""
    lists: int | None
    """How many lists the index of its vectors has; None without an index."""

    def is_outgrown(self, count: int) -> bool:
        """Whether there are four times as many vectors as so many lists are made for."""
        return self.lists is not None and self.lists < MOST_LISTS and count > self.lists**2


def lists_for(count: int) -> int:
    """How many lists an index of so many vectors gets."""
    return min(MOST_LISTS, round(2 * sqrt(count)))


def ready(db: ServerConnection, kind: Kind) -> Ready:
    """The index of the vectors of one kind."""
    bundle_id, options = db.execute(READY, [_prefix(kind)]).fetchone()
    return Ready(bundle_id, None if options is None else int(dict(one.split("=") for one in options)["lists"]))


def state(db: ServerConnection) -> IndexState:
    """Missing, behind (made for far fewer vectors), or intact, also where there are too few vectors for an index."""
    found: set[IndexState] = {"intact"}
    for kind in KINDS:
        count = db.execute(COUNTED, [kind]).fetchone()[0]
        index = ready(db, kind)
        if count >= FROM and (index.lists is None or index.is_outgrown(count)):
            found.add("missing" if index.lists is None else "behind")
    return "missing" if "missing" in found else "behind" if "behind" in found else "intact"


def refresh(address: Address, anew: bool = False) -> None:
    """Make each index that is missing or outgrown, or all with `anew`, while searches and imports go on.

    Does nothing where this account does not own the tables, or while another desk makes them.

    Raises:
        UserError: the server cannot be reached, or others have kept a transaction open for long.
    """
    with reachable(address), _connected(address) as db:
        if not db.execute(OWNED).fetchone()[0]:
            return
        if not db.execute("SELECT pg_try_advisory_lock(hashtext('kindred lists'))").fetchone()[0]:
            return
        made = [_refreshed(db, kind, anew) for kind in KINDS]
        if any(made):
            db.execute("ANALYZE embeddings, cases, facts")


def _refreshed(db: ServerConnection, kind: Kind, anew: bool) -> bool:
    """Whether the index of a kind was made."""
    count = db.execute(COUNTED, [kind]).fetchone()[0]
    index = ready(db, kind)
    if index.bundle_id is None or count < FROM:
        return False
    if index.lists is not None and not anew and not index.is_outgrown(count):
        return False
    for part in ("new_", "old_"):  # of a process that was killed
        _drop(db, part + _prefix(kind))
    _make(db, kind, index.bundle_id, count)
    return True


def _make(db: ServerConnection, kind: Kind, bundle_id: str, count: int) -> None:
    lists, length = lists_for(count), db.execute(LENGTH, [kind]).fetchone()[0]
    trained = min(count, PER_LIST * lists)
    memory = trained * (4 * lists + 2 * length) + 4 * lists * (lists + length)  # pgvector's k-means, Elkan's bounds
    db.execute("SELECT set_config('maintenance_work_mem', ?, false)", [f"{65_536 + ceil(1.3 * memory / 1024)}kB"])
    name = db.execute(f"SELECT ? || {DIGEST}", [_prefix(kind), bundle_id]).fetchone()[0]
    made = sql.SQL(
        "CREATE INDEX CONCURRENTLY {name} ON embeddings USING ivfflat ((vector::halfvec({length})) halfvec_ip_ops) "
        "WITH (lists = {lists}) WHERE kind = {kind} AND bundle_id = {bundle_id}"
    )
    values = {"length": length, "lists": lists, "kind": kind, "bundle_id": bundle_id}
    literals = {key: sql.Literal(value) for key, value in values.items()}
    db.connection.execute(made.format(name=sql.Identifier(f"new_{name}"), **literals))
    with db.connection.transaction():  # no search is without an index
        for (old,) in db.execute(NAMED, [_prefix(kind)]).fetchall():
            db.execute(f"ALTER INDEX {old} RENAME TO old_{old}")
        db.execute(f"ALTER INDEX new_{name} RENAME TO {name}")
    _drop(db, f"old_{_prefix(kind)}")


def _drop(db: ServerConnection, beginning: str) -> None:
    for (name,) in db.execute(NAMED, [beginning]).fetchall():
        db.execute(f"DROP INDEX CONCURRENTLY {name}")


def _prefix(kind: Kind) -> str:
    return f"nearest_{kind}_"


@contextmanager
def _connected(address: Address) -> Iterator[ServerConnection]:
    """A connection of its own, whose settings and locks end with it."""
    connection = connect(address)
    try:
        connection.execute(f"SET lock_timeout = '{WAIT}'")
        yield ServerConnection(connection)
    finally:
        connection.close()
