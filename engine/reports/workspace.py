"""Stores the reports and marks of the user's studies. Does not know archives, models or the screen.

Unlike the archive this local database holds StudyInstanceUIDs, so it is private to its owner and never shared. A
report goes drafted -> edited -> signed, and each change that is saved adds one audit row in the same transaction; what
is saved while someone types does not. A signed report is final and takes addenda; a draft made for one study is refused
for any other. A report signed for the archive waits here with its submission until it is archived (outbox.py), so that
nothing is lost while no archive is open. Whatever is written of a report is on the disk before it is acknowledged.
"""

import json
import logging
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from engine.errors import UserError
from engine.reports.document import Document
from engine.reports.draft import Draft
from engine.reports.stored_report import (
    Addendum,
    ReportFacts,
    State,
    Status,
    StoredReport,
    Submission,
    status_of,
)
from engine.reports.workspace_audit import WorkspaceAudit, as_json
from engine.reports.workspace_upgrade import migrate
from engine.resources import user_folder
from engine.store.backup.restore_workspace import finish as finish_restore
from engine.store.backup.source import workspace_source
from engine.store.encryption.convert import finish as finish_encryption
from engine.store.folder.local_database import LocalDatabase
from engine.store.safety.json_file import parse_json
from engine.store.shared_sql import Connection, insert, now
from engine.store.thumbnail import from_png, to_png
from engine.text.words import counted

log = logging.getLogger(__name__)

DATABASE = "workspace.db"
KEY_IMAGES = "key images"
"""Kind of marks: [SOP Instance UID, 0-based frame] of each key image."""
NO_UID = "The report cannot be saved: the study has no Study Instance UID."
SIGNED = "This report is signed and cannot be changed."
ADDENDUM_SIGNED = "This addendum was signed in another window meanwhile. It is not added again."
OTHER_ADDENDUM = "Another addendum was signed in another window meanwhile. Read it, then sign yours again."


class Workspace(WorkspaceAudit):
    """The open database; threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Use `open`."""
        self.folder = folder
        self._database = LocalDatabase(folder / DATABASE)
        if self._database.read_only:
            raise UserError(f"Reports cannot be saved in {folder}: it is read-only. Allow writing to it.", folder)
        migrate(self._database, folder)
        finish_encryption(workspace_source(folder))

    @classmethod
    def open(cls, folder: Path | str | None = None) -> Self:
        """Open the database, creating it if it is missing.

        Args:
            folder: where it is; None for the user's data folder.

        Raises:
            UserError: the folder cannot be written, a newer version wrote it, or it is being restored.
        """
        path = Path(folder) if folder is not None else user_folder()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"Reports cannot be saved in {path}: {error.strerror}.") from None
        finish_restore(path)
        return cls(path)

    def load(self, study_uid: str) -> StoredReport | None:
        """The report of a study, or None."""
        rows = self._database.read(
            "SELECT text, document, model, state, created, changed, signed_by, facts IS NOT NULL AND case_id IS NULL, "
            "coalesce(archive, ''), case_id FROM reports LEFT JOIN outbox USING (study_uid) "
            "WHERE reports.study_uid = ?",
            [study_uid],
        )
        if not rows:
            return None
        text, document, model, state, created, changed, signed_by, waiting, archive, case_id = rows[0]
        added = self._database.read(
            "SELECT text, signed_by, signed FROM addenda WHERE study_uid = ? ORDER BY id", [study_uid]
        )
        return StoredReport(
            study_uid,
            _document(text, document),
            model,
            state,
            created,
            changed,
            signed_by,
            bool(waiting),
            archive,
            case_id,
            tuple(Addendum(*row) for row in added if row[2]),
            next((row[0] for row in added if not row[2]), None),
        )

    def statuses(self, study_uids: Collection[str]) -> dict[str, Status]:
        """The status of the report of each of these studies that has one."""
        rows = self._database.read(
            "SELECT reports.study_uid, state, state = 'edited' AND trim(text) = '', "
            "facts IS NOT NULL AND case_id IS NULL FROM reports LEFT JOIN outbox USING (study_uid) "
            "WHERE reports.study_uid IN (SELECT value FROM json_each(?))",
            [json.dumps(list(study_uids))],
        )
        return {uid: status_of(state, empty=bool(empty), waiting=bool(queued)) for uid, state, empty, queued in rows}

    def signed_documents(self) -> list[Document]:
        """Every signed report with its marks."""
        rows = self._database.read("SELECT text, document FROM reports WHERE state = 'signed'")
        return [_document(text, document) for text, document in rows]

    def save(self, study_uid: str, document: Document, who: str = "", *, typing: bool = False) -> StoredReport:
        """Store the report; saving the same again changes nothing.

        Args:
            study_uid: its study.
            document: its text with marks and proposals.
            who: the user.
            typing: whether more is to come, so that no audit row is added yet.

        Raises:
            UserError: the report is signed.
        """
        before = self.load(study_uid)
        if before is not None and before.document == document and (typing or self._audited(study_uid, document)):
            return before
        return self._set(study_uid, document, "drafted" if document.open else "edited", who, audit=not typing)

    def save_draft(self, study_uid: str, draft: Draft, who: str = "") -> StoredReport:
        """Add the sentences of a draft to an unsigned report, as proposals.

        Raises:
            UserError: the draft was made for another study or for none, or the report is signed.
        """
        before = self.load(study_uid)
        document = before.document if before else Document()
        return self.save(study_uid, document.proposing(draft, study_uid), who)

    def save_edit(self, study_uid: str, text: str, who: str = "") -> StoredReport:
        """Store another text of a report, in which marks follow their words.

        Raises:
            UserError: the report is signed.
        """
        before = self.load(study_uid)
        return self.save(study_uid, (before.document if before else Document()).edited(text), who)

    def sign(
        self,
        study_uid: str,
        who: str = "",
        submission: Submission | None = None,
        document: Document | None = None,
    ) -> StoredReport:
        """Sign the report and, with `submission`, queue it for the archive, all in one transaction.

        Args:
            study_uid: the study.
            who: signs it.
            submission: what it is archived with.
            document: what was read and is signed, whatever another window has stored; None signs what is stored.

        Raises:
            UserError: the report is empty, missing or already signed, or proposals are open.
        """
        before = self.load(study_uid)
        signed = document or (before.document if before else Document())
        if not (signed.text.strip() or signed.open):
            raise UserError("There is no report to sign. Write or draft one first.")
        if signed.open and (before is None or before.state != "signed"):
            raise UserError(
                f"{counted(len(signed.open), 'proposal')} not decided yet; accept, edit or dismiss each first."
            )
        return self._set(study_uid, signed, "signed", who, submission)

    def save_addendum(self, study_uid: str, text: str) -> StoredReport:
        """Store the addendum to a signed report that is being written; an empty one is removed.

        Raises:
            UserError: the report is not signed.
        """
        with self._database.write(flushed=True) as db:
            _require_signed(db, study_uid)
            if text.strip():
                db.execute(
                    """INSERT INTO addenda (study_uid, text, changed) VALUES (?, ?, ?)
                    ON CONFLICT (study_uid) WHERE signed = '' DO UPDATE SET text = excluded.text,
                    changed = excluded.changed""",
                    [study_uid, text, now()],
                )
            else:
                db.execute("DELETE FROM addenda WHERE study_uid = ? AND signed = ''", [study_uid])
        return self._stored(study_uid)

    def sign_addendum(
        self,
        study_uid: str,
        who: str = "",
        submission: Submission | None = None,
        *,
        text: str | None = None,
        seen: int | None = None,
    ) -> StoredReport:
        """Sign an addendum and, with `submission`, queue the report for the archive again, all in one transaction.

        Args:
            study_uid: the study.
            who: signs it.
            submission: what the report is archived with.
            text: what was read and is signed, whatever another window has stored; None signs what is stored.
            seen: how many signed addenda the signer saw, so that two windows do not sign one twice; None does not ask.

        Raises:
            UserError: there is none, or one that the signer has not seen was signed meanwhile.
        """
        at = now()
        with self._database.write(flushed=True) as db:
            _require_signed(db, study_uid)
            rows = db.execute("SELECT text, signed FROM addenda WHERE study_uid = ? ORDER BY id", [study_uid])
            stored = rows.fetchall()
            text = next((row[0] for row in stored if not row[1]), "") if text is None else text
            unseen = [row[0].strip() for row in stored if row[1]][seen:] if seen is not None else []
            if unseen:
                raise UserError(ADDENDUM_SIGNED if text.strip() in unseen else OTHER_ADDENDUM)
            if not text.strip():
                raise UserError("There is no addendum to sign. Write one first.")
            db.execute("DELETE FROM addenda WHERE study_uid = ? AND signed = ''", [study_uid])
            insert(db, "addenda", study_uid=study_uid, text=text, changed=at, signed_by=who, signed=at)
            insert(db, "audit", at=at, study_uid=study_uid, state="addendum", who=who, text=text)
            if submission is not None:
                _queue(db, study_uid, submission)
        return self._stored(study_uid)

    def waiting(self) -> tuple[str, ...]:
        """StudyInstanceUIDs of the signed reports that wait for an archive, in the order of signing."""
        rows = self._database.read("SELECT study_uid FROM outbox WHERE case_id IS NULL ORDER BY rowid")
        return tuple(row[0] for row in rows)

    def submission(self, study_uid: str) -> Submission | None:
        """The submission of a waiting report; None when it is not waiting.

        Raises:
            UserError: it is damaged.
        """
        rows = self._database.read("SELECT facts, png FROM outbox WHERE study_uid = ? AND case_id IS NULL", [study_uid])
        if not rows:
            return None
        try:
            facts, png = parse_json(rows[0][0]), rows[0][1]
            for name in ("window", "identifiers"):
                facts[name] = None if facts[name] is None else tuple(facts[name])
            return Submission(ReportFacts(**facts), None if png is None else from_png(png))
        except (AttributeError, KeyError, TypeError, ValueError):
            reason = "What is archived with a signed report is damaged; restore the workspace from a backup."
            raise UserError(reason) from None

    def mark_archived(self, study_uid: str, archive: str, case_id: int, addenda: int = 0) -> None:
        """Record where a waiting report was archived, and delete its image and identifiers from the queue.

        It stays in the queue if it has got another addendum since then; `addenda` is how many it was archived with.
        """
        with self._database.write(flushed=True) as db:
            db.execute(
                "UPDATE outbox SET facts = '{}', png = NULL, archive = ?, case_id = ? WHERE study_uid = ? AND "
                "(SELECT count(*) FROM addenda WHERE study_uid = outbox.study_uid AND signed != '') = ?",
                [archive, case_id, study_uid, addenda],
            )

    def load_marks(self, study_uid: str, kind: str) -> list[Any]:
        """The saved marks of one kind on the images of a study; an empty list for none.

        Raises:
            UserError: they are damaged; they are set aside, so that the next call returns an empty list.
        """
        rows = self._database.read("SELECT marks FROM marks WHERE study_uid = ? AND kind = ?", [study_uid, kind])
        try:
            return list(parse_json(rows[0][0])) if rows else []
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

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction, for what else is kept of studies (workspace_patients.py)."""
        return self._database.write()

    def _set(
        self,
        study_uid: str,
        document: Document,
        state: State,
        who: str,
        submission: Submission | None = None,
        *,
        audit: bool = True,
    ) -> StoredReport:
        if not study_uid:
            raise UserError(NO_UID)
        at, marks = now(), as_json(document)
        with self._database.write(flushed=True) as db:
            row = db.execute("SELECT state FROM reports WHERE study_uid = ?", [study_uid]).fetchone()
            if row and row[0] == "signed":
                raise UserError(SIGNED)
            db.execute(
                """INSERT INTO reports (study_uid, text, document, model, state, created, changed, signed_by)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (study_uid) DO UPDATE SET text = excluded.text,
                document = excluded.document, model = coalesce(nullif(excluded.model, ''), model),
                state = excluded.state, changed = excluded.changed, signed_by = excluded.signed_by""",
                [study_uid, document.text, marks, document.model, state, at, at, who if state == "signed" else ""],
            )
            if audit:
                insert(
                    db, "audit", at=at, study_uid=study_uid, state=state, who=who, text=document.text, document=marks
                )
            if submission is not None:
                _queue(db, study_uid, submission)
        return self._stored(study_uid)

    def _stored(self, study_uid: str) -> StoredReport:
        stored = self.load(study_uid)
        assert stored is not None
        return stored


def _document(text: str, stored: str) -> Document:
    """The document of a row; when its marks are damaged, the text alone, whose words are then nobody's for certain."""
    try:
        return Document.from_dict(text, parse_json(stored)) if stored else Document(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        log.warning("The marks of a report are damaged; its text is kept.")
        return Document(text, lost=True)


def _require_signed(db: Connection, study_uid: str) -> None:
    row = db.execute("SELECT state FROM reports WHERE study_uid = ?", [study_uid]).fetchone()
    if row is None or row[0] != "signed":
        raise UserError("An addendum follows a signed report; sign the report first.")


def _queue(db: Connection, study_uid: str, submission: Submission) -> None:
    """Queue a report; one that still waits keeps the image and facts that it was signed with."""
    png = None if submission.gray is None else to_png(submission.gray).data
    db.execute(
        """INSERT INTO outbox (study_uid, facts, png) VALUES (?, ?, ?) ON CONFLICT (study_uid) DO UPDATE SET
        facts = excluded.facts, png = excluded.png, case_id = NULL WHERE case_id IS NOT NULL""",
        [study_uid, json.dumps(asdict(submission.facts)), png],
    )
