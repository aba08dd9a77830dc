"""Changes by hand in SQL to an audit and to what it is about, for `benchmarks.audit`.

Each takes a connection and dice, and changes something for certain.
"""

import hashlib
import json
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.store.identity import Identity
from engine.store.safety.audit_chain import ARCHIVE, WORKSPACE, AuditChain

Change = Callable[[sqlite3.Connection, random.Random], None]
MEMORY = "audit-heads.json"
"""What the account remembers of the audits that it opened, in its folder."""


@dataclass(frozen=True)
class Kind:
    """One kind of change."""

    name: str
    archive: Change | None = None
    workspace: Change | None = None
    whole_file: bool = False
    """Whether the database is replaced by its earlier copy in place of a change in SQL."""
    forgotten: bool = False
    """Whether what the account remembers is removed too."""


def _ids(db: sqlite3.Connection) -> list[int]:
    return [row[0] for row in db.execute("SELECT id FROM audit ORDER BY id")]


def _columns(db: sqlite3.Connection) -> tuple[str, ...]:
    names = {row[1] for row in db.execute("PRAGMA table_info(audit)")}
    return tuple(name for name in (ARCHIVE if "action" in names else WORKSPACE) if name != "id")


def change_field(db: sqlite3.Connection, dice: random.Random) -> None:
    """Another value in one column of one row."""
    row, column = dice.choice(_ids(db)), dice.choice(_columns(db))
    value = dice.randrange(10_000, 99_999)
    db.execute(f"UPDATE audit SET {column} = ? WHERE id = ?", [value if column == "case_id" else f"x{value}", row])


def change_account(db: sqlite3.Connection, dice: random.Random) -> None:
    """Another account in the table of hashes."""
    db.execute("UPDATE audit_chain SET login = 'someone' WHERE id = ?", [dice.choice(_ids(db))])


def delete_row(db: sqlite3.Connection, dice: random.Random) -> None:
    """A row without its hash."""
    db.execute("DELETE FROM audit WHERE id = ?", [dice.choice(_ids(db))])


def delete_with_hash(db: sqlite3.Connection, dice: random.Random) -> None:
    """A row with its hash, not the last one."""
    row = dice.choice(_ids(db)[:-1])
    for table in ("audit", "audit_chain"):
        db.execute(f"DELETE FROM {table} WHERE id = ?", [row])


def cut_off(db: sqlite3.Connection, dice: random.Random) -> None:
    """The last rows with their hashes."""
    ids = _ids(db)
    for table in ("audit", "audit_chain"):
        db.execute(f"DELETE FROM {table} WHERE id > ?", [ids[-1 - dice.randrange(1, len(ids) - 1)]])


def cut_off_with_head(db: sqlite3.Connection, dice: random.Random) -> None:
    """The last rows with their hashes, and the head made to match, without its seal."""
    cut_off(db, dice)
    db.execute(
        "UPDATE audit_head SET rows = (SELECT count(*) FROM audit_chain), last = (SELECT max(id) FROM audit_chain), "
        "hash = (SELECT hash FROM audit_chain ORDER BY id DESC LIMIT 1)"
    )


def insert_row(db: sqlite3.Connection, dice: random.Random) -> None:
    """A copy of a row at the end."""
    names = ", ".join(_columns(db))
    db.execute(f"INSERT INTO audit ({names}) SELECT {names} FROM audit WHERE id = ?", [dice.choice(_ids(db))])


def insert_with_hash(db: sqlite3.Connection, dice: random.Random) -> None:
    """A copy of a row at the end with a copy of the last hash."""
    insert_row(db, dice)
    db.execute(
        "INSERT INTO audit_chain SELECT (SELECT max(id) FROM audit), login, hash "
        "FROM audit_chain ORDER BY id DESC LIMIT 1"
    )


def swap_rows(db: sqlite3.Connection, dice: random.Random) -> None:
    """Two rows trade places."""
    one, other = dice.sample(_ids(db), 2)
    for old, new in ((one, -1), (other, one), (-1, other)):
        db.execute("UPDATE audit SET id = ? WHERE id = ?", [new, old])


def swap_with_hash(db: sqlite3.Connection, dice: random.Random) -> None:
    """Two rows trade places, with their hashes."""
    one, other = dice.sample(_ids(db), 2)
    for table in ("audit", "audit_chain"):
        for old, new in ((one, -1), (other, one), (-1, other)):
            db.execute(f"UPDATE {table} SET id = ? WHERE id = ?", [new, old])


def plain_hashes(db: sqlite3.Connection, dice: random.Random) -> None:
    """A row changed, and SHA-256 without the key in place of all hashes."""
    change_field(db, dice)
    previous = ""
    for row in db.execute(f"SELECT id, {', '.join(_columns(db))} FROM audit ORDER BY id").fetchall():
        previous = hashlib.sha256(json.dumps([*row, previous]).encode()).hexdigest()
        db.execute("UPDATE audit_chain SET hash = ? WHERE id = ?", [previous, row[0]])


def begin_anew(db: sqlite3.Connection, dice: random.Random) -> None:
    """A row changed, and hashes and head emptied, so that the next opening makes them anew."""
    change_field(db, dice)
    db.execute("DELETE FROM audit_chain")
    db.execute("DELETE FROM audit_head")


def with_key(db: sqlite3.Connection, dice: random.Random) -> None:
    """A row changed, and all hashes and the head made anew with the key beside the database."""
    begin_anew(db, dice)
    file = Path(db.execute("PRAGMA database_list").fetchone()[2])
    archive = file.name == "archive.db"
    key = Identity((file.parent / ("identity.key" if archive else "audit.key")).read_bytes())
    AuditChain(key.audit, ARCHIVE if archive else WORKSPACE).begin(db)


def left_out(db: sqlite3.Connection, dice: random.Random) -> None:
    """A case deleted in SQL, without a row in the audit."""
    db.execute("DELETE FROM cases WHERE id = (SELECT max(id) FROM cases)")


def unsaved_edit(db: sqlite3.Connection, dice: random.Random) -> None:
    """The text of a report that is not signed."""
    db.execute("UPDATE reports SET text = text || ' No.' WHERE state = 'edited'")


def _signed(sql: str) -> Change:
    def change(db: sqlite3.Connection, dice: random.Random) -> None:
        uids = [row[0] for row in db.execute("SELECT study_uid FROM reports WHERE state = 'signed'")]
        db.execute(f"UPDATE reports SET {sql} WHERE study_uid = ?", [dice.choice(uids)])

    return change


def report_text(db: sqlite3.Connection, dice: random.Random) -> None:
    """The text of a report of an archive."""
    db.execute("UPDATE reports SET text = text || ' No.' WHERE id = (SELECT max(id) FROM reports)")


def signature_and_audit(db: sqlite3.Connection, dice: random.Random) -> None:
    """Name and text of a signature, in the report and in the audit alike."""
    uid = dice.choice([row[0] for row in db.execute("SELECT study_uid FROM reports WHERE state = 'signed'")])
    db.execute("UPDATE reports SET text = 'Effusion.', signed_by = 'Someone' WHERE study_uid = ?", [uid])
    db.execute("UPDATE audit SET text = 'Effusion.', who = 'Someone' WHERE study_uid = ? AND state = 'signed'", [uid])


def _both(name: str, change: Change, **more: bool) -> Kind:
    return Kind(name, change, change, **more)


def nothing(db: sqlite3.Connection, dice: random.Random) -> None:
    """No change in SQL."""


KINDS = (
    _both("a field of a row changed", change_field),
    _both("the account of a row changed", change_account),
    _both("a row deleted", delete_row),
    _both("a row deleted with its hash", delete_with_hash),
    _both("the last rows deleted with their hashes", cut_off),
    _both("the same, and the head made to match", cut_off_with_head),
    _both("a row inserted", insert_row),
    _both("a row inserted with a copied hash", insert_with_hash),
    _both("two rows swapped", swap_rows),
    _both("two rows swapped with their hashes", swap_with_hash),
    _both("a row changed, all hashes made anew without the key", plain_hashes),
    _both("a row changed, chain and head emptied to begin anew", begin_anew),
    _both("the database replaced by an earlier copy", nothing, whole_file=True),
    _both("an earlier copy put back, and what the account remembers removed", nothing, whole_file=True, forgotten=True),
    _both("a row changed, the chain made anew with the key", with_key),
    _both("the chain made anew with the key, and what the account remembers removed", with_key, forgotten=True),
    Kind("text of a signed report changed", workspace=_signed("text = text || ' No.'")),
    Kind("name of a signature changed", workspace=_signed("signed_by = 'Someone'")),
    Kind("a signed report made one that is not signed", workspace=_signed("state = 'edited'")),
    Kind("text and signature changed in report and audit alike", workspace=signature_and_audit),
    Kind("text of a report that is not signed changed", workspace=unsaved_edit),
    Kind("text of an archived report changed", archive=report_text),
    Kind("a case deleted without a row in the audit", archive=left_out),
)
