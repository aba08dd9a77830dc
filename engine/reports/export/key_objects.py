"""Writes the key images of a study as a DICOM Key Object Selection document (PS3.3 A.35.4). Knows no report text."""

from pydicom.sr.codedict import codes

from engine.dicom.parser_warnings import collect_warnings
from engine.errors import UserError
from engine.reports.export.dicom_document import arguments, evidence, identified
from engine.reports.export.exported_report import LABEL, ExportedReport


def as_key_objects(report: ExportedReport) -> bytes:
    """A DICOM file that refers to the key images as "Of Interest".

    Raises:
        UserError: no key image is marked, another patient has the Study Instance UID too, or an image cannot be read.
    """
    if not report.key_frames:
        raise UserError("This study has no key image to export; mark one first.")
    from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument

    with collect_warnings():
        images = evidence(report)
        content = KeyObjectSelection(codes.DCM.OfInterest, images, description=LABEL)
        document = KeyObjectSelectionDocument(images, content, **arguments("KO"))
        frames: dict[str, list[int]] = {}
        for one in report.key_frames:
            if one.frame.image.frames > 1:
                frames.setdefault(one.frame.image.sop_uid, []).append(one.frame.frame + 1)
        for part in document.ContentSequence:
            for reference in part.get("ReferencedSOPSequence", ()):
                if reference.ReferencedSOPInstanceUID in frames:
                    reference.ReferencedFrameNumber = frames[reference.ReferencedSOPInstanceUID]
        return identified(document, report)
