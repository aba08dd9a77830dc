"""The tables of a workspace and their migrations. Does not know what the rows mean to a reader.

Add new migrations at the end; never change or rename one that has been released.
"""

import json

from sqlite_utils import Database, Migrations

from engine.reports.document import Document, Proposal
from engine.reports.draft import Sentence
from engine.store.safety.audit_chain import create_tables
from engine.text.sentences import sentences

migrations = Migrations("kindred-workspace")


@migrations()
def create_reports_and_audit(db: Database) -> None:
    """The first schema."""
    db.execute(
        """CREATE TABLE reports (
            study_uid TEXT PRIMARY KEY, text TEXT NOT NULL, model TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('drafted', 'edited', 'signed')),
            created TEXT NOT NULL, changed TEXT NOT NULL, signed_by TEXT NOT NULL DEFAULT '')"""
    )
    db.execute(
        """CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, study_uid TEXT NOT NULL, state TEXT NOT NULL,
            who TEXT NOT NULL, text TEXT NOT NULL)"""
    )
    db.execute("CREATE INDEX audit_study ON audit (study_uid)")


@migrations()
def create_outbox(db: Database) -> None:
    """Signed reports that wait for an archive; image and facts are deleted once they are archived."""
    db.execute(
        """CREATE TABLE outbox (
            study_uid TEXT PRIMARY KEY REFERENCES reports (study_uid), facts TEXT NOT NULL, png BLOB,
            archive TEXT NOT NULL DEFAULT '', case_id INTEGER)"""
    )


@migrations()
def create_marks(db: Database) -> None:
    """Key images and measurements of a study."""
    db.execute(
        """CREATE TABLE marks (
            study_uid TEXT NOT NULL, kind TEXT NOT NULL, marks TEXT NOT NULL, changed TEXT NOT NULL,
            PRIMARY KEY (study_uid, kind))"""
    )


@migrations()
def add_documents_and_addenda(db: Database) -> None:
    """Marks beside the text (document.py), and what is added to signed reports.

    The text of a report that was drafted before stays as it is; the sentences of its draft that it still contains are
    marked as machine wording.
    """
    db.execute("ALTER TABLE reports ADD COLUMN document TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE audit ADD COLUMN document TEXT NOT NULL DEFAULT ''")
    db.execute(
        """CREATE TABLE addenda (
            id INTEGER PRIMARY KEY AUTOINCREMENT, study_uid TEXT NOT NULL REFERENCES reports (study_uid),
            text TEXT NOT NULL, changed TEXT NOT NULL, signed_by TEXT NOT NULL DEFAULT '',
            signed TEXT NOT NULL DEFAULT '')"""
    )
    db.execute("CREATE UNIQUE INDEX addenda_unsigned ON addenda (study_uid) WHERE signed = ''")
    drafted = db.execute(
        """SELECT reports.study_uid, reports.state, reports.text, reports.model, audit.text FROM reports
        JOIN audit ON audit.study_uid = reports.study_uid
        WHERE audit.id IN (SELECT max(id) FROM audit WHERE state = 'drafted' GROUP BY study_uid)"""
    ).fetchall()
    for study_uid, state, text, model, draft in drafted:
        proposals = tuple(Proposal(Sentence(one, None), model=model) for one in sentences(draft))
        document = Document(proposals=proposals).edited(text)
        if state == "drafted" and text == draft:  # nobody has touched it, so nobody may have read it
            document = Document(proposals=proposals, open=tuple(range(len(proposals))))
        db.execute(
            "UPDATE reports SET text = ?, document = ? WHERE study_uid = ?",
            [document.text, json.dumps(document.as_dict()), study_uid],
        )


@migrations()
def create_patients(db: Database) -> None:
    """Whose a Study Instance UID was, as hashes, and whether it was another patient's too (workspace_patients.py)."""
    db.execute(
        """CREATE TABLE patients (
            study_uid TEXT PRIMARY KEY, patient TEXT NOT NULL, images TEXT NOT NULL,
            shared INTEGER NOT NULL DEFAULT 0)"""
    )


@migrations()
def create_audit_chain(db: Database) -> None:
    """Hashes that chain the rows of the audit (engine/store/safety/audit_chain.py)."""
    create_tables(db)
