"""Brings a workspace to the current schema, after a backup of it as it was, and begins the chain of its audit."""

from pathlib import Path

from sqlite_utils import Database

from engine.errors import UserError
from engine.reports.workspace_schema import migrations
from engine.store.backup.backup import UPGRADE
from engine.store.backup.making import Making, make
from engine.store.backup.source import workspace_source
from engine.store.folder.local_database import LocalDatabase
from engine.store.identity import own_key
from engine.store.safety.audit_chain import WORKSPACE, AuditChain

AUDIT_KEY = "audit.key"
"""File with the key of the chain, readable by its owner only; part of every backup."""


def migrate(database: LocalDatabase, folder: Path) -> None:
    """Create or upgrade the tables.

    Raises:
        UserError: a newer version wrote them, or they cannot be backed up before an upgrade; nothing was changed.
    """
    if database.path.exists() and _is_older(database):
        make(workspace_source(folder), making=Making(UPGRADE, always=True))
    with database.write() as db:  # in one transaction, since another process may open it at the same moment
        known = {migration.name for migration in migrations.pending(Database(memory=True))}
        if any(applied.name not in known for applied in migrations.applied(db)):
            raise UserError(f"The reports in {folder} were saved by a newer version of Kindred; update Kindred.")
        migrations.apply(db)
        try:
            key = own_key(folder / AUDIT_KEY)
        except OSError as error:
            raise UserError(f"{folder / AUDIT_KEY} cannot be read or written: {error.strerror}.", folder) from None
    database.begin_chain(AuditChain(key.audit, WORKSPACE))


def _is_older(database: LocalDatabase) -> bool:
    with database.reading() as db:
        return bool(migrations.applied(db)) and bool(migrations.pending(db))
