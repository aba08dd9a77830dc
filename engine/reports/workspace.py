"""The reports of the studies at hand, each bound to its study. Knows no archive, no models and no screen.

Unlike the archive this local store may name a study (StudyInstanceUID), so it is the owner's alone and never shared. A
report goes drafted -> edited -> signed, and every change is one audit row in the same transaction. A signed report is
final, and a draft made for one study is refused for any other. A report that is signed for the archive waits here
with what belongs to it until it is archived (outbox.py), so that nothing is lost when no archive is open.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database, Migrations

from engine.errors import UserError
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
    """Signed reports on their way into an archive; picture and facts go once they are there."""
    db.execute(
        """CREATE TABLE outbox (
            study_uid TEXT PRIMARY KEY REFERENCES reports (study_uid), facts TEXT NOT NULL, png BLOB,
            archive TEXT NOT NULL DEFAULT '', case_id INTEGER)"""
    )


@migrations()
def create_marks(db: Database) -> None:
    """What readers put on the images of a study: key images, measurements."""
    db.execute(
        """CREATE TABLE marks (
            study_uid TEXT NOT NULL, kind TEXT NOT NULL, marks TEXT NOT NULL, changed TEXT NOT NULL,
            PRIMARY KEY (study_uid, kind))"""
    )


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What goes into the archive beside a signed report, or is needed to clean it; see `importer.archive_signed`."""

    modality: str = ""
    sex: str = ""
    age: int | None = None
    body_part: str = ""
    patient: str = ""
    """Patient ID, to recognise earlier cases by; hashed on arrival."""
    window: tuple[float, float] | None = None
    image_key: str = ""
    identifiers: tuple[str, ...] = ()
    """Names and numbers of this patient, to be removed from the text."""


@dataclass(frozen=True, slots=True, eq=False)
class Submission:
    """What a report is signed with: the displayed frame, uint8 [H, W] with its longest side at most 512, and facts."""

    facts: ReportFacts
    gray: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class StoredReport:
    """The report of one study. `model` names what drafted it, "" when a person began it; times are UTC, ISO 8601.

    waiting: signed, and not in an archive yet. archive, case_id: where it was archived; "" and None when it was not.
    """

    study_uid: str
    text: str
    model: str
    state: State
    created: str
    changed: str
    signed_by: str = ""
    waiting: bool = False
    archive: str = ""
    case_id: int | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change: when, to which state, by whom, and the text as it then stood."""

    at: str
    state: State
    who: str
    text: str


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

    def sign(self, study_uid: str, who: str = "", submission: Submission | None = None) -> StoredReport:
        """Make the stored report final and, with `outgoing`, let it wait for an archive, all in one transaction.

        Raises:
            UserError: there is no text to sign, or it is signed already.
        """
        before = self.load(study_uid)
        if before is None or not before.text.strip():
            raise UserError("There is no report to sign; write or draft one first.")
        return self._set(study_uid, before.text, "signed", who, before.model, submission)

    def waiting(self) -> tuple[str, ...]:
        """Study UIDs of the signed reports that wait for an archive, in the order they were signed."""
        rows = self._database.read("SELECT study_uid FROM outbox WHERE case_id IS NULL ORDER BY rowid")
        return tuple(row[0] for row in rows)

    def submission(self, study_uid: str) -> Submission | None:
        """What a waiting report was signed with; None when it waits no longer."""
        rows = self._database.read("SELECT facts, png FROM outbox WHERE study_uid = ? AND case_id IS NULL", [study_uid])
        if not rows:
            return None
        facts, png = json.loads(rows[0][0]), rows[0][1]
        for name in ("window", "identifiers"):
            facts[name] = None if facts[name] is None else tuple(facts[name])
        return Submission(ReportFacts(**facts), None if png is None else from_png(png))

    def archived(self, study_uid: str, archive: str, case_id: int) -> None:
        """Note where a waiting report went, and forget the picture and the patient's names it waited with."""
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
        """The marks of one kind on a study's images, as they were saved; none is an empty list.

        Raises:
            UserError: they are damaged, and were set aside, so that from now on there are none.
        """
        rows = self._database.read("SELECT marks FROM marks WHERE study_uid = ? AND kind = ?", [study_uid, kind])
        try:
            return list(json.loads(rows[0][0])) if rows else []
        except (ValueError, TypeError):
            with self._database.write() as db:
                aside = f"{kind}, damaged, set aside {now()}"
                db.execute("UPDATE marks SET kind = ? WHERE study_uid = ? AND kind = ?", [aside, study_uid, kind])
            raise UserError(
                f"The {kind} of this study cannot be read and were set aside; make them again, or restore your backup."
            ) from None

    def save_marks(self, study_uid: str, kind: str, marks: list[Any]) -> None:
        """Put these marks, plain values for JSON, in the place of those that were saved.

        Raises:
            UserError: the study has no UID to keep them with.
        """
        if not study_uid:
            raise UserError("Marks belong to a study, and this one has no Study Instance UID.")
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
            raise UserError("A report belongs to a study, and this one has no Study Instance UID.")
        at = now()
        png = None if submission is None or submission.gray is None else to_png(submission.gray).data
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
            if submission is not None:
                insert(db, "outbox", study_uid=study_uid, facts=json.dumps(asdict(submission.facts)), png=png)
        stored = self.load(study_uid)
        assert stored is not None
        return stored
