"""Writes an exported report as an HL7 v2.5.1 message ORU^R01 in a file. Knows no other format; nothing is sent.

The message is marked as training (MSH-11 "T"), so no receiver takes it for production. Segments end with a carriage
return, and the text is one OBX a line (HL7 v2.5.1, chapters 2.7 and 7.3).
"""

from uuid import uuid4

from engine.reports.export.exported_report import LABEL, ExportedReport
from engine.reports.stored_report import signature

ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
STUDY = "113014^DICOM Study^DCM"
REPORT = "18748-4^Diagnostic imaging study^LN"
TRAINING = ("T", "2.5.1", "", "", "", "", "", "UNICODE UTF-8")
"""MSH-11 to MSH-18: processing ID, version, character set."""
ADDENDUM = "55107-7^Addendum^LN"


def as_oru(report: ExportedReport) -> str:
    """The message, to be written as UTF-8.

    Raises:
        UserError: the report has no text, or another patient has its Study Instance UID too.
    """
    report.require_text()
    study, patient, status = report.study, report.study.patient, "F" if report.signed else "P"
    time = f"{report.time:%Y%m%d%H%M%S%z}"
    lines = [(STUDY, "ST", report.study_uid, "F"), (REPORT, "TX", LABEL, status)]
    lines += [(REPORT, "TX", line, status) for line in report.text.splitlines()]
    for one in report.addenda:
        signed = f"Addendum, {signature(one.signed_by, one.signed)}"
        lines += [(ADDENDUM, "TX", line, "F") for line in (signed, *one.text.splitlines())]
    lines += [(REPORT, "TX", line, status) for line in report.provenance]
    segments = [
        ["MSH", "^~\\&", "KINDRED", "", "", "", time, "", "ORU^R01^ORU_R01", uuid4().hex[:20], *TRAINING],
        ["PID", "1", "", escaped(patient.id), "", _name(patient.name), "", escaped(patient.birth_date), patient.sex],
        _request(report, status, time, escaped(study.accession)),
        *(
            ["OBX", str(number), kind, what, "", escaped(value), "", "", "", "", "", given]
            for number, (what, kind, value, given) in enumerate(lines, 1)
        ),
    ]
    return "".join("|".join(fields) + "\r" for fields in segments)


def _request(report: ExportedReport, status: str, time: str, accession: str) -> list[str]:
    """OBR: filler number and placer field hold the accession number, as in IHE Radiology."""
    fields = dict.fromkeys(range(1, 33), "")
    fields |= {1: "1", 3: accession, 4: REPORT, 18: accession, 22: time, 24: "RAD", 25: status}
    fields[7] = escaped(report.study.date + report.study.time.split(".")[0] if report.study.date else "")
    if report.signed:
        fields[32] = f"&{escaped(report.signed_by)}"
    return ["OBR", *(fields[number] for number in sorted(fields))]


def _name(value: str) -> str:
    """XPN for a DICOM name, whose prefix and suffix stand the other way round."""
    family, given, middle, prefix, suffix = (*value.split("=")[0].split("^"), "", "", "", "", "")[:5]
    return "^".join(map(escaped, (family, given, middle, suffix, prefix))).rstrip("^")


def escaped(value: str) -> str:
    """A value whose separators are escaped (chapter 2.7.1), in one line."""
    return "".join(ESCAPES.get(letter, letter) for letter in " ".join(value.splitlines()))
