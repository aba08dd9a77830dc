"""Says in plain words why a DICOM object without a viewable image is not opened. Knows UIDs only (PS3.6 Annex A)."""

from pydicom.uid import UID

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
_STORAGE = "1.2.840.10008.5.1.4.1.1."

_EXACT = {
    _STORAGE + "66.4": "It is a segmentation: it marks regions of other images. Open those images instead.",
    _STORAGE + "66.5": "It is a surface segmentation: it marks regions of other images. Open those images instead.",
    _STORAGE + "481.3": "It is a radiotherapy structure set: contours on other images. Open those images instead.",
    _STORAGE + "4.2": "It holds MR spectra, which Kindred does not show.",
    _STORAGE + "66": "It holds raw scanner data and no image; open the reconstructed images instead.",
    _STORAGE + "104.1": "It is a PDF document in DICOM form; open it in a document viewer.",
    _STORAGE + "104.2": "It is a clinical document (CDA) in DICOM form; open it in a document viewer.",
}
_PREFIXES = (
    (_STORAGE + "88.", "It is a structured report and holds no image."),
    (_STORAGE + "11.", "It is a presentation state: display settings for other images. Open those images instead."),
    (_STORAGE + "9.", "It holds a waveform (such as an ECG) and no image."),
    (_STORAGE + "66.", "It describes how other images relate (registration, fiducials, tracts) and holds no image."),
    (_STORAGE + "104.", "It is a 3D model or other document in DICOM form and holds no image."),
    (_STORAGE + "78.", "It holds eye measurements and no image."),
    (_STORAGE + "200.", "It is a scan protocol and holds no image."),
    ("1.2.840.10008.5.1.4.38.", "It is a hanging protocol and holds no image."),
    ("1.2.840.10008.5.1.4.39.", "It is a colour palette and holds no image."),
)
_RADIOTHERAPY = _STORAGE + "481."
_RADIOTHERAPY_IMAGES = {_STORAGE + "481.1", _STORAGE + "481.2", _STORAGE + "481.23", _STORAGE + "481.24"}


def why_not_an_image(sop_class: str) -> str:
    """One sentence when objects of this SOP class hold no image to look at, else ""."""
    if sop_class in _EXACT:
        return _EXACT[sop_class]
    for prefix, reason in _PREFIXES:
        if sop_class.startswith(prefix):
            return reason
    if sop_class.startswith(_RADIOTHERAPY) and sop_class not in _RADIOTHERAPY_IMAGES:
        return "It is a radiotherapy plan or treatment record and holds no image."
    return ""


def sop_class_name(sop_class: str) -> str:
    """The standard's name of a SOP class, for example "CT Image"; "DICOM object" when it is not known."""
    name = UID(sop_class).name if sop_class else ""
    return name.removesuffix(" Storage") if name and name != sop_class else "DICOM object"
