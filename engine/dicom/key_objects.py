"""Reads Key Object Selection documents (PS3.3 A.35.4): which images were marked, and why. Knows no pixels.

Only the title and the references are read: the description is free text that may identify the patient.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pydicom.dataset import Dataset

from engine.dicom.values import FileHeader, Header, item, items, numbers, raw, text
from engine.errors import UserError
from engine.study import FrameRef, Series

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.88.59"
"""Key Object Selection Document Storage."""
_REJECTION_TITLES = frozenset(("113001", "113010", "113037", "113038", "113039"))
"""Titles (PS3.16 CID 7010): rejected for quality, quality issue, rejected for patient safety, incorrect modality
worklist entry, data retention policy expired."""
_INVENTORY_TITLES = frozenset(("113030", "113031", "113032", "113033", "113034", "113035"))
"""Titles of documents that list everything sent or acquired."""
_TITLE_MODIFIER = "113011"
"""Document Title Modifier (PS3.16 TID 2010)."""
_MAX_MEANING = 64
"""Characters of a code meaning (VR LO, PS3.5 6.2)."""


@dataclass(frozen=True, slots=True)
class KeyImage:
    """One marked image."""

    sop_uid: str
    frames: frozenset[int] = frozenset()
    """0-based frame numbers; empty for the whole image."""


@dataclass(frozen=True, slots=True)
class KeyObject:
    """One Key Object Selection document."""

    name: str
    """Name of its origin, for lists and messages."""
    sop_uid: str
    study_uid: str
    title: str
    """The meanings of the title code and of its modifiers (PS3.16 TID 2010), such as "Of Interest"."""
    is_rejection_note: bool
    """A rejection or quality note (reasons in PS3.16 CID 7011): the images are not key images."""
    key_images: tuple[KeyImage, ...]

    def as_dict(self) -> dict[str, object]:
        """The document for JSON."""
        return {"path": self.name, "title": self.title, "warns": self.is_rejection_note, "images": len(self.key_images)}


def key_object(document: FileHeader, name: str) -> KeyObject:
    """The title and the marked images of one document.

    Args:
        document: its whole header, parsed by pydicom.
        name: name of its origin.

    Raises:
        UserError: it marks no image.
    """
    code = item(document, "ConceptNameCodeSequence")
    value = text(code, "CodeValue") if code is not None and text(code, "CodingSchemeDesignator") in ("DCM", "") else ""
    if value in _INVENTORY_TITLES:
        raise UserError("This Key Object Selection lists all images and marks no key image.")
    content = items(document, "ContentSequence")
    marked = dict.fromkeys(one for part in content if text(part, "ValueType") == "IMAGE" for one in _references(part))
    if not marked:
        raise UserError("This Key Object Selection refers to no image; send it again.")
    reasons = [
        _meaning(item(part, "ConceptCodeSequence"))
        for part in content
        if text(item(part, "ConceptNameCodeSequence") or Dataset(), "CodeValue") == _TITLE_MODIFIER
    ]
    title = _meaning(code) or "Marked in the study"
    return KeyObject(
        name=name,
        sop_uid=text(document, "SOPInstanceUID"),
        study_uid=text(document, "StudyInstanceUID"),
        title=": ".join([title, ", ".join(filter(None, reasons))]) if any(reasons) else title,
        is_rejection_note=value in _REJECTION_TITLES,
        key_images=tuple(marked),
    )


def frames_of(series: Series, marked: Iterable[KeyImage]) -> tuple[FrameRef, ...]:
    """The marked frames of a series, in its order. Of a multi-frame image marked as a whole, none."""
    wanted = {(one.sop_uid, frame) for one in marked for frame in one.frames}
    whole = {one.sop_uid for one in marked if not one.frames}
    return tuple(
        ref
        for ref in series.frames
        if (ref.image.sop_uid, ref.frame) in wanted or (ref.image.sop_uid in whole and ref.image.frames == 1)
    )


def _references(part: Header) -> Iterable[KeyImage]:
    """Images referenced by one content item, whose frame numbers count from 1 (PS3.3 10.3)."""
    for reference in items(part, "ReferencedSOPSequence"):
        uid = text(reference, "ReferencedSOPInstanceUID")
        frames = frozenset(int(number) - 1 for number in numbers(reference, "ReferencedFrameNumber") if number >= 1)
        # invalid frame numbers must not mark the whole image
        if uid and (frames or raw(reference, "ReferencedFrameNumber") is None):
            yield KeyImage(uid, frames)


def _meaning(code: Header | None) -> str:
    return " ".join(text(code, "CodeMeaning").split())[:_MAX_MEANING] if code is not None else ""
