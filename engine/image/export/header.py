"""Makes the header of an exported image out of that of the original, by the profile. Knows no pixels and no files.

A new dataset is built, so what no rule lets through is not there: neither elements of the file meta information nor
bytes that pydicom would copy undecoded.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.values import integer, text
from engine.image.export.identifiers import identifies, is_registered, values_of
from engine.image.export.profile import CODE_VALUES, CODES, DUMMIES, DUMMY_DATE, DUMMY_TIME, EDITION, Action, action

NAME = "Anonymous"
UNICODE = "ISO_IR 192"
"""Defined term of UTF-8 (PS3.3 C.12.1.1.2)."""
METHOD = f"Kindred: PS3.15 {EDITION} Basic Profile, pixel data cleaned"
_CHARACTER_SET, _PIXELS = 0x00080005, 0x7FE0
_WORDS = frozenset(("OW", "US or OW"))
_NUMBERS = frozenset(("DS", "IS"))
_TEXT, _CODED = frozenset(("LO", "SH")), frozenset(("CS", "DS", "IS", "AS", "UC"))


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """UIDs and Patient IDs of one export: the same for the same original, and unlike those of any other export."""

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def uid(self, original: str, patient: str = "") -> str:
        """A UID (PS3.5 B.2) for one of the original. `patient` tells patients apart who share one."""
        digest = hmac.digest(self.secret, f"{patient}\0{original}".encode("utf-8", "surrogatepass"), "sha256")
        return f"2.25.{int.from_bytes(digest[:16], 'big')}"

    def patient_id(self, original: str) -> str:
        """A Patient ID."""
        digest = hmac.digest(self.secret, f"patient\0{original}".encode("utf-8", "surrogatepass"), "sha256")
        return f"ANON-{digest[:6].hex().upper()}"


@dataclass(frozen=True, slots=True)
class Rules:
    """What one header is made by."""

    uid: Callable[[str], str]
    """A UID of the export for one of the original."""
    known: tuple[str, ...]
    """Identifiers that must stand nowhere."""
    big_endian: bool = False
    """The words of the original have their high byte first; an export has it last."""


def deidentified(original: Dataset, rules: Rules) -> Dataset:
    """The elements that may leave, at every depth. Pixel data are left out, and so are damaged values."""
    made = Dataset()
    for tag in original.keys():  # noqa: SIM118 - iterating over a dataset stops at damaged values
        if tag.group == _PIXELS or tag == _CHARACTER_SET:
            continue
        try:
            with collect_warnings():
                element = original[tag]
        except MemoryError:
            raise
        except Exception:  # converters of damaged values raise anything; what cannot be read cannot be cleaned
            continue
        try:
            with collect_warnings():
                replaced = _replaced(element, rules)
        except (TypeError, ValueError, OverflowError):  # of values that do not fit their VR
            continue
        if replaced is not None:
            made.add(replaced)
    return made


def _replaced(element: DataElement, rules: Rules) -> DataElement | None:
    tag, vr, value = element.tag, element.VR, element.value
    what = action(tag, vr)
    if what is Action.REMOVE or (what is Action.DUMMY and vr not in DUMMIES):
        return None
    if vr == "SQ":
        items = [] if what is Action.EMPTY else [deidentified(item, rules) for item in value or ()]
        return DataElement(tag, vr, Sequence(items))
    if what is Action.UID:
        uids = [one if is_registered(one) else rules.uid(one) for one in values_of(value)]
        return DataElement(tag, vr, uids if len(uids) != 1 else uids[0])
    if what is Action.DUMMY:
        return DataElement(tag, vr, DUMMIES[vr])
    if what is Action.EMPTY:
        return DataElement(tag, vr, DUMMIES[vr] if isinstance(DUMMIES.get(vr), int) else None)
    if vr in _TEXT | _CODED:
        texts = values_of(value)
        by_rules = vr in _TEXT and tag not in CODE_VALUES
        kept = ["" if identifies(one, rules.known, by_rules) else one for one in texts]
        if kept != texts:
            return DataElement(tag, vr, kept if len(kept) > 1 and vr not in _NUMBERS else None)
    if vr == "OB" and identifies(bytes(value or b"").decode("latin-1"), rules.known, False):
        return None
    if rules.big_endian and isinstance(value, bytes) and vr in _WORDS:
        value = np.frombuffer(value[: len(value) // 2 * 2], ">u2").astype("<u2").tobytes()
    return DataElement(tag, vr, value)


def identify(made: Dataset, patient_id: str, study_uid: str, series_uid: str, sop_uid: str, number: int) -> None:
    """Write who and what the image is now, how it was made so, and what a DICOMDIR needs of it.

    Args:
        made: a header by `deidentified`.
        patient_id: the new one.
        study_uid: UIDs of the export, like the following.
        series_uid: of the series.
        sop_uid: of the image.
        number: Instance Number where there is none.
    """
    made.SpecificCharacterSet = UNICODE
    made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = NAME, patient_id, "", ""
    made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID = study_uid, series_uid, sop_uid
    made.StudyDate, made.StudyTime, made.StudyID = DUMMY_DATE, DUMMY_TIME, "1"
    made.AccessionNumber = made.ReferringPhysicianName = ""
    if integer(made, "SeriesNumber") is None:
        made.SeriesNumber = 1
    if integer(made, "InstanceNumber") is None:
        made.InstanceNumber = number
    if not text(made, "Modality"):
        made.Modality = "OT"
    made.PatientIdentityRemoved, made.DeidentificationMethod = "YES", METHOD
    made.LongitudinalTemporalInformationModified = "REMOVED"
    made.DeidentificationMethodCodeSequence = Sequence(map(_code, CODES))


def _code(code: tuple[str, str]) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodeMeaning = code
    item.CodingSchemeDesignator = "DCM"
    return item
