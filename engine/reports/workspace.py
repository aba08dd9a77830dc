"""Stores the reports and marks of the user's studies. Does not know archives, models or the screen.

Unlike the archive this local database holds StudyInstanceUIDs, so it is private to its owner and never shared. A
report goes drafted -> edited -> signed, and each change adds one audit row in the same transaction. A signed report is
final, and a draft made for one study is refused for any other. A report signed for the archive waits here with its
submission until it is archived (outbox.py), so that nothing is lost while no archive is open.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database, Migrations

from engine.errors import UserError
from engine.facts.fact import FactKind
from engine.reports.draft import Draft
from engine.resources import user_folder
from engine.store.database import LocalDatabase, LocalStore, insert, now
from engine.store.thumbnail import from_png, to_png

State = Literal["drafted", "edited", "signed"]
DATABASE = "workspace.db"
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


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What is archived with a signed report, or needed to clean its text. Stored as JSON under the field names."""

    modality: str = ""
    sex: str = ""
    age: int | None = None
    body_part: str = ""
    patient: str = ""
    """Patient ID, to recognize earlier cases; stored as a keyed hash."""
    window: tuple[float, float] | None = None
    """Window center and width of the displayed frame."""
    image_key: str = ""
    """SOP Instance UID and frame number."""
    identifiers: tuple[str, ...] = ()
    """Names and numbers of this patient, to remove from the text."""
    header: dict[FactKind, str] = field(default_factory=dict)
    """What the header says of the frame, by kind of fact."""


@dataclass(frozen=True, slots=True, eq=False)
class Submission:
    """What is archived with a signed report."""

    facts: ReportFacts = ReportFacts()
    gray: NDArray[np.uint8] | None = None
    """The displayed frame, uint8 [H, W], longest side at most 512; None for the report alone."""


@dataclass(frozen=True, slots=True)
class StoredReport:
    """The report of one study."""

    study_uid: str
    text: str
    model: str
    """What drafted it; "" when a person began it."""
    state: State
    created: str
    """UTC, ISO 8601, like all times here."""
    changed: str
    signed_by: str = ""
    waiting: bool = False
    """Signed, and not in an archive yet."""
    archive: str = ""
    """Name of the archive it is in; "" for none."""
    case_id: int | None = None
    """Its case in that archive."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change of a report."""

    at: str
    state: State
    who: str
    text: str
    """The whole text after the change."""


class Workspace(LocalStore):
    """The open database; threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Use `open`."""
        self.folder = folder
        self._database = LocalDatabase(folder / DATABASE)
        with self._database.write() as db:  # in one transaction, since another process may open it at the same moment
            known = {migration.name for migration in migrations.pending(Database(memory=True))}
            if any(applied.name not in known for applied in migrations.applied(db)):
                raise UserError(f"The reports in {folder} were saved by a newer version of Kindred; update Kindred.")
            migrations.apply(db)

    @classmethod
    def open(cls, folder: Path | str | None = None) -> Self:
        """Open the database, creating it if it is missing.

        Args:
            folder: where it is; None for the user's data folder.

        Raises:
            UserError: the folder cannot be written, or a newer version wrote it.
        """
        path = Path(folder) if folder is not None else user_folder()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"Reports cannot be saved in {path}: {error.strerror}.") from None
        return cls(path)

    def load(self, study_uid: str) -> StoredReport | None:
        """The report of a study, or None."""
        rows = self._database.read(
            "SELECT reports.study_uid, text, model, state, created, changed, signed_by, facts IS NOT NULL AND "
            "case_id IS NULL, coalesce(archive, ''), case_id FROM reports LEFT JOIN outbox USING (study_uid) "
            "WHERE reports.study_uid = ?",
            [study_uid],
        )
        if not rows:
            return None
        uid, text, model, state, created, changed, signed_by, waiting, archive, case_id = rows[0]
        return StoredReport(uid, text, model, state, created, changed, signed_by, bool(waiting), archive, case_id)

    def save_draft(self, study_uid: str, draft: Draft, who: str = "") -> StoredReport:
        """Store a draft in place of an unsigned report.

        Raises:
            UserError: the draft was made for another study or for none, or the report is signed.
        """
        if draft.study_uid != study_uid:
            raise UserError("This draft belongs to another study; create a new draft for this study.")
        return self._set(study_uid, draft.text, "drafted", who, draft.model)

    def save_edit(self, study_uid: str, text: str, who: str = "") -> StoredReport:
        """Store the edited text; saving the same text again changes nothing.

        Raises:
            UserError: the report is signed.
        """
        before = self.load(study_uid)
        if before is not None and before.text == text:
            return before
        return self._set(study_uid, text, "edited", who, before.model if before else "")

    def sign(self, study_uid: str, who: str = "", submission: Submission | None = None) -> StoredReport:
        """Sign the stored report and, with `submission`, queue it for the archive, all in one transaction.

        Raises:
            UserError: the report is empty, missing or already signed.
        """
        before = self.load(study_uid)
        if before is None or not before.text.strip():
            raise UserError("There is no report to sign. Write or draft one first.")
        return self._set(study_uid, before.text, "signed", who, before.model, submission)

    def waiting(self) -> tuple[str, ...]:
        """StudyInstanceUIDs of the signed reports that wait for an archive, in the order of signing."""
        rows = self._database.read("SELECT study_uid FROM outbox WHERE case_id IS NULL ORDER BY rowid")
        return tuple(row[0] for row in rows)

    def submission(self, study_uid: str) -> Submission | None:
        """The submission of a waiting report; None when it is not waiting."""
        rows = self._database.read("SELECT facts, png FROM outbox WHERE study_uid = ? AND case_id IS NULL", [study_uid])
        if not rows:
            return None
        facts, png = json.loads(rows[0][0]), rows[0][1]
        for name in ("window", "identifiers"):
            facts[name] = None if facts[name] is None else tuple(facts[name])
        return Submission(ReportFacts(**facts), None if png is None else from_png(png))

    def mark_archived(self, study_uid: str, archive: str, case_id: int) -> None:
        """Record where a waiting report was archived, and delete its image and identifiers from the queue."""
        with self._database.write() as db:
            db.execute(
                "UPDATE outbox SET facts = '{}', png = NULL, archive = ?, case_id = ? WHERE study_uid = ?",
                [archive, case_id, study_uid],
            )

    def history(self, study_uid: str) -> tuple[AuditRow, ...]:
        """Every change of a study's report, oldest first."""
        return tuple(
            AuditRow(*row)
            for row in self._database.read(
                "SELECT at, state, who, text FROM audit WHERE study_uid = ? ORDER BY id", [study_uid]
            )
        )

    def load_marks(self, study_uid: str, kind: str) -> list[Any]:
        """The saved marks of one kind on the images of a study; an empty list for none.

        Raises:
            UserError: they are damaged; they are set aside, so that the next call returns an empty list.
        """
        rows = self._database.read("SELECT marks FROM marks WHERE study_uid = ? AND kind = ?", [study_uid, kind])
        try:
            return list(json.loads(rows[0][0])) if rows else []
        except (ValueError, TypeError):
            with self._database.write() as db:
                aside = f"{kind}, damaged, set aside {now()}"
                db.execute("UPDATE marks SET kind = ? WHERE study_uid = ? AND kind = ?", [aside, study_uid, kind])
            raise UserError(
                f"The saved {kind} of this study are damaged and were set aside. Add them again or restore a backup."
            ) from None

    def save_marks(self, study_uid: str, kind: str, marks: list[Any]) -> None:
        """Save marks, plain values for JSON, in place of those saved before.

        Raises:
            UserError: the study has no StudyInstanceUID.
        """
        if not study_uid:
            raise UserError(f"The {kind} cannot be saved: the study has no Study Instance UID.")
        with self._database.write() as db:
            db.execute(
                """INSERT INTO marks (study_uid, kind, marks, changed) VALUES (?, ?, ?, ?)
                ON CONFLICT (study_uid, kind) DO UPDATE SET marks = excluded.marks, changed = excluded.changed""",
                [study_uid, kind, json.dumps(marks), now()],
            )

    def _set(
        self, study_uid: str, text: str, state: State, who: str, model: str, submission: Submission | None = None
    ) -> StoredReport:
        if not study_uid:
            raise UserError("The report cannot be saved: the study has no Study Instance UID.")
        at = now()
        png = None if submission is None or submission.gray is None else to_png(submission.gray).data
        with self._database.write() as db:
            row = db.execute("SELECT state FROM reports WHERE study_uid = ?", [study_uid]).fetchone()
            if row and row[0] == "signed":
                raise UserError("This report is signed and cannot be changed.")
            db.execute(
                """INSERT INTO reports (study_uid, text, model, state, created, changed, signed_by)
                VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (study_uid) DO UPDATE SET text = excluded.text,
                model = excluded.model, state = excluded.state, changed = excluded.changed,
                signed_by = excluded.signed_by""",
                [study_uid, text, model, state, at, at, who if state == "signed" else ""],
            )
            insert(db, "audit", at=at, study_uid=study_uid, state=state, who=who, text=text)
            if submission is not None:
                insert(db, "outbox", study_uid=study_uid, facts=json.dumps(asdict(submission.facts)), png=png)
        stored = self.load(study_uid)
        assert stored is not None
        return stored
