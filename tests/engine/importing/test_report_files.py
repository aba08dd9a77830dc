"""Reports from SR, FHIR and HL7 files: text, what they are joined by, whom they name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from engine.dicom.listing import open_path
from engine.errors import Rejected, UserError
from engine.importing.report_files import read_report_files
from engine.importing.source import FoundCase
from engine.reports.document import Document
from engine.reports.export.exported_report import ExportedReport
from engine.reports.export.formats import FORMATS, export_report
from engine.text.deidentify import clean
from tests.engine.dicom.documents.samples import structured_report
from tests.engine.dicom_samples import derive

ORU = (
    "MSH|^~\\&|RIS|HOSP|PACS|HOSP|20260304||ORU^R01|1|P|2.3\r"
    "PID|1||P-17^^^HOSP~X-9||Quix^Otto^J||19701224|M\r"
    "PV1|1|O|||||77^Zuweiser^Eva\r"
    "OBR|1|PL-3|ACC-7|24627-2^CT Chest|||20260304140500|||||||||||ACC-7|||||||F|||||||55&Hopper&Grace\r"
    "OBX|1|ST|113014^DICOM Study^DCM||1.2.826.0.1.22||||||F\r"
    "OBX|2|TX|24627-2^CT Chest||Right\\T\\left lungs clear.||||||F\r"
    "OBX|3|FT|24627-2^CT Chest||No effusion.\\.br\\Heart normal.~Bones normal.||||||F\r"
)
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "fullUrl": "urn:uuid:1",
            "resource": {
                "resourceType": "DiagnosticReport",
                "status": "final",
                "subject": {"reference": "Patient/p"},
                "imagingStudy": [{"reference": "urn:uuid:2"}],
                "resultsInterpreter": [{"display": "Grace Hopper"}],
                "conclusion": "Lungs clear.",
            },
        },
        {
            "fullUrl": "urn:uuid:2",
            "resource": {
                "resourceType": "ImagingStudy",
                "identifier": [
                    {"system": "urn:dicom:uid", "value": "urn:oid:1.2.826.0.1.22"},
                    {"type": {"coding": [{"code": "ACSN"}]}, "value": "ACC-7"},
                ],
                "started": "2026-03-04T14:05:00Z",
                "description": "CT Chest",
                "series": [{"modality": {"code": "CT"}}],
            },
        },
        {
            "resource": {
                "resourceType": "Patient",
                "id": "p",
                "identifier": [{"value": "P-17"}],
                "name": [{"family": "Quix", "given": ["Otto"]}],
                "gender": "male",
            }
        },
    ],
}
JOINS = (("study", "1.2.826.0.1.22"), ("accession", "ACC-7"), ("visit", "P-17 20260304"))


def read(path: Path, content: str | bytes | dict[str, Any] = "") -> list[FoundCase | Rejected]:
    if content:
        text = json.dumps(content) if isinstance(content, dict) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_report_files(path))


def only(found: list[FoundCase | Rejected]) -> FoundCase:
    (case,) = found
    assert isinstance(case, FoundCase), case
    return case


def reason(found: list[FoundCase | Rejected]) -> str:
    (rejected,) = found
    assert isinstance(rejected, Rejected)
    return rejected.reason


def test_an_hl7_message_gives_text_joins_and_names(tmp_path: Path) -> None:
    case = only(read(tmp_path / "a.hl7", ORU))
    assert case.text == "Right&left lungs clear.\nNo effusion.\nHeart normal.\nBones normal."
    assert set(case.joins) == {*JOINS, ("accession", "PL-3")}
    assert (case.patient, case.sex, case.description) == ("P-17", "M", "CT Chest")
    assert {"Quix^Otto^J", "Zuweiser^Eva", "P-17", "ACC-7"} <= set(case.identifiers)


@pytest.mark.parametrize(
    "change", [lambda t: t.replace("\r", "\n"), lambda t: "\x0b" + t + "\x1c\r", lambda t: "\ufeff" + t]
)
def test_line_ends_and_frames_of_transport_do_not_matter(tmp_path: Path, change: Callable[[str], str]) -> None:
    assert only(read(tmp_path / "a.hl7", change(ORU))).text.startswith("Right&left")


def test_each_order_and_each_message_is_a_report(tmp_path: Path) -> None:
    second = ORU.replace("ACC-7", "ACC-8").split("\r", 3)[3]
    assert len(read(tmp_path / "a.hl7", ORU + second + ORU)) == 3


def test_each_patient_of_a_message_keeps_their_reports(tmp_path: Path) -> None:
    second = ORU.replace("P-17", "P-18").replace("Quix", "Other").split("\r", 1)[1]
    cases = [one for one in read(tmp_path / "a.hl7", ORU + second) if isinstance(one, FoundCase)]
    assert [case.patient for case in cases] == ["P-17", "P-18"]
    assert "Other^Otto^J" in cases[1].identifiers


def test_other_encoding_characters_are_read(tmp_path: Path) -> None:
    other = ORU.replace("^", "%").replace("~", "!").replace("MSH|%!", "MSH|%!")
    assert only(read(tmp_path / "a.hl7", other)).text.endswith("Bones normal.")


def test_a_message_in_latin_1_is_read(tmp_path: Path) -> None:
    assert "Übersicht" in only(read(tmp_path / "a.hl7", ORU.replace("Right", "Übersicht").encode("latin-1"))).text


def test_a_fhir_bundle_gives_text_joins_and_names(tmp_path: Path) -> None:
    case = only(read(tmp_path / "a.json", BUNDLE))
    assert (case.text, case.joins) == ("Lungs clear.", JOINS)
    assert (case.patient, case.sex, case.modality, case.description) == ("P-17", "M", "CT", "CT Chest")
    assert {"Quix^Otto", "Grace Hopper", "P-17", "ACC-7"} <= set(case.identifiers)


def test_a_structured_report_gives_text_joins_and_names(tmp_path: Path) -> None:
    who = {"StudyInstanceUID": "1.2.3", "AccessionNumber": "A1", "PatientName": "Quix^Otto", "StudyDate": "20260304"}
    image = derive(tmp_path / "image.dcm", "CT_small.dcm", PatientID="P-17", **who)
    case = only(read(structured_report(tmp_path / "report.dcm", image)))
    assert "Nodule in the right upper lobe." in case.text
    assert case.joins == (("study", "1.2.3"), ("accession", "A1"), ("visit", "P-17 20260304"))
    assert "Quix^Otto" in case.identifiers


@pytest.mark.parametrize(
    "change", [{"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.67"}, {"template": "5100"}, {"text": "id 7"}]
)
def test_measurements_and_dose_are_no_written_report(tmp_path: Path, change: dict[str, str]) -> None:
    path = structured_report(tmp_path / "report.dcm", derive(tmp_path / "image.dcm", "CT_small.dcm"))
    document = dcmread(path)
    if "template" in change:
        document.ContentTemplateSequence = [Dataset()]
        document.ContentTemplateSequence[0].TemplateIdentifier = change["template"]
    document.SOPClassUID = change.get("SOPClassUID", document.SOPClassUID)
    if "text" in change:
        document.ContentSequence[0].ContentSequence[0].TextValue = change["text"]
    document.save_as(path)
    assert "not a written report" in reason(read(path))


def test_what_is_not_final_is_rejected(tmp_path: Path) -> None:
    assert "not final" in reason(read(tmp_path / "a.hl7", ORU.replace("|F|||||||55", "|P|||||||55")))
    draft = json.loads(json.dumps(BUNDLE))
    draft["entry"][0]["resource"]["status"] = "preliminary"
    assert "not final" in reason(read(tmp_path / "a.json", draft))


def test_what_holds_no_report_is_rejected(tmp_path: Path) -> None:
    assert "not a report (ORU)" in reason(read(tmp_path / "a.hl7", ORU.replace("ORU^R01", "ADT^A01")))
    assert "no order" in reason(read(tmp_path / "a.hl7", ORU.split("OBR")[0]))
    assert "no text" in reason(read(tmp_path / "a.hl7", ORU.split("OBX")[0]))
    assert "no DiagnosticReport" in reason(read(tmp_path / "a.json", {"resourceType": "Bundle"}))


@pytest.mark.parametrize("content", ["{", "{}", '{"resourceType": "Patient"}', '{"a":' * 50_000])
def test_json_that_is_no_fhir_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UserError, match=r"a\.json"):
        list(read_report_files(tmp_path / "a.json"))


def test_hl7_names_relatives_who_ordered_and_who_typed(tmp_path: Path) -> None:
    people = "Mutter, Fruher, Gatte, Besteller and Schreiber"
    segments = (
        "MSH|^~\\&|RIS||||||ORU^R01|1|P|2.5.1",
        "PID|1||P-17||Quix^Otto|Mutter^Ida|||Fruher^Otto",
        "NK1|1|Gatte^Udo|SPO",
        f"ORC|RE{'|' * 11}9^Besteller^Ove",
        f"OBR|1|{'|' * 33}7&Schreiber&Bo",
        f"OBX|1|TX|CT||{people} in order.||||||F",
    )
    case = only(read(tmp_path / "a.hl7", "\r".join(segments)))
    text = clean(case.text, case.identifiers).text
    assert [one for one in people.replace(",", "").split() if one in text] == ["and"]


@pytest.mark.parametrize("name", ["sr", "fhir", "hl7"])
def test_what_kindred_exported_as_a_draft_is_not_archived(name: str, tmp_path: Path) -> None:
    study = open_path(derive(tmp_path / "image.dcm", "CT_small.dcm")).studies[0]
    report = ExportedReport.of(study, None, Document("Lungs clear."))
    path = tmp_path / f"report{FORMATS[name].suffix}"
    export_report(report, name, path)
    text = path.read_bytes()
    if name == "hl7":
        path.write_bytes(text.replace(b"|P\r", b"|F\r").replace(b"RAD|P|", b"RAD|F|"))
    if name == "fhir":
        path.write_bytes(text.replace(b"preliminary", b"final"))
    assert "exported by Kindred" in reason(read(path))


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "a.hl7").write_text(ORU)
    (folder / "b.json").write_text(json.dumps(BUNDLE))
    (folder / "c.json").write_text("{")
    (folder / "d.txt").write_text("no report")
    found = read(folder)
    assert [isinstance(one, FoundCase) for one in found] == [True, True, False, False]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.hl7 does not exist"):
        list(read_report_files(tmp_path / "none.hl7"))
