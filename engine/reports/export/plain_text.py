"""Writes an exported report as plain text. Knows no other format."""

from engine.reports.export.exported_report import LABEL, ExportedReport, facts_of


def as_text(report: ExportedReport) -> str:
    """Label, identity, text, addenda, whose words they are.

    Raises:
        UserError: the report has no text.
    """
    report.require_text()
    parts = [LABEL, "\n".join(f"{label}: {value}" for label, value in facts_of(report)), report.full_text]
    if report.key_frames:
        parts.append("\n".join(["Key images:", *(one.caption for one in report.key_frames)]))
    parts += ["\n".join(report.provenance)] if report.provenance else []
    return "\n\n".join([*parts, f"({LABEL})"]) + "\n"
