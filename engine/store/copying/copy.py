"""Copies all rows of one store into another one, and checks that both are equal. Creates no store.

A copy is of one moment: it reads a snapshot of the source, which others may go on to change. Until it ends, the target
has a setting that says so, and does not open as an archive, not even to be searched: half the studies of a patient
would look like all of them. A copy that was stopped or killed goes on with what is missing or differs by then.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from engine.errors import Cancelled, UserError
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.copying import pages
from engine.store.copying.tables import SEQUENCED, TABLES, Table
from engine.store.database import Database
from engine.store.safety.audit_chain import ARCHIVE, AuditChain
from engine.store.safety.audit_heads import forget
from engine.store.safety.checksums import WHOLE, KnowsLayout, broken_seals, seal
from engine.store.safety.removal import REPLACED, REWRITTEN, UNFINISHED
from engine.store.shared_sql import Connection, now, put
from engine.store.store import Store

COPYING = "unfinished copy"
"""Setting of a target until the copy has ended."""
OF_STORE = (COPYING, REWRITTEN, REPLACED, UNFINISHED)
"""Settings that say something of the files of one store."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did."""

    cases: int
    images: int
    reports: int
    embeddings: int
    copied: int
    """Rows, or groups of rows of a case, that were missing or differed."""
    deleted: int
    """Rows of an earlier attempt that the source no longer has."""

    def as_dict(self) -> dict[str, int]:
        """For JSON."""
        return asdict(self)


def require_finished(database: Database) -> None:
    """Raise UserError for the target of a copy that has not ended."""
    if database.read("SELECT 1 FROM settings WHERE name = ?", [COPYING]):
        raise UserError(
            f"{database.where} is an unfinished copy of an archive; run the same `kindred copy` again to complete it.",
            database.where,
        )


def begin(source: Store, target: Store) -> None:
    """Mark the target as unfinished.

    Raises:
        UserError: it is not empty and not an unfinished copy of the same archive.
    """
    where = target.database.where
    if target.identity.check != source.identity.check:
        raise UserError(f"{where} is another archive; copy to a new folder or an empty database.", where)
    if target.database.read("SELECT 1 FROM settings WHERE name = ?", [COPYING]):
        return
    if any(target.database.read(f"SELECT 1 FROM {name} LIMIT 1") for name in ("cases", "imports", "audit")):
        raise UserError(f"{where} is this archive, or a complete copy of it; copy to a new place.", where)
    with target.database.write(flushed=True) as db:
        put(db, "settings", ("name",), name=COPYING, value=now())
        seal(db, "settings", WHOLE)


def copy_rows(source: Store, target: Store, progress: Progress = ignore, cancelled: IsCancelled = never) -> Copied:
    """Make the target, which `begin` has marked, equal to the source, and then take the mark away.

    Args:
        source: an open archive.
        target: a store with the key of the source.
        progress: called with (rows compared, rows in all, what).
        cancelled: asked before each page.

    Raises:
        UserError: one of the two cannot be reached, or the copy is not equal in the end, and stays unfinished.
        Cancelled: the next run goes on.
    """
    with source.database.snapshot() as db:
        job = _Copy(db, target, progress, cancelled)
        job.delete_superfluous()
        job.copy_missing()
        found = job.problems()
        if found:
            raise UserError(
                f"The copy {target.database.where} is not complete: {'; '.join(found)}. Check the archive with "
                f"`kindred doctor --archive {source.database.where} --deep`, then copy it to a new place.",
                target.database.where,
            )
        job.finish()
    forget(target.database.account_name)  # what another archive in this place remembered
    return job.result()


class _Copy:
    def __init__(self, source: Connection, target: Store, progress: Progress, cancelled: IsCancelled) -> None:
        self._source, self._store, self._target = source, target, target.database
        self._progress, self._cancelled = progress, cancelled
        self._done = self._copied = self._deleted = 0
        self._total = sum(_count(source, table.numbers[0]) for table in TABLES)

    def delete_superfluous(self) -> None:
        """Delete what an earlier attempt has copied and the source no longer has: it would be in the way."""
        for table in reversed([one for one in TABLES if not one.is_grouped]):
            for numbers in self._pages(self._target, table):
                gone = pages.superfluous(self._source, table, numbers)
                if gone:
                    with self._target.write() as db:
                        self._require_unfinished(db)
                        pages.delete(db, table, gone)
                    self._deleted += len(gone)

    def copy_missing(self) -> None:
        """Copy what is missing or differs, each page in one transaction."""
        for table in TABLES:
            for numbers in self._pages(self._source, table):
                with self._target.reading() as db:
                    changed = pages.different(self._source, db, table, numbers)
                if changed:
                    with self._target.write() as db:
                        self._require_unfinished(db)
                        pages.copy(self._source, db, table, changed)
                    self._copied += len(changed)
                self._done += len(numbers)
                self._progress(self._done, self._total, "Copying")

    def problems(self) -> list[str]:
        """How the target differs from the source or from its own checksums, one phrase each."""
        self._progress(0, 0, "Checking the copy")
        with self._target.reading() as db:
            names = (*(table.name for table in TABLES), "checksums")
            counts = {name: (_count(self._source, name), _count(db, name)) for name in names}
            found = [f"{name} has {its:,} rows, not {own:,}" for name, (own, its) in counts.items() if own != its]
            found += broken_seals(db)
            found += AuditChain(self._store.identity.audit, ARCHIVE).problems(db)
        return found + self._store.problems(deep=False)

    def finish(self) -> None:
        """Copy the settings, let ids go on where the source is, and take the mark away: in one transaction."""
        settings = self._source.execute("SELECT name, value FROM settings").fetchall()
        with self._target.write(flushed=True) as db:
            self._require_unfinished(db)
            for name, value in settings:
                if name not in OF_STORE:
                    put(db, "settings", ("name",), name=name, value=value)
            db.execute("DELETE FROM settings WHERE name = ?", [COPYING])
            seal(db, "settings", WHOLE)
            for table in SEQUENCED:
                _set_highest(db, table, _highest(self._source, table))

    def result(self) -> Copied:
        """What was done."""
        names = ("cases", "images", "reports", "embeddings")
        counts = {name: self._target.read(f"SELECT count(*) FROM {name}")[0][0] for name in names}
        return Copied(**counts, copied=self._copied, deleted=self._deleted)

    def _pages(self, db: Connection | Database, table: Table) -> Iterator[list[int]]:
        after = -1
        while True:
            if self._cancelled():
                raise Cancelled
            if isinstance(db, Database):
                with db.reading() as connection:
                    numbers = pages.next_numbers(connection, table, after)
            else:
                numbers = pages.next_numbers(db, table, after)
            if not numbers:
                return
            yield numbers
            after = numbers[-1]

    def _require_unfinished(self, db: Connection) -> None:
        """Raise UserError when another process has completed the copy, so that it may be in use."""
        if not db.execute("SELECT 1 FROM settings WHERE name = ?", [COPYING]).fetchone():
            raise UserError(f"Another program has completed the copy {self._target.where}.", self._target.where)


def _count(db: Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _highest(db: Connection, table: str) -> int:
    """The highest id that was ever used."""
    found: Any
    if isinstance(db, KnowsLayout):
        last, used = db.execute(f"SELECT last_value, is_called FROM {table}_id_seq").fetchone()
        found = last if used else 0
    else:
        row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [table]).fetchone()
        found = row[0] if row else 0
    return int(found)


def _set_highest(db: Connection, table: str, number: int) -> None:
    if isinstance(db, KnowsLayout):
        db.execute(f"SELECT setval('{table}_id_seq', ?::bigint, ?)", [max(number, 1), number > 0]).fetchone()
        return
    db.execute("DELETE FROM sqlite_sequence WHERE name = ?", [table])
    db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table, number])
