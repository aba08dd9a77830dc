"""Brings a workspace to the current schema, after a backup of it as it was. Does not know the tables."""

from pathlib import Path

from sqlite_utils import Database

from engine.errors import UserError
from engine.reports.workspace_schema import migrations
from engine.store.backup.backup import UPGRADE
from engine.store.backup.making import Making, make
from engine.store.backup.source import workspace_source
from engine.store.database import LocalDatabase


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


def _is_older(database: LocalDatabase) -> bool:
    with database.reading() as db:
        return bool(migrations.applied(db)) and bool(migrations.pending(db))
