"""Reads Key Object Selection documents (PS3.3 A.35.4): which images someone marked, and why. Knows no pixels.

Of a document only its title and its references are taken: its description is free text that may name the patient.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pydicom.dataset import Dataset

from engine.dicom.values import FileHeader, Header, item, items, numbers, raw, text
from engine.errors import UserError
from engine.study import FrameRef, Series

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.88.59"
# Titles (PS3.16 CID 7010) that warn of images: rejected for quality or safety, a quality issue, wrong worklist entry,
# kept longer than the policy allows.
_WARN = frozenset(("113001", "113010", "113037", "113038", "113039"))
# Titles of documents that list all that was sent or acquired.
_INVENTORY = frozenset(("113030", "113031", "113032", "113033", "113034", "113035"))
_TITLE_MODIFIER = "113011"
_LONGEST = 64
"""Characters of a code meaning (LO, PS3.5 6.2)."""


@dataclass(frozen=True, slots=True)
class KeyImage:
    """One marked image: its SOP Instance UID, and which frames of it (0-based; none: the whole image)."""

    sop_uid: str
    frames: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class KeyObject:
    """One document: where it lies, what its title says of the images, and which images it names."""

    name: str
    sop_uid: str
    study_uid: str
    title: str
    """The meanings of the title code and of its modifiers (PS3.16 TID 2010), such as "Of Interest"."""
    is_rejection_note: bool
    """A rejection or quality note (PS3.16 CID 7011 says why): the images are no recommendation."""
    key_images: tuple[KeyImage, ...]

    def as_dict(self) -> dict[str, object]:
        return {"path": self.name, "title": self.title, "warns": self.is_rejection_note, "images": len(self.key_images)}


def key_object(document: FileHeader, name: str) -> KeyObject:
    """What one document says.

    Args:
        document: its whole header, parsed by pydicom.
        name: where it lies, for messages.

    Raises:
        UserError: it marks nothing.
    """
    code = item(document, "ConceptNameCodeSequence")
    value = text(code, "CodeValue") if code is not None and text(code, "CodingSchemeDesignator") in ("DCM", "") else ""
    if value in _INVENTORY:
        raise UserError("It is a list of all images (Key Object Selection) and marks none as a key image.")
    content = items(document, "ContentSequence")
    marked = dict.fromkeys(one for part in content if text(part, "ValueType") == "IMAGE" for one in _references(part))
    if not marked:
        raise UserError("It is a list of key images (Key Object Selection) that names no image; send it again.")
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
        is_rejection_note=value in _WARN,
        key_images=tuple(marked),
    )


def frames_of(series: Series, marked: Iterable[KeyImage]) -> tuple[FrameRef, ...]:
    """The frames of a series that are marked, in its order; a multi-frame image marked as a whole counts by none."""
    wanted = {(one.sop_uid, frame) for one in marked for frame in one.frames}
    whole = {one.sop_uid for one in marked if not one.frames}
    return tuple(
        ref
        for ref in series.frames
        if (ref.image.sop_uid, ref.frame) in wanted or (ref.image.sop_uid in whole and ref.image.frames == 1)
    )


def _references(part: Header) -> Iterable[KeyImage]:
    """Images of one content item; frame numbers count from 1 (PS3.3 10.3)."""
    for reference in items(part, "ReferencedSOPSequence"):
        uid = text(reference, "ReferencedSOPInstanceUID")
        frames = frozenset(int(number) - 1 for number in numbers(reference, "ReferencedFrameNumber") if number >= 1)
        # numbers that are none must not mark the whole image
        if uid and (frames or raw(reference, "ReferencedFrameNumber") is None):
            yield KeyImage(uid, frames)


def _meaning(code: Header | None) -> str:
    return " ".join(text(code, "CodeMeaning").split())[:_LONGEST] if code is not None else ""
