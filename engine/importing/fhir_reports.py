"""Reads reports from FHIR R4 JSON: a DiagnosticReport, or a Bundle with some. Knows no archive.

What a report refers to is looked for in the bundle and in its `contained` resources only; nothing is fetched.
https://hl7.org/fhir/R4/diagnosticreport.html
"""

import base64
import binascii
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from engine.errors import Rejected, UserError
from engine.importing.found_report import FoundReport, report_case
from engine.importing.source import FoundCase
from engine.store.safety.json_file import parse_json

MAX_BYTES = 16 << 20
FINAL = frozenset(("final", "amended", "corrected", "appended"))
_SEXES = {"male": "M", "female": "F", "other": "O"}
_UID = "urn:oid:"
Resource = dict[str, Any]


def read_fhir(path: Path) -> Iterator[FoundCase | Rejected]:
    """Every report of a file, or why one is none.

    Raises:
        UserError: the file cannot be read, is no JSON, or no FHIR.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} is larger than {MAX_BYTES >> 20} MB; split it.", path)
        document = parse_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", path) from None
    except ValueError:
        raise UserError(f"{path} is not valid JSON; export it again from its source.", path) from None
    kind = document.get("resourceType") if isinstance(document, dict) else None
    if kind not in ("Bundle", "DiagnosticReport"):
        raise UserError(f"{path} is not a FHIR Bundle or DiagnosticReport.", path)
    entries = _dicts(document, "entry") if kind == "Bundle" else [{"resource": document}]
    known = {key: one["resource"] for one in entries if isinstance(one.get("resource"), dict) for key in _keys(one)}
    reports = [one["resource"] for one in entries if _kind(one.get("resource")) == "DiagnosticReport"]
    if not reports:
        yield Rejected(str(path), "This FHIR bundle has no DiagnosticReport.")
    for number, report in enumerate(reports, 1):
        name = str(path) if len(reports) == 1 else f"{path} report {number}"
        yield _case(report, known, name)


def _case(report: Resource, known: dict[str, Resource], name: str) -> FoundCase | Rejected:
    status = _text(report, "status")
    if status not in FINAL:
        return Rejected(name, f"This report is not final (status {status or 'missing'}).")
    known = {**known, **{f"#{_text(one, 'id')}": one for one in _dicts(report, "contained")}}

    def referred(key: str, parent: Resource = report) -> list[Resource]:
        value = parent.get(key)
        links = value if isinstance(value, list) else [value]
        return [
            known[one["reference"]] for one in links if isinstance(one, dict) and str(one.get("reference")) in known
        ]

    studies = [one for one in (*referred("imagingStudy"), *referred("study")) if _kind(one) == "ImagingStudy"]
    orders = [one for one in referred("basedOn") if _kind(one) == "ServiceRequest"]
    patient = next(iter(referred("subject")), {})
    people = [*referred("performer"), *referred("resultsInterpreter")]
    displayed = [_text(one, "display") for key in ("performer", "resultsInterpreter") for one in _dicts(report, key)]
    found = FoundReport(
        name,
        _words(report),
        tuple(uid for study in studies for uid in _uids(study)),
        tuple(dict.fromkeys(number for one in (report, *studies, *orders) for number in _accessions(one))),
        next((_text(one, "value") for one in _dicts(patient, "identifier")), ""),
        next((_text(study, "started") for study in studies), "") or _text(report, "effectiveDateTime"),
        _SEXES.get(_text(patient, "gender"), ""),
        modality=_modality(studies),
        description=next((_text(study, "description") for study in studies), ""),
        identifiers=(*(name for one in (patient, *people) for name in _names(one)), *filter(None, displayed)),
    )
    return report_case(found)


def _words(report: Resource) -> str:
    """The text as it is presented, else its conclusion, else its narrative."""
    for one in _dicts(report, "presentedForm"):
        kind = _text(one, "contentType").split(";")[0]
        if kind in ("text/plain", "text/html"):
            try:
                text = base64.b64decode(_text(one, "data"), validate=True).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                continue
            if text.strip():
                return _plain(text) if kind == "text/html" else text
    narrative = report.get("text")
    div = _text(narrative, "div") if isinstance(narrative, dict) else ""
    return _text(report, "conclusion") or _plain(div)


class _Plain(HTMLParser):
    BLOCKS = frozenset(("p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4"))

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += "\n" if tag in self.BLOCKS else ""


def _plain(page: str) -> str:
    parser = _Plain()
    parser.feed(page)
    return "\n".join(line.strip() for line in parser.text.splitlines() if line.strip())


def _uids(study: Resource) -> list[str]:
    values = [_text(one, "value") for one in _dicts(study, "identifier") if _text(one, "system") == "urn:dicom:uid"]
    return [value.removeprefix(_UID) for value in values if value]


def _accessions(resource: Resource) -> list[str]:
    return [
        _text(one, "value")
        for one in _dicts(resource, "identifier")
        if "ACSN" in {_text(code, "code") for code in _dicts(one.get("type") or {}, "coding")}
    ]


def _modality(studies: list[Resource]) -> str:
    codes = {_text(one.get("modality") or {}, "code") for study in studies for one in _dicts(study, "series")}
    return codes.pop() if len(codes) == 1 else ""


def _names(person: Resource) -> list[str]:
    value = person.get("name")
    found = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            given = one.get("given")
            words = [_text(one, "family"), *(str(word) for word in (given if isinstance(given, list) else ()))]
            found += [_text(one, "text"), "^".join(filter(None, words))]
        elif isinstance(one, str):
            found.append(one)
    return [name for name in found if name]


def _keys(entry: Resource) -> list[str]:
    """What references to the resource of an entry say: its full URL, or its type and id."""
    resource = entry["resource"]
    local = f"{_kind(resource)}/{_text(resource, 'id')}" if _text(resource, "id") else ""
    return [key for key in (_text(entry, "fullUrl"), local) if key]


def _kind(resource: object) -> str:
    return _text(resource, "resourceType") if isinstance(resource, dict) else ""


def _text(resource: Any, key: str) -> str:
    value = resource.get(key) if isinstance(resource, dict) else None
    return value if isinstance(value, str) else ""


def _dicts(resource: Any, key: str) -> list[Resource]:
    value = resource.get(key) if isinstance(resource, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
