"""The reports of the studies at hand, each bound to its study. Knows no archive, no models and no screen.

Unlike the archive this local store may name a study (StudyInstanceUID), so it is the owner's alone and never shared. A
report goes drafted -> edited -> signed, and every change is one audit row in the same transaction. A signed report is
final, and a draft made for one study is refused for any other.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import platformdirs
from sqlite_utils import Database, Migrations

from engine.database import LocalDatabase, LocalStore, insert, now
from engine.errors import UserError
from engine.report import Draft

State = Literal["drafted", "edited", "signed"]
DATABASE = "workspace.db"
HOME = "KINDRED_HOME"
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


@dataclass(frozen=True, slots=True)
class StoredReport:
    """The report of one study. `model` names what drafted it, "" when a person began it; times are UTC, ISO 8601."""

    study_uid: str
    text: str
    model: str
    state: State
    created: str
    changed: str
    signed_by: str = ""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change: when, to which state, by whom, and the text as it then stood."""

    at: str
    state: State
    who: str
    text: str


def user_folder() -> Path:
    """Where this user's own data lies: $KINDRED_HOME, else the platform's data folder."""
    return Path(os.environ.get(HOME) or platformdirs.user_data_path("kindred", appauthor=False))


class Workspace(LocalStore):
    """The open store; threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Use `open`."""
        self.folder = folder
        self._database = LocalDatabase(folder / DATABASE)
        with self._database.exclusive() as db:
            known = {migration.name for migration in migrations.pending(Database(memory=True))}
            if any(applied.name not in known for applied in migrations.applied(db)):
                raise UserError(f"The reports in {folder} were written by a newer version of Kindred; update Kindred.")
            migrations.apply(db)

    @classmethod
    def open(cls, folder: Path | str | None = None) -> Self:
        """Open the store, making it when it is missing.

        Raises:
            UserError: the folder cannot be written, or a newer version wrote it.
        """
        place = Path(folder) if folder is not None else user_folder()
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"Reports cannot be kept in {place}: {error.strerror}.") from None
        return cls(place)

    def load(self, study_uid: str) -> StoredReport | None:
        """The report of a study, if it has one."""
        rows = self._database.read(
            "SELECT study_uid, text, model, state, created, changed, signed_by FROM reports WHERE study_uid = ?",
            [study_uid],
        )
        return StoredReport(*rows[0]) if rows else None

    def save_draft(self, study_uid: str, draft: Draft, who: str = "") -> StoredReport:
        """Store a draft; it replaces an unsigned report.

        Raises:
            UserError: the draft was made for another study or for none, or the report is signed.
        """
        if draft.study_uid != study_uid:
            raise UserError("This draft was made for another study and cannot move to this one; make a new draft here.")
        return self._set(study_uid, draft.text, "drafted", who, draft.model)

    def save_edit(self, study_uid: str, text: str, who: str = "") -> StoredReport:
        """Store what a person wrote; saving the same text again changes nothing.

        Raises:
            UserError: the report is signed.
        """
        before = self.load(study_uid)
        if before is not None and before.text == text:
            return before
        return self._set(study_uid, text, "edited", who, before.model if before else "")

    def sign(self, study_uid: str, who: str = "") -> StoredReport:
        """Make the stored report final.

        Raises:
            UserError: there is no text to sign, or it is signed already.
        """
        before = self.load(study_uid)
        if before is None or not before.text.strip():
            raise UserError("There is no report to sign; write or draft one first.")
        return self._set(study_uid, before.text, "signed", who, before.model)

    def history(self, study_uid: str) -> tuple[AuditRow, ...]:
        """Every change of a study's report, oldest first."""
        return tuple(
            AuditRow(*row)
            for row in self._database.read(
                "SELECT at, state, who, text FROM audit WHERE study_uid = ? ORDER BY id", [study_uid]
            )
        )

    def _set(self, study_uid: str, text: str, state: State, who: str, model: str) -> StoredReport:
        if not study_uid:
            raise UserError("A report belongs to a study, and this one has no Study Instance UID.")
        at = now()
        with self._database.write() as db:
            row = db.execute("SELECT state FROM reports WHERE study_uid = ?", [study_uid]).fetchone()
            if row and row[0] == "signed":
                raise UserError("This report is signed and final; it cannot be changed any more.")
            db.execute(
                """INSERT INTO reports (study_uid, text, model, state, created, changed, signed_by)
                VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (study_uid) DO UPDATE SET text = excluded.text,
                model = excluded.model, state = excluded.state, changed = excluded.changed,
                signed_by = excluded.signed_by""",
                [study_uid, text, model, state, at, at, who if state == "signed" else ""],
            )
            insert(db, "audit", at=at, study_uid=study_uid, state=state, who=who, text=text)
        stored = self.load(study_uid)
        assert stored is not None
        return stored
