"""Writes an exported report as a FHIR R4 bundle: DiagnosticReport, ImagingStudy, Patient. Knows no other format.

The resources are plain dictionaries: fhir.resources checks them in the tests, and would add 27 MB to the app.
https://hl7.org/fhir/R4/diagnosticreport.html
"""

import base64
import json
from html import escape
from typing import Any
from uuid import uuid4

from engine.reports.draft import with_notice
from engine.reports.export.exported_report import LABEL, ExportedReport, shown_date, shown_name

IMAGING_REPORT = {"system": "http://loinc.org", "code": "18748-4", "display": "Diagnostic imaging study"}
RADIOLOGY = {"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD", "display": "Radiology"}
RESEARCH = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HRESCH",
    "display": "healthcare research",
}
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
GENDERS = {"M": "male", "F": "female", "O": "other"}


def as_fhir(report: ExportedReport) -> str:
    """A Bundle of type "collection", as JSON.

    Raises:
        UserError: the report has no text, or another patient has its Study Instance UID too.
    """
    report.require_text()
    patient, study = f"urn:uuid:{uuid4()}", f"urn:uuid:{uuid4()}"
    entries = [
        {"fullUrl": f"urn:uuid:{uuid4()}", "resource": _diagnostic_report(report, patient, study)},
        {"fullUrl": study, "resource": _imaging_study(report, patient)},
        {"fullUrl": patient, "resource": _patient(report)},
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "timestamp": _instant(report), "entry": entries}
    return json.dumps(_filled(bundle), ensure_ascii=False, indent=2) + "\n"


def _diagnostic_report(report: ExportedReport, patient: str, study: str) -> dict[str, Any]:
    final = "appended" if report.addenda else "final"
    paragraphs = [LABEL, *report.full_text.split("\n\n")]
    narrative = "".join(f"<p>{escape(part).replace(chr(10), '<br/>')}</p>" for part in paragraphs if part.strip())
    attached = base64.b64encode(with_notice(report.full_text).encode()).decode("ascii")
    return {
        "resourceType": "DiagnosticReport",
        "meta": {"security": [RESEARCH]},
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{narrative}</div>'},
        "identifier": [_accession(report)],
        "status": final if report.signed else "preliminary",
        "category": [{"coding": [RADIOLOGY]}],
        "code": {"coding": [IMAGING_REPORT]},
        "subject": {"reference": patient},
        "effectiveDateTime": _date(report.study.date),
        "issued": _instant(report),
        "resultsInterpreter": [{"display": report.signed_by if report.signed else ""}],
        "imagingStudy": [{"reference": study}],
        "conclusion": report.full_text,
        "presentedForm": [{"contentType": "text/plain; charset=utf-8", "data": attached, "title": LABEL}],
    }


def _imaging_study(report: ExportedReport, patient: str) -> dict[str, Any]:
    study = report.study
    series: dict[str, dict[str, Any]] = {}
    images: dict[str, set[str]] = {}
    for one in study.series:
        series.setdefault(
            one.uid,
            {
                "uid": one.uid,
                "number": one.number if (one.number or 0) > 0 else None,
                "modality": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": one.modality},
                "description": one.description,
                "instance": [],
            },
        )
        images.setdefault(one.uid, set()).update(frame.image.sop_uid for frame in one.frames)
    for uid, found in images.items():
        series[uid]["numberOfInstances"] = len(found)
    for image in {key.frame.image.sop_uid: key for key in report.key_frames}.values():
        kind = {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{image.frame.image.sop_class}"}
        series[image.series.uid]["instance"].append({"uid": image.frame.image.sop_uid, "sopClass": kind})
    return {
        "resourceType": "ImagingStudy",
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{report.study_uid}"}, _accession(report)],
        "status": "available",
        "subject": {"reference": patient},
        "started": _date(study.date),
        "numberOfSeries": len(series),
        "numberOfInstances": sum(map(len, images.values())),
        "description": study.description,
        "series": [one for one in series.values() if one["uid"] and one["modality"]["code"]],
    }


def _patient(report: ExportedReport) -> dict[str, Any]:
    patient = report.study.patient
    family, given, middle = (*patient.name.split("=")[0].split("^"), "", "", "")[:3]
    number = {"type": {"coding": [{"system": IDENTIFIER_TYPES, "code": "MR"}]}, "value": patient.id}
    name = {"text": shown_name(patient.name), "family": family.strip(), "given": [*given.split(), *middle.split()]}
    return {
        "resourceType": "Patient",
        "identifier": [number] if patient.id else [],
        "name": [name],
        "gender": GENDERS.get(patient.sex, "unknown"),
        "birthDate": _date(patient.birth_date),
    }


def _accession(report: ExportedReport) -> dict[str, Any]:
    number = report.study.accession
    return {"type": {"coding": [{"system": IDENTIFIER_TYPES, "code": "ACSN"}]}, "value": number} if number else {}


def _date(value: str) -> str:
    """The date of FHIR for a DICOM date; "" for anything else. A time would need a zone, which studies lack."""
    return shown_date(value) if shown_date(value) != value else ""


def _instant(report: ExportedReport) -> str:
    return report.time.isoformat(timespec="seconds")


def _filled(value: Any) -> Any:
    """Without empty values, which FHIR forbids."""
    if isinstance(value, dict):
        filled = {key: _filled(one) for key, one in value.items()}
        return {key: one for key, one in filled.items() if one not in ("", None, {}, [])}
    if isinstance(value, list):
        return [one for one in map(_filled, value) if one not in ("", None, {}, [])]
    return value
