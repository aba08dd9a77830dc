"""Gives the reason why DICOM objects without a viewable image are rejected. Knows SOP Class UIDs only (PS3.6 A)."""

from pydicom._uid_dict import UID_dictionary
from pydicom.config import IGNORE
from pydicom.uid import UID

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
_STORAGE = "1.2.840.10008.5.1.4.1.1."

_EXACT = {
    _STORAGE + "66.4": "This is a segmentation of other images; open those images instead.",
    _STORAGE + "66.5": "This is a surface segmentation of other images; open those images instead.",
    _STORAGE + "481.3": "This is a radiotherapy structure set (contours on other images); open those images instead.",
    _STORAGE + "4.2": "MR spectroscopy is not supported.",
    _STORAGE + "66": "This is raw scanner data without an image; open the reconstructed images instead.",
    _STORAGE + "104.1": "This is an encapsulated PDF document; open it in a document viewer.",
    _STORAGE + "104.2": "This is an encapsulated clinical document (CDA); open it in a document viewer.",
}
_PREFIXES = (
    (_STORAGE + "88.", "This is a structured report without an image."),
    (_STORAGE + "11.", "This is a presentation state (display settings for other images); open those images instead."),
    (_STORAGE + "9.", "This is a waveform (such as an ECG) without an image."),
    (_STORAGE + "66.", "This is a registration, fiducial or tractography object without an image."),
    (_STORAGE + "104.", "This is an encapsulated 3D model or other document without an image."),
    (_STORAGE + "78.", "This is a set of eye measurements without an image."),
    (_STORAGE + "200.", "This is a scan protocol without an image."),
    ("1.2.840.10008.5.1.4.38.", "This is a hanging protocol without an image."),
    ("1.2.840.10008.5.1.4.39.", "This is a color palette without an image."),
)
_NOT_MEDICAL = (_STORAGE + "501.", _STORAGE + "601.")
"""Security (DICOS) and industry (DICONDE)."""
_OTHER_IMAGES = {_STORAGE + one for one in ("6.2", "30", "77.1.5.8", "81.1", "82.1", "481.2")}
"""Images whose SOP class is not called one: volumes, maps and doses."""
_RADIOTHERAPY = _STORAGE + "481."
_RADIOTHERAPY_IMAGES = {_STORAGE + "481.1", _STORAGE + "481.2", _STORAGE + "481.23", _STORAGE + "481.24"}


def why_not_an_image(sop_class: str) -> str:
    """The reason to reject objects of this SOP class, which have no viewable image; "" for images."""
    if sop_class in _EXACT:
        return _EXACT[sop_class]
    for prefix, reason in _PREFIXES:
        if sop_class.startswith(prefix):
            return reason
    if sop_class.startswith(_RADIOTHERAPY) and sop_class not in _RADIOTHERAPY_IMAGES:
        return "This is a radiotherapy plan or treatment record without an image."
    return ""


def sop_class_name(sop_class: str) -> str:
    """Name of a SOP class in PS3.6, for example "CT Image"; "DICOM object" for an unknown one."""
    name = UID(sop_class, validation_mode=IGNORE).name if sop_class else ""
    return name.removesuffix(" Storage") if name and name != sop_class else "DICOM object"


def image_sop_classes() -> tuple[str, ...]:
    """The Storage SOP Classes of PS3.6 A that are medical images, retired ones included and video left out."""
    named = {uid: entry[0] for uid, entry in UID_dictionary.items() if uid.startswith(_STORAGE)}
    images = {uid for uid, name in named.items() if "Image" in name and not name.startswith("Video")}
    images = {uid for uid in images if not uid.startswith(_NOT_MEDICAL)} | _OTHER_IMAGES
    return tuple(uid for uid in named if uid in images and not why_not_an_image(uid))
