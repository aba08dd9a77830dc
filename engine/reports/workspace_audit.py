"""The audit of a workspace: each change of a report that was saved, and each export. Writes no report."""

import json

from engine.reports.document import Document
from engine.reports.stored_report import AuditRow
from engine.store.database import WithDatabase
from engine.store.shared_sql import insert, now

EXPORTED = "exported"
"""State of an audit row that is no change of a report."""
ANONYMISED = "anonymised study"
"""What is exported as images without identifiers."""

NOT_AS_SIGNED = """
    WITH signatures AS (SELECT * FROM audit
        WHERE id IN (SELECT max(id) FROM audit WHERE state = 'signed' GROUP BY study_uid))
    SELECT study_uid FROM signatures LEFT JOIN reports USING (study_uid)
    WHERE reports.state IS NOT 'signed' OR reports.text IS NOT signatures.text OR signed_by IS NOT who
        OR (signatures.document != '' AND reports.document IS NOT signatures.document)
    UNION SELECT study_uid FROM reports
    WHERE state = 'signed' AND study_uid NOT IN (SELECT study_uid FROM signatures)"""
"""Studies of which the signed report differs from its row in the audit, whose hash nobody makes without the key."""
ADDENDA_NOT_AS_SIGNED = """
    WITH stored AS (SELECT study_uid, text, signed_by, signed, count(*) FROM addenda WHERE signed != ''
            GROUP BY 1, 2, 3, 4),
        signatures AS (SELECT study_uid, text, who, at, count(*) FROM audit WHERE state = 'addendum'
            GROUP BY 1, 2, 3, 4)
    SELECT study_uid FROM (SELECT * FROM stored EXCEPT SELECT * FROM signatures)
    UNION SELECT study_uid FROM (SELECT * FROM signatures EXCEPT SELECT * FROM stored)"""


class WorkspaceAudit(WithDatabase):
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

    def audit_problems(self) -> list[str]:
        """What is not as it was written of the audit, and what it says was signed and is not there like that."""
        reports, addenda = (
            [row[0] for row in self._database.read(question)] for question in (NOT_AS_SIGNED, ADDENDA_NOT_AS_SIGNED)
        )
        return [
            *super().audit_problems(),
            *(f"the report of the study {uid} is not as it was signed" for uid in reports),
            *(f"the addenda of the study {uid} are not as they were signed" for uid in addenda),
        ]

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
