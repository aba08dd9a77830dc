"""Which images someone marked as key images, from Key Object Selection documents (PS3.3 C.17.6). Knows no pixels."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.dicom_bytes import open_bytes
from engine.dicom_file import read_header
from engine.dicom_values import items, numbers, text
from engine.study import FrameRef, Series

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.88.59"
# Titles (PS3.16 CID 7010) of documents that list images for another reason than that they show something: rejected for
# quality or safety, manifests of all that was sent, wrong worklist entry, expired.
NOT_KEY = frozenset(
    ("113001", "113010", "113030", "113031", "113032", "113033", "113034", "113035", "113037", "113038", "113039")
)


@dataclass(frozen=True, slots=True)
class Marked:
    """One marked image: its SOP Instance UID, and which frames of it (0-based; none: the whole image)."""

    sop_uid: str
    frames: tuple[int, ...] = ()


def read(path: Path, member: str | None = None) -> tuple[Marked, ...]:
    """The images that one document marks; none when its title says that they are not key images.

    Raises:
        UserError: the file cannot be read.
    """
    with open_bytes(path, member) as file:
        document = read_header(file)
    if any(text(title, "CodeValue") in NOT_KEY for title in items(document, "ConceptNameCodeSequence")):
        return ()
    return tuple(
        Marked(uid, tuple(int(number) - 1 for number in numbers(reference, "ReferencedFrameNumber")))
        for item in items(document, "ContentSequence")
        if text(item, "ValueType") == "IMAGE"
        for reference in items(item, "ReferencedSOPSequence")
        if (uid := text(reference, "ReferencedSOPInstanceUID"))
    )


def frames_of(series: Series, marked: Iterable[Marked]) -> tuple[FrameRef, ...]:
    """The frames of a series that are marked, in its order; a multi-frame image marked as a whole counts by none."""
    wanted = {(one.sop_uid, frame) for one in marked for frame in one.frames}
    whole = {one.sop_uid for one in marked if not one.frames}
    return tuple(
        ref
        for ref in series.frames
        if (ref.image.sop_uid, ref.frame) in wanted or (ref.image.sop_uid in whole and ref.image.frames == 1)
    )
