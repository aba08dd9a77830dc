"""Writes an exported report as a DICOM Basic Text SR document (PS3.3 A.35.1). Knows no other format.

It is UNVERIFIED unless somebody is named as its verifier, and complete and final only when it is signed.
"""

from typing import Any

from pydicom.sr.codedict import codes
from pydicom.uid import BasicTextSRStorage

from engine.dicom.parser_warnings import collect_warnings
from engine.reports.export.dicom_document import arguments, evidence, identified
from engine.reports.export.exported_report import LABEL, ExportedReport
from engine.reports.stored_report import signature


def as_basic_text_sr(report: ExportedReport) -> bytes:
    """A DICOM file with the text, its addenda and references to the key images.

    The content follows TID 2000 (PS3.16): the label as a comment, findings, addenda, key images.

    Raises:
        UserError: the report has no text, another patient has its Study Instance UID too, or an image cannot be read.
    """
    report.require_text()
    from highdicom.sr import EnhancedSR

    with collect_warnings():
        document = EnhancedSR(
            evidence=evidence(report),
            content=_content(report),
            is_complete=report.signed,
            is_final=report.signed,
            is_verified=bool(report.verifier),
            verifying_observer_name=_person(report.verifier) if report.verifier else None,
            verifying_organization=report.organization or None,
            **arguments("SR"),
        )
        # highdicom has no class for Basic Text SR. Text, names and references to images are what both kinds may hold.
        document.SOPClassUID = document.file_meta.MediaStorageSOPClassUID = BasicTextSRStorage
        return identified(document, report)


def _content(report: ExportedReport) -> Any:
    from highdicom.sr import (
        ContainerContentItem,
        ContentSequence,
        ImageContentItem,
        PnameContentItem,
        RelationshipTypeValues,
        TextContentItem,
    )

    contains = RelationshipTypeValues.CONTAINS

    def section(title: Any, items: list[Any]) -> Any:
        container = ContainerContentItem(name=title, relationship_type=contains)
        container.ContentSequence = ContentSequence(items)
        return container

    def words(title: Any, value: str) -> Any:
        return TextContentItem(name=title, value=value.replace("\n", "\r\n"), relationship_type=contains)

    root = ContainerContentItem(name=codes.LN.DiagnosticImagingReport, template_id="2000")
    parts = []
    if report.signed_by:
        observer = RelationshipTypeValues.HAS_OBS_CONTEXT
        name = _person(report.signed_by)
        parts.append(PnameContentItem(name=codes.DCM.PersonObserverName, value=name, relationship_type=observer))
    parts.append(words(codes.DCM.Comment, LABEL))
    parts.append(section(codes.LN.Findings, [words(codes.DCM.Finding, report.text)]))
    for one in report.addenda:
        said = f"{signature(one.signed_by, one.signed)}\n{one.text}"
        parts.append(section(codes.LN.Addendum, [words(codes.LN.Addendum, said)]))
    if report.provenance:
        parts.append(words(codes.DCM.Comment, "\n".join(report.provenance)))
    if report.key_frames:
        images = [
            ImageContentItem(
                name=codes.SCT.Source,
                referenced_sop_class_uid=one.frame.image.sop_class,
                referenced_sop_instance_uid=one.frame.image.sop_uid,
                referenced_frame_numbers=[one.frame.frame + 1] if one.frame.image.frames > 1 else None,
                relationship_type=contains,
            )
            for one in report.key_frames
        ]
        parts.append(section(codes.LN.KeyImages, images))
    root.ContentSequence = ContentSequence(parts)
    return root


def _person(name: str) -> str:
    """A name as DICOM writes it: "Ada Byron" is "Byron^Ada"; one with carets stays."""
    if "^" in name:
        return name
    *given, family = name.split() or [""]
    return f"{family}^{' '.join(given)}"
