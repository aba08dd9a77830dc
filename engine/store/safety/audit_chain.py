"""Chains the rows of an audit, so that one that was changed, deleted, inserted or moved is found. Knows no case.

Each row gets HMAC-SHA256(key, its values and the hash of the row before) in a table beside it, and the head of the
chain how many there are. Who changes the database without the key can make none of these. Cutting off the end is found
by the head; going back to an earlier copy of the whole file by what this account remembers (audit_heads.py). Who has
the key can write a new chain: docs/backups.md says what that means.

Rows are chained in the transaction that writes them (LocalDatabase.write); those that are there when an archive or
workspace gets its chain are its beginning.
"""

import getpass
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.store.safety.audit_heads import Head, remember, remembered
from engine.store.shared_sql import Connection, put

ARCHIVE = ("id", "at", "action", "case_id", "detail")
WORKSPACE = ("id", "at", "study_uid", "state", "who", "text", "document")
SHOWN = 10
"""Problems that are named one by one."""


def create_tables(db: Connection) -> None:
    """The hash of each row with the account that wrote it, and the head. Inside a transaction that is open."""
    db.execute("CREATE TABLE audit_chain (id INTEGER PRIMARY KEY, login TEXT NOT NULL, hash TEXT NOT NULL)")
    db.execute(
        """CREATE TABLE audit_head (
            one INTEGER PRIMARY KEY CHECK (one = 1), rows INTEGER NOT NULL, last INTEGER NOT NULL, hash TEXT NOT NULL,
            seal TEXT NOT NULL)"""
    )


@dataclass(frozen=True, slots=True)
class AuditChain:
    """The chain of one audit."""

    sign: Callable[[str], str]
    """Keyed hash of a text (Identity.audit)."""
    columns: tuple[str, ...]
    """Of the audit; never those that a later migration adds."""
    account: str = ""
    """Who writes rows; "" for the account of this computer."""

    def last(self, db: Connection) -> int:
        """The id of the newest row of the audit, chained or not."""
        return int(db.execute("SELECT coalesce(max(id), 0) FROM audit").fetchone()[0])

    def begin(self, db: Connection) -> None:
        """Chain all rows of an audit that has no chain yet, inside a transaction that the caller has open."""
        if not db.execute("SELECT 1 FROM audit_head").fetchone() and not _entries(db):
            self.extend(db, 0, always=True)

    def extend(self, db: Connection, after: int, always: bool = False) -> None:
        """Chain the rows with a greater id, which the transaction that is open has written.

        They follow the head, not the last row that is there: else a new row would cover up that the end was cut off.
        """
        rows = self._rows(db, after)
        if not rows and not always:
            return
        found = db.execute("SELECT rows, hash FROM audit_head").fetchone()
        last, (count, previous) = 0, found or (0, "")
        who = self.account or login()
        for row in rows:
            last, previous = row["id"], self._hash(row, who, previous)
            db.execute("INSERT INTO audit_chain (id, login, hash) VALUES (?, ?, ?)", [last, who, previous])
        count += len(rows)
        seal = self._seal(count, last, previous)
        put(db, "audit_head", ("one",), one=1, rows=count, last=last, hash=previous, seal=seal)

    def problems(self, db: Connection, known: Head | None = None) -> list[str]:
        """What is not as it was written, one phrase each.

        Args:
            db: the database.
            known: a head that the chain had once (audit_heads.py).
        """
        entries = _entries(db)
        rows = {row["id"]: row for row in self._rows(db, 0)}
        found: list[str] = []
        before, previous = 0, ""
        for row_id, (who, value) in entries.items():
            if row_id not in rows:
                found.append(f"row {row_id} of the audit was deleted")
            elif value != self._hash(rows[row_id], who, previous):
                gone = range(before + 1, row_id)
                found += [f"{_named(gone)} of the audit {_were(len(gone))} deleted"] if gone else []
                if not gone:
                    found.append(f"row {row_id} of the audit was changed, or does not follow the row before it")
            before, previous = row_id, value
        found += [f"row {row_id} of the audit was inserted" for row_id in rows if row_id not in entries]
        return found[:SHOWN] + self._end_problems(db, entries, known)

    def _end_problems(self, db: Connection, entries: dict[int, tuple[str, str]], known: Head | None) -> list[str]:
        head = db.execute("SELECT rows, last, hash, seal FROM audit_head").fetchone()
        found = []
        if head is None:
            found.append("the head of the audit is missing")
        elif head[3] != self._seal(*head[:3]):
            found.append("the head of the audit was changed, or its key is another one")
        elif tuple(head[:2]) != (len(entries), max(entries, default=0)):
            found.append(f"the audit had {head[0]} rows, up to row {head[1]}, and does not have them any more")
        if known is not None and known.last and entries.get(known.last, ("", ""))[1] != known.hash:
            found.append(f"the audit is not that of {known.at}, when it had {known.last} rows; was a copy put back?")
        return found

    def _rows(self, db: Connection, after: int) -> list[dict[str, Any]]:
        question = f"SELECT {', '.join(self.columns)} FROM audit WHERE id > ? ORDER BY id"
        return [dict(zip(self.columns, row, strict=True)) for row in db.execute(question, [after]).fetchall()]

    def _hash(self, row: dict[str, Any], who: str, previous: str) -> str:
        return self.sign(_canonical({**row, "login": who, "previous": previous}))

    def _seal(self, rows: int, last: int, value: str) -> str:
        return self.sign(_canonical({"rows": rows, "last": last, "hash": value}))


def listed(db: Connection, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of an audit with the account that wrote each, oldest first, without the texts of reports."""
    names = [name for name in columns if name not in ("text", "document")]
    question = (
        f"SELECT {', '.join(f'audit.{name}' for name in names)}, login FROM audit LEFT JOIN audit_chain USING (id)"
    )
    rows = db.execute(f"{question} ORDER BY audit.id").fetchall()
    return [dict(zip((*names, "login"), row, strict=True)) for row in rows]


def head_of(db: Connection) -> Head | None:
    """The head of a chain as it is now; None for one without rows."""
    row = db.execute("SELECT last, hash FROM audit_head").fetchone()
    return Head(row[0], row[1]) if row and row[0] else None


def remember_head(db: Connection, where: str) -> None:
    """Remember the head for the next check, unless what is remembered is no part of the chain any more."""
    head, known = head_of(db), remembered(where)
    if head is None or (known is not None and known.last == head.last):
        return
    if known is None or _entries(db).get(known.last, ("", ""))[1] == known.hash:
        remember(where, head)


@cache
def login() -> str:
    """The account of this computer; "" where it has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _entries(db: Connection) -> dict[int, tuple[str, str]]:
    """Account and hash by the id of the row, in order."""
    return {row[0]: (row[1], row[2]) for row in db.execute("SELECT id, login, hash FROM audit_chain ORDER BY id")}


def _canonical(values: dict[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def _named(ids: Sequence[int]) -> str:
    return f"row {ids[0]}" if len(ids) == 1 else f"rows {ids[0]} to {ids[-1]}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
