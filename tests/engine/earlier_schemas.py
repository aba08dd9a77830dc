"""The tables of every released schema, as the versions that released them made them (tests/data/earlier_schemas.json).

`python -m tests.engine.earlier_schemas` adds the current ones. Those of before this file were written by the code of
the commits that released them.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database, Migrations

from engine.reports.workspace_schema import migrations as workspace
from engine.store.folder.schema import migrations as archive
from tests.paths import ROOT

FILE = ROOT / "tests" / "data" / "earlier_schemas.json"
MIGRATIONS: dict[str, Migrations] = {"archive": archive, "workspace": workspace}
NOT_OURS = ("_sqlite_migrations", "reports_fts_")
"""In names of tables and indexes that sqlite-utils and FTS5 make for themselves."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One released schema."""

    of: str
    """"archive" or "workspace"."""
    migrations: list[str]
    """In the order in which they were applied."""
    statements: list[str]
    """The SQL of every table, index and trigger, with single spaces."""


def schemas() -> list[Schema]:
    """All that are in the file, oldest first."""
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    statements = content["statements"]
    return [
        Schema(of, one["migrations"], [statements[at] for at in one["statements"]])
        for of in MIGRATIONS
        for one in content[of]
    ]


def apply(db: Database, of: str, count: int) -> None:
    """Apply the first migrations to an empty database."""
    names = [one.name for one in MIGRATIONS[of].pending(Database(memory=True))]
    MIGRATIONS[of].apply(db, stop_before=names[count] if count < len(names) else None)


def made(db: Database, of: str) -> Schema:
    """What a database has."""
    objects = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
    own = [
        " ".join(sql.split())
        for kind, name, sql in objects
        if name != "sqlite_sequence" and (kind == "trigger" or not any(word in name for word in NOT_OURS))
    ]
    return Schema(of, [one.name for one in MIGRATIONS[of].applied(db)], own)


def write(found: list[Schema]) -> None:
    """Write the file; a statement that several have stands there once."""
    statements = list(dict.fromkeys(one for schema in found for one in schema.statements))
    where = {statement: at for at, statement in enumerate(statements)}
    content: dict[str, Any] = {"statements": statements}
    for of in MIGRATIONS:
        content[of] = [
            {"migrations": one.migrations, "statements": [where[statement] for statement in one.statements]}
            for one in found
            if one.of == of
        ]
    FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Add the current schemas."""
    found = schemas()
    for of, migrations in MIGRATIONS.items():
        db = Database(memory=True)
        migrations.apply(db)
        current = made(db, of)
        found += [] if current in found else [current]
    write(found)


if __name__ == "__main__":
    main()
