"""Says what the Basic Application Level Confidentiality Profile does to each element (PS3.15 table E.1-1).

The table is that of dicom-anonymizer, which follows the standard. Its own rules are not used: they stop at the top
level of a dataset. Knows no dataset and no pixels.
"""

import functools
from enum import Enum, auto

from pydicom.datadict import dictionary_has_tag
from pydicom.tag import BaseTag

EDITION = "2026c"
"""Of the standard, and of the table."""
CODES = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113101", "Clean Pixel Data Option"),
)
"""Of CID 7050 (PS3.16): the profile, and the only option that is on."""
DUMMY_DATE, DUMMY_TIME = "19000101", "000000"
DUMMIES = {
    **dict.fromkeys(("LO", "SH", "PN", "CS", "ST", "LT", "UT", "UC", "AE"), "ANONYMIZED"),
    **dict.fromkeys(("DS", "IS"), "0"),
    **dict.fromkeys(("US", "SS", "UL", "SL", "FD", "FL"), 0),
    "AS": "000Y",
    "DA": DUMMY_DATE,
    "DT": DUMMY_DATE,
    "TM": DUMMY_TIME,
}
"""What stands in for a value that must not be empty, by VR; what has none is removed."""
_NEVER = frozenset(("PN", "AE", "UR", "DA", "DT", "TM", "LT", "ST", "UT", "UC", "UN", "OB", "OF", "OD", "OL", "OV"))
"""VRs that are removed where the table does not have the element: names, dates, free text and bytes."""
_KEPT_BYTES = frozenset((0x00082001, 0x00080119, 0x00282000))
"""ICC Profile and Long Code Value, which images and codes need."""
_GROUPS = (0x0400, 0x5400)
"""Groups that are removed: digital signatures with what they encrypt, and waveforms, which may be speech."""
_LOCAL_UIDS = frozenset((0x0008010C, 0x00080117, 0x00080118))
"""UIDs of coding schemes, context groups and mapping resources: nothing in an image refers to them."""


_ACQUISITION_CONTEXT = 0x00400555
"""X/Z in the table; enhanced images must have the sequence, if empty."""
CODE_VALUES = frozenset((0x00080100, 0x00080102, 0x00080103, 0x00080105))
"""Code Value and the like: numbers that are no telephone numbers."""


class Action(Enum):
    """What becomes of an element."""

    KEEP = auto()
    """As it is, unless it says what identifies somebody; a sequence item by item."""
    REMOVE = auto()
    EMPTY = auto()
    DUMMY = auto()
    UID = auto()
    """Another UID, the same one wherever it stands in an export."""


def action(tag: BaseTag, vr: str) -> Action:
    """What becomes of an element.

    Where the table leaves a choice that depends on what an IOD requires (such as X/Z/D), the value is replaced, which
    is valid in each of them. Private elements, curves, overlays and what the data dictionary does not have are removed.

    Args:
        tag: of the element, at whatever depth.
        vr: as the file or the dictionary says.
    """
    group = tag.group
    if tag.is_private or group < 8 or group >> 8 in (0x50, 0x60) or group in _GROUPS or tag in _LOCAL_UIDS:
        return Action.REMOVE
    if tag == _ACQUISITION_CONTEXT:
        return Action.EMPTY
    found = _table().get(int(tag))
    if found is not None:
        return _in_sequence(found, vr)
    if not dictionary_has_tag(tag) or (vr in _NEVER and tag not in _KEPT_BYTES):
        return Action.REMOVE
    return Action.UID if vr == "UI" else Action.KEEP


def _in_sequence(code: str, vr: str) -> Action:
    """The action of a code of the table, such as "X_Z"."""
    if vr == "UI":
        return Action.REMOVE if code == "X" else Action.UID
    if vr == "SQ":
        return Action.KEEP if "U" in code else Action.EMPTY if code == "Z" else Action.REMOVE
    if code == "X":
        return Action.REMOVE
    return Action.DUMMY if "D" in code else Action.EMPTY


@functools.lru_cache(maxsize=1)
def _table() -> dict[int, str]:
    """The codes of the table by tag; those of repeating groups are removed whatever it says."""
    from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as fields

    codes = {"D": fields.D_TAGS, "Z": fields.Z_TAGS, "X": fields.X_TAGS, "U": fields.U_TAGS}
    codes |= {"Z_D": fields.Z_D_TAGS, "X_Z": fields.X_Z_TAGS, "X_D": fields.X_D_TAGS}
    codes |= {"X_Z_D": fields.X_Z_D_TAGS, "X_Z_U": fields.X_Z_U_STAR_TAGS}
    return {tag[0] << 16 | tag[1]: code for code, tags in codes.items() for tag in tags if len(tag) == 2}
