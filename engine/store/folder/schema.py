"""The tables of an archive and their migrations. Does not know what the rows mean to a reader.

Each migration is a named function. sqlite-utils runs it and records it in one transaction, so that none is ever half
applied. Add new migrations at the end; never change or rename one that has been released.
"""

import logging
from contextvars import ContextVar
from pathlib import Path

from sqlite_utils import Database, Migrations

from engine.errors import UserError
from engine.facts.from_header import HeaderValues, facts_of_header
from engine.progress import Progress, ignore
from engine.store.case_facts import add_facts, set_words
from engine.store.safety import checksums
from engine.store.safety.audit_chain import create_tables
from engine.store.safety.connection import damaged

migrations = Migrations("kindred-archive")
_log = logging.getLogger("kindred")
REPORT_EVERY = 100
"""Cases between two reports of progress."""
_progress: ContextVar[Progress] = ContextVar("progress", default=ignore)
"""Of the upgrade that is running: sqlite-utils gives a migration the database alone."""


@migrations()
def create_cases_images_reports_and_embeddings(db: Database) -> None:
    """The first schema; `key` and `patient` are keyed hashes, never identifiers."""
    for statement in (
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        """CREATE TABLE cases (
            id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, patient TEXT,
            modality TEXT NOT NULL, sex TEXT NOT NULL, age INTEGER, body_part TEXT NOT NULL, description TEXT NOT NULL,
            source TEXT NOT NULL, licence TEXT NOT NULL, attribution TEXT NOT NULL, created TEXT NOT NULL)""",
        "CREATE INDEX cases_modality ON cases (modality, sex, age)",
        "CREATE INDEX cases_patient ON cases (patient)",
        """CREATE TABLE images (
            id INTEGER PRIMARY KEY AUTOINCREMENT, case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
            key TEXT NOT NULL, frame INTEGER NOT NULL, window_center REAL, window_width REAL,
            height INTEGER NOT NULL, width INTEGER NOT NULL, png BLOB NOT NULL)""",
        "CREATE INDEX images_case ON images (case_id)",
        """CREATE TABLE reports (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            case_id INTEGER NOT NULL UNIQUE REFERENCES cases (id) ON DELETE CASCADE,
            text TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('imported', 'signed')), created TEXT NOT NULL)""",
        """CREATE TABLE embeddings (
            id INTEGER PRIMARY KEY AUTOINCREMENT, case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
            kind TEXT NOT NULL CHECK (kind IN ('image', 'report')),
            image_id INTEGER REFERENCES images (id) ON DELETE CASCADE,
            report_id INTEGER REFERENCES reports (id) ON DELETE CASCADE,
            bundle_id TEXT NOT NULL, vector BLOB NOT NULL)""",
        "CREATE INDEX embeddings_case ON embeddings (case_id)",
        "CREATE INDEX embeddings_image ON embeddings (image_id)",
        "CREATE INDEX embeddings_report ON embeddings (report_id)",
        """CREATE TABLE imports (
            id INTEGER PRIMARY KEY AUTOINCREMENT, started TEXT NOT NULL, finished TEXT, source TEXT NOT NULL,
            added INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0,
            rejected INTEGER NOT NULL DEFAULT 0)""",
        """CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, action TEXT NOT NULL, case_id INTEGER,
            detail TEXT NOT NULL)""",
        """CREATE VIRTUAL TABLE reports_fts USING fts5 (
            text, tokenize='porter unicode61', content=reports, content_rowid=id)""",
        """CREATE TRIGGER reports_fts_insert AFTER INSERT ON reports BEGIN
            INSERT INTO reports_fts (rowid, text) VALUES (new.id, new.text); END""",
        """CREATE TRIGGER reports_fts_delete AFTER DELETE ON reports BEGIN
            INSERT INTO reports_fts (reports_fts, rowid, text) VALUES ('delete', old.id, old.text); END""",
        """CREATE TRIGGER reports_fts_update AFTER UPDATE OF text ON reports BEGIN
            INSERT INTO reports_fts (reports_fts, rowid, text) VALUES ('delete', old.id, old.text);
            INSERT INTO reports_fts (rowid, text) VALUES (new.id, new.text); END""",
    ):
        db.execute(statement)


@migrations()
def create_new_embeddings(db: Database) -> None:
    """Embeddings of the bundle that the archive is being re-indexed with (new_embeddings.py)."""
    db.execute(
        """CREATE TABLE new_embeddings (
            id INTEGER PRIMARY KEY AUTOINCREMENT, case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
            kind TEXT NOT NULL CHECK (kind IN ('image', 'report')),
            image_id INTEGER REFERENCES images (id) ON DELETE CASCADE,
            report_id INTEGER REFERENCES reports (id) ON DELETE CASCADE,
            bundle_id TEXT NOT NULL, vector BLOB NOT NULL,
            UNIQUE (image_id, bundle_id), UNIQUE (report_id, bundle_id))"""
    )


@migrations()
def create_facts(db: Database) -> None:
    """Facts of the cases: of those already here, from what is stored of their header and from their words."""
    db.execute(
        """CREATE TABLE facts (
            case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE, kind TEXT NOT NULL, value TEXT NOT NULL,
            source TEXT NOT NULL, probability REAL NOT NULL, PRIMARY KEY (case_id, kind)) WITHOUT ROWID"""
    )
    stored = db.execute(
        """SELECT cases.id, modality, body_part, description, source, reports.text FROM cases
        LEFT JOIN reports ON reports.case_id = cases.id"""
    ).fetchall()
    for number, (case_id, modality, body_part, description, source, report) in enumerate(stored):
        if number % REPORT_EVERY == 0:
            _progress.get()(number, len(stored), "Facts of cases")
        header = HeaderValues(modality, body_part, series=description if source == "DICOM" else "")
        add_facts(db, case_id, facts_of_header(header))
        set_words(db, case_id, report or description)


@migrations()
def index_facts_by_value(db: Database) -> None:
    """For a search that looks first at the cases whose facts agree with the query."""
    db.execute("CREATE INDEX facts_value ON facts (kind, value)")


@migrations()
def add_machine_share(db: Database) -> None:
    """How much of a report is unchanged machine wording; of those already here nothing is known, so none."""
    db.execute("ALTER TABLE reports ADD COLUMN machine_share REAL NOT NULL DEFAULT 0")


@migrations()
def create_checksums(db: Database) -> None:
    """Checksums of rows (safety/checksums.py), which go with the rows, and those of the rows that are here already."""
    db.execute(
        """CREATE TABLE checksums (name TEXT NOT NULL, id NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (name, id))
        WITHOUT ROWID"""
    )
    for table in ("cases", "images", "reports", "embeddings"):
        also = "OR (name = 'facts' AND id = old.id)" if table == "cases" else ""
        db.execute(
            f"""CREATE TRIGGER {table}_checksum AFTER DELETE ON {table} BEGIN
                DELETE FROM checksums WHERE (name = '{table}' AND id = old.id) {also}; END"""
        )
    for table in ("cases", "images", "reports", "embeddings", "audit", "facts", "settings"):
        checksums.seal_all(db, table, _progress.get())


@migrations()
def create_merged_keys(db: Database) -> None:
    """Hashed keys of cases and images that were merged into others, which stay recognized (safety/merging.py)."""
    for statement in (
        """CREATE TABLE merged_keys (
            key TEXT PRIMARY KEY, case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE) WITHOUT ROWID""",
        "CREATE INDEX merged_keys_case ON merged_keys (case_id)",
        """CREATE TRIGGER merged_keys_checksum AFTER DELETE ON merged_keys BEGIN
            DELETE FROM checksums WHERE name = 'merged_keys' AND id = old.key; END""",
    ):
        db.execute(statement)


@migrations()
def create_join_keys(db: Database) -> None:
    """What joins a report and a study that are archived one after the other (safety/join_keys.py)."""
    for statement in (
        """CREATE TABLE join_keys (
            case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE, role TEXT NOT NULL, key TEXT NOT NULL,
            PRIMARY KEY (case_id, role, key)) WITHOUT ROWID""",
        "CREATE INDEX join_keys_key ON join_keys (role, key)",
        """CREATE TRIGGER join_keys_checksum AFTER DELETE ON cases BEGIN
            DELETE FROM checksums WHERE name = 'join_keys' AND id = old.id; END""",
    ):
        db.execute(statement)


@migrations()
def create_name_keys(db: Database) -> None:
    """Hashed names of the header of a study, of which a report that comes later is cleaned (safety/name_keys.py)."""
    db.execute(
        """CREATE TABLE name_keys (
            case_id INTEGER PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE, keys BLOB NOT NULL)"""
    )
    db.execute(
        """CREATE TRIGGER name_keys_checksum AFTER DELETE ON cases BEGIN
            DELETE FROM checksums WHERE name = 'name_keys' AND id = old.id; END"""
    )


@migrations()
def create_new_facts(db: Database) -> None:
    """What the models say of cases that the archive is being re-indexed with (new_embeddings.py).

    An earlier version wrote that beside the facts in use, so that an unfinished run has to ask about its images again.
    """
    db.execute("DELETE FROM new_embeddings WHERE kind = 'image'")
    db.execute(
        """CREATE TABLE new_facts (
            case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE, bundle_id TEXT NOT NULL,
            kind TEXT NOT NULL, value TEXT NOT NULL, probability REAL NOT NULL,
            PRIMARY KEY (case_id, bundle_id, kind)) WITHOUT ROWID"""
    )


@migrations()
def add_study_day(db: Database) -> None:
    """When a study was, shifted for each patient (identity.py), to order the studies of one; unknown of those here."""
    db.execute("ALTER TABLE cases ADD COLUMN study_day INTEGER")


@migrations()
def create_text_checked(db: Database) -> None:
    """Images that were checked for burned-in text (safety/text_checks.py); none of those that are here already."""
    db.execute("CREATE TABLE text_checked (image_id INTEGER PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE)")


@migrations()
def create_audit_chain(db: Database) -> None:
    """Hashes that chain the rows of the audit (safety/audit_chain.py); opening chains those that are here already."""
    create_tables(db)


def require_known(db: Database, where: str) -> None:
    """Raise UserError when a newer version of Kindred created the archive, or the list of migrations is damaged."""
    known = set(names())
    try:
        unknown = [applied.name for applied in migrations.applied(db) if applied.name not in known]
    except KeyError as error:  # a column of the list has another name
        raise damaged(Path(where)) from error
    if unknown:
        raise UserError(
            f"The archive {where} was created by a newer version of Kindred (schema {unknown[0]!r}); "
            "update Kindred to open it.",
            where,
        )


def upgrade(db: Database, where: str, progress: Progress = ignore) -> None:
    """Migrate the database to the current schema, in the transaction that the caller has open.

    Raises:
        UserError: a newer version of Kindred created the archive; nothing was changed.
    """
    require_known(db, where)
    if pending(db):
        if migrations.applied(db):
            _log.warning("The archive is being prepared for this version of Kindred. This is done once.")
        token = _progress.set(progress)
        try:
            migrations.apply(db)
        finally:
            _progress.reset(token)


def pending(db: Database) -> list[str]:
    """Names of the migrations that this database still needs."""
    return [migration.name for migration in migrations.pending(db)]


def names() -> list[str]:
    """Names of all migrations, oldest first; the schema version of an archive is how many it has."""
    return [migration.name for migration in migrations.pending(Database(memory=True))]
