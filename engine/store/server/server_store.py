"""An archive on a PostgreSQL server, which the desks of a department share. Knows no case and no model.

The key of the archive is in a table that its roles may read, as it lies beside the database of a folder: who has the
whole database, or its backup, can test whether an identifier he guesses is in it.
"""

import secrets
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Self

from engine.errors import UserError
from engine.store.address import Address
from engine.store.identity import KEY_BYTES, Identity
from engine.store.safety.checksums import WHOLE, broken_seals, seal
from engine.store.safety.opening import CHECK
from engine.store.safety.removal import REPLACED, delete_cases
from engine.store.safety.salvaged import Salvaged
from engine.store.server import server_schema
from engine.store.server.server_database import ServerConnection, ServerDatabase
from engine.store.server.server_index import ServerIndex
from engine.store.server.server_rights import grant_rights, grant_tables
from engine.store.server.server_scale import ServerScale
from engine.store.server.server_text import ServerText
from engine.store.server.work_queue import WorkQueue
from engine.store.shared_sql import put
from engine.text.words import counted

MISSING = "SELECT (SELECT count(*) FROM images) + (SELECT count(*) FROM reports) - (SELECT count(*) FROM embeddings)"
SIZE = """SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
    WHERE relnamespace = 'kindred'::regnamespace AND relkind = 'r'"""
OLDEST = 17
"""The version of PostgreSQL that has what the tables and the rights need."""
TABLES = ("reports", "images", "embeddings", "facts", "checksums")
"""That hold something of a case."""


class ServerStore:
    """An open archive on a server."""

    def __init__(self, address: Address) -> None:
        """Use `create` or `open`."""
        self.place, self.name = address, address.database
        self.database = ServerDatabase(address)
        try:
            self.identity = self._opened()
        except BaseException:
            self.database.close()
            raise
        self.index = ServerIndex(self.database)
        self.score_scale = ServerScale(self.database, self.index)
        self.full_text = ServerText(self.database)
        self.work = WorkQueue(self.database)

    def _opened(self) -> Identity:
        """Compare the tables with this version, and return the key."""
        where = self.database.where
        with self.database.reading() as db:
            _require_suitable(db, where)
            present = server_schema.applied(db)
            unknown = [name for name in present if name not in server_schema.MIGRATIONS]
            if not present:
                raise UserError(f"There is no archive at {where}; an administrator creates it by an import.")
            if unknown:
                raise UserError(f"The archive {where} was made by a newer version of Kindred; update Kindred.")
            if len(present) < len(server_schema.MIGRATIONS):
                with self.database.unlimited():
                    _upgrade(db, where)
            allowed = "SELECT has_table_privilege('cases', 'INSERT') AND NOT pg_is_in_recovery()"
            self.database.read_only = not db.execute(allowed).fetchone()[0]
            keys = db.execute("SELECT key, value FROM identity, settings WHERE name = ?", [CHECK]).fetchall()
        key = Identity(bytes(keys[0][0])) if keys else None
        if key is None or key.check != keys[0][1]:  # with another key no case would be recognized
            raise self.database.damaged()
        return key

    @classmethod
    def create(cls, address: Address, key: bytes | None = None) -> Self:
        """Create an empty archive in a database; one that is there, made a moment ago perhaps, is opened.

        Args:
            address: where.
            key: that of the archive that it is to become a copy of; None for a new one.

        Raises:
            UserError: the server cannot be reached, has no pgvector, or the account may not create it.
        """
        if not cls.exists(address):
            database = ServerDatabase(address)
            try:
                with database.unlimited() as db, db.connection.transaction():
                    _create(db, database.where, key or secrets.token_bytes(KEY_BYTES))
            finally:
                database.close()
        return cls(address)

    @classmethod
    def open(cls, address: Address) -> Self:
        """Open an existing archive. Raises UserError as `Archive.open`."""
        return cls(address)

    @staticmethod
    def exists(address: Address) -> bool:
        """Whether there is an archive. Raises UserError when the server cannot be reached."""
        database = ServerDatabase(address)
        try:
            with database.reading() as db:
                return bool(server_schema.applied(db))
        finally:
            database.close()

    @property
    def folder(self) -> Path:
        """There is none."""
        raise UserError(
            f"This is done with an archive in a folder only; for {self.database.where} see the guide, Department."
        )

    @property
    def schema(self) -> int:
        """How many migrations its tables have had."""
        return len(server_schema.MIGRATIONS)

    @property
    def salvaged(self) -> Salvaged | None:
        """Nothing: what is left of a damaged database is for its administrator."""
        return None

    def finish_opening(self) -> None:
        """Nothing is left of an interrupted change: PostgreSQL undoes it."""

    def is_alone(self) -> bool:
        """Never known of a server."""
        return False

    def source(self, case_id: int) -> str | None:
        """None: paths of a desk, which often contain names, are not kept for others."""
        return None

    def keep_one_source(self, kept: int, others: Collection[int]) -> None:
        """No path is kept."""

    def delete(self, case_ids: Sequence[int]) -> None:
        """Delete cases, and free the room of their rows, which the server uses again."""
        delete_cases(self.database, case_ids, lambda db: db.execute("DELETE FROM derived"))
        try:
            with self.database.unlimited() as db:
                db.execute(f"VACUUM {', '.join(TABLES)}")
        except UserError as error:
            raise UserError(
                f"The cases were deleted, but the server of {self.database.where} may keep traces of them until its "
                f"next VACUUM. {error}"
            ) from error

    def forget_words(self) -> None:
        """The words of a replaced report go with its row; only the note of it is removed."""
        if self.database.read("SELECT 1 FROM settings WHERE name = ?", [REPLACED]):
            with self.database.write() as db:
                db.execute("DELETE FROM settings WHERE name = ?", [REPLACED])
                seal(db, "settings", WHOLE)

    def forget_replaced(self) -> None:
        """Free the room of rows that were replaced, if this account may."""
        with self.database.unlimited() as db:
            if db.execute("SELECT has_table_privilege('images', 'MAINTAIN')").fetchone()[0]:
                db.execute("VACUUM images, embeddings")

    def rebuild(self) -> None:
        """Make everything that is derived from the tables anew."""
        with self.database.write() as db:
            db.execute("DELETE FROM derived")
        self.index.refresh(save=True, anew=True)

    def problems(self, deep: bool) -> list[str]:
        """Embeddings that are missing and, with `deep`, rows that differ from their checksums."""
        found = []
        with self.database.snapshot() as db:  # a case that another desk adds meanwhile is no problem
            missing = db.execute(MISSING).fetchone()[0]
            if missing:
                found.append(f"{counted(missing, 'embedding')} {'is' if missing == 1 else 'are'} missing")
            if deep:
                found += broken_seals(db)
        return found

    def bytes_used(self) -> int:
        """Bytes of all tables with their indexes."""
        return int(self.database.read(SIZE)[0][0])

    def close(self) -> None:
        """Close it; no thread may be using it."""
        self.database.close()


def _require_suitable(db: ServerConnection, where: str) -> None:
    """Raise UserError for a server or a database that cannot keep an archive."""
    info = db.connection.info
    if info.server_version < OLDEST * 10_000:
        raise UserError(
            f"The server of {where} is PostgreSQL {info.server_version // 10_000}; Kindred needs {OLDEST} or newer."
        )
    if info.parameter_status("server_encoding") != "UTF8":
        raise UserError(
            f"The database {info.dbname} does not have the encoding UTF8, so that it cannot keep every report; ask "
            "its administrator for one that has."
        )


def _create(db: ServerConnection, where: str, secret: bytes) -> None:
    _require_suitable(db, where)
    db.execute("SELECT pg_advisory_xact_lock(hashtext('kindred'))")  # of two that create it, one does
    if server_schema.applied(db):
        return
    if not db.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'").fetchone():
        raise UserError("The server has no pgvector; ask its administrator to install the extension `vector`.")
    if db.execute("SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace('kindred')").fetchone():
        raise UserError(f"The database {where} has a schema `kindred` that is none of Kindred's; choose another one.")
    server_schema.upgrade(db)
    grant_rights(db)
    db.execute("INSERT INTO identity (one, key) VALUES (1, ?)", [secret])
    put(db, "settings", ("name",), name=CHECK, value=Identity(secret).check)
    seal(db, "settings", WHOLE)


def _upgrade(db: ServerConnection, where: str) -> None:
    owns = "SELECT pg_has_role(tableowner, 'USAGE') FROM pg_tables WHERE schemaname = 'kindred' AND tablename = 'cases'"
    if not db.execute(owns).fetchone()[0]:
        raise UserError(
            f"The archive {where} was made by an older version of Kindred; its administrator opens it once with this "
            "version, which prepares it."
        )
    with db.connection.transaction():
        db.execute("SELECT pg_advisory_xact_lock(hashtext('kindred'))")
        server_schema.upgrade(db)
        grant_tables(db)
