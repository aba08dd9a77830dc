"""Adds to the audit of a restored database that it was restored, and of when it is. Restores nothing.

The row is written into the copy that takes the place of the database, so that no kill parts the two.
"""

from pathlib import Path

from engine.store.backup.backup import Backup
from engine.store.folder.local_database import LocalDatabase
from engine.store.identity import KEY_BYTES, Identity
from engine.store.safety.audit_chain import ARCHIVE, WORKSPACE, AuditChain
from engine.store.safety.checksums import seal
from engine.store.shared_sql import insert, now

RESTORED = "restored"


def note_restored(backup: Backup, path: Path) -> None:
    """Add the row to a copy of the database of a backup.

    That of an earlier version gets it without a hash, since the chain begins with the upgrade. Without its key, none
    that would be believed can be added, so none is.

    Raises:
        UserError: the copy cannot be written.
    """
    database = LocalDatabase(path)
    try:
        with database.reading() as db:
            tables = set(db.table_names())
        if "audit_head" in tables:
            key = _key(backup)
            if key is None:
                return
            database.chain = AuditChain(key.audit, ARCHIVE if backup.kind == "archive" else WORKSPACE)
        of = f"as of {backup.made.isoformat(timespec='seconds')}"
        with database.write(flushed=True) as db:
            if backup.kind == "workspace":
                insert(db, "audit", at=now(), study_uid="", state=RESTORED, who="", text=of)
                return
            row = insert(db, "audit", at=now(), action=RESTORED, detail=of)
            if "checksums" in tables:
                seal(db, "audit", row)
    finally:
        database.close()


def _key(backup: Backup) -> Identity | None:
    names = [name for name in backup.files if name.endswith(".key")]
    key = (backup.path / names[0]).read_bytes() if names else b""
    return Identity(key) if len(key) == KEY_BYTES else None
