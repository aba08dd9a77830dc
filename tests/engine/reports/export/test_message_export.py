"""Exported FHIR bundles and HL7 messages, read by fhir.resources and by the hl7 package."""

import json
from dataclasses import replace

import hl7
from fhir.resources.R4B.bundle import Bundle

from engine.reports.draft import NOTICE
from engine.reports.export.exported_report import LABEL, ExportedReport
from engine.reports.export.fhir import as_fhir
from engine.reports.export.hl7_oru import as_oru
from engine.reports.stored_report import StoredReport
from engine.study import Study
from tests.engine.reports.export.conftest import TEXT


def message(report: ExportedReport) -> hl7.Message:
    return hl7.parse(as_oru(report))


def test_a_bundle_is_valid_fhir_and_its_report_refers_to_the_study_and_the_patient(report: ExportedReport) -> None:
    bundle = Bundle.model_validate_json(as_fhir(report))
    resources = {entry.fullUrl: entry.resource for entry in bundle.entry}
    diagnostic, imaging, patient = resources.values()
    assert resources[diagnostic.imagingStudy[0].reference] is imaging
    assert resources[diagnostic.subject.reference] is resources[imaging.subject.reference] is patient
    assert imaging.identifier[0].value == f"urn:oid:{report.study.uid}"
    assert imaging.identifier[1].value == diagnostic.identifier[0].value == "ACC 7"
    assert (imaging.numberOfSeries, imaging.numberOfInstances) == (1, 3)
    assert [one.uid for one in imaging.series[0].instance] == [one.frame.image.sop_uid for one in report.key_frames]
    assert (patient.identifier[0].value, patient.gender) == ("P-17", "female")
    assert (patient.name[0].family, patient.name[0].given, str(patient.birthDate)) == ("Müller", ["Ada"], "1970-12-24")


def test_a_bundle_has_the_text_its_state_and_the_label(report: ExportedReport) -> None:
    diagnostic = Bundle.model_validate_json(as_fhir(report)).entry[0].resource
    assert diagnostic.status == "appended"
    assert diagnostic.conclusion.startswith(TEXT)
    assert "Also a rib fracture." in diagnostic.conclusion
    assert LABEL in diagnostic.text.div
    assert NOTICE in diagnostic.presentedForm[0].data.decode()
    assert diagnostic.meta.security[0].code == "HRESCH"
    assert diagnostic.resultsInterpreter[0].display == "Grace Hopper"


def test_an_unsigned_report_is_preliminary(study: Study, stored: StoredReport) -> None:
    draft = ExportedReport.of(study, replace(stored, state="edited", signed_by="", addenda=()))
    bundle = Bundle.model_validate_json(as_fhir(draft))
    assert bundle.entry[0].resource.status == "preliminary"
    assert message(draft).segment("OBR")(25) == ["P"]


def test_a_bundle_has_no_empty_value(report: ExportedReport) -> None:
    bare = replace(report.study, accession="", description="", date="", patient=replace(report.study.patient, name=""))
    text = as_fhir(replace(report, study=bare))
    Bundle.model_validate_json(text)
    assert '""' not in text
    assert {} not in json.loads(text)["entry"]


def test_a_message_is_for_training_and_names_patient_order_and_study(report: ExportedReport) -> None:
    found = message(report)
    assert str(found.segment("MSH")(9)) == "ORU^R01^ORU_R01"
    assert str(found.segment("MSH")(11)) == "T"
    assert str(found.segment("MSH")(18)) == "UNICODE UTF-8"
    assert str(found.segment("PID")(3)) == "P-17"
    assert str(found.segment("PID")(5)) == "Müller^Ada^^^Dr"
    assert (str(found.segment("PID")(7)), str(found.segment("PID")(8))) == ("19701224", "F")
    assert str(found.segment("OBR")(3)) == str(found.segment("OBR")(18)) == "ACC 7"
    assert str(found.segment("OBR")(7)) == "20260304140500"
    assert str(found.segment("OBR")(25)) == "F"
    assert str(found.segments("OBX")[0](5)) == report.study.uid


def test_the_text_of_a_message_is_read_back_word_for_word(report: ExportedReport) -> None:
    found = message(report)
    rows = [one for one in found.segments("OBX") if str(one(2)) == "TX"]
    lines = [found.unescape(str(one(5))) for one in rows]
    assert lines[0] == LABEL
    assert "\n".join(lines[1:]).startswith(TEXT)
    assert [found.unescape(str(one(5))) for one in rows if "Addendum" in str(one(3))][1:] == ["Also a rib fracture."]
