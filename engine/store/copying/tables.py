"""Which tables a copy has, in an order in which no row comes before one that it refers to. Copies nothing."""

from dataclasses import dataclass
from functools import cache

from sqlite_utils import Database as SqliteDatabase

from engine.store.folder import schema
from engine.store.safety.checksums import KEYS, KnowsLayout
from engine.store.shared_sql import Connection

SEQUENCED = ("cases", "images", "reports", "embeddings", "imports", "audit")
"""Tables whose ids are never used twice."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table, and what its rows are compared by."""

    name: str
    key: str = "id"
    """The column of whole numbers by which it is copied page by page."""
    of: tuple[str, str] = ("", "")
    """Table and column with those numbers, where several rows have one, or none."""
    page: int = 1000
    """Numbers in a page."""

    @property
    def numbers(self) -> tuple[str, str]:
        """Table and column that are read page by page."""
        return self.of if self.of[0] else (self.name, self.key)

    @property
    def seal_key(self) -> str:
        """The column that a checksum is kept under; "" for a table without checksums."""
        return KEYS.get(self.name, "")

    @property
    def is_grouped(self) -> bool:
        """Whether its rows are replaced together; else row by row, so that those that refer to one stay."""
        return self.of != ("", "")


OF_CASE, OF_IMAGE = ("cases", "id"), ("images", "id")
TABLES = (
    Table("cases"),
    Table("images", page=100),
    Table("reports"),
    Table("embeddings"),
    Table("facts", "case_id", OF_CASE),
    Table("merged_keys", "case_id", OF_CASE),
    Table("join_keys", "case_id", OF_CASE),
    Table("name_keys", "case_id", OF_CASE),
    Table("text_checked", "image_id", OF_IMAGE),
    Table("imports"),
    Table("audit"),
    Table("audit_chain"),
    Table("audit_head", "one"),
)
"""All but the settings, which come last, and a re-indexing that has not ended, which can be repeated."""


@cache
def _in_file(name: str) -> tuple[str, ...]:
    db = SqliteDatabase(memory=True)
    try:
        schema.migrations.apply(db)
        return tuple(column.name for column in db.table(name).columns)
    finally:
        db.close()


def columns_of(table: Table, source: Connection, target: Connection) -> tuple[str, ...]:
    """The columns that both stores have."""
    both_servers = isinstance(source, KnowsLayout) and isinstance(target, KnowsLayout)
    who = ("login",) if table.name == "reports" and both_servers else ()  # whose report it is
    return (*_in_file(table.name), *who)
