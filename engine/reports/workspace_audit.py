"""The audit of a workspace: each change of a report that was saved, and each export. Writes no report."""

import json

from engine.reports.document import Document
from engine.reports.stored_report import AuditRow
from engine.store.database import LocalStore, insert, now

EXPORTED = "exported"
"""State of an audit row that is no change of a report."""
ANONYMISED = "anonymised study"
"""What is exported as images without identifiers."""


class WorkspaceAudit(LocalStore):
    """Reads the audit, and adds what is no change of a report; the changes are added where they are made."""

    def history(self, study_uid: str) -> tuple[AuditRow, ...]:
        """Every change of a study's report, oldest first."""
        return tuple(
            AuditRow(*row)
            for row in self._database.read(
                f"SELECT at, state, who, text, document FROM audit WHERE study_uid = ? AND state != '{EXPORTED}' "
                "ORDER BY id",
                [study_uid],
            )
        )

    def record_export(self, study_uid: str, what: str) -> None:
        """Add to the audit that something of a study was exported; `what` names the format, and no file."""
        with self._database.write(flushed=True) as db:
            insert(db, "audit", at=now(), study_uid=study_uid, state=EXPORTED, who="", text=what)

    def _audited(self, study_uid: str, document: Document) -> bool:
        """Whether the latest audit row is of this document."""
        rows = self._database.read(
            f"SELECT text, document FROM audit WHERE study_uid = ? AND state != '{EXPORTED}' ORDER BY id DESC LIMIT 1",
            [study_uid],
        )
        return bool(rows) and rows[0][0] == document.text and rows[0][1] in ("", as_json(document))


def as_json(document: Document) -> str:
    """Marks and proposals of a document as they are stored; "" for none."""
    return json.dumps(document.as_dict()) if document.proposals or document.links or document.lost else ""
