"""Gathers what a header says of the identity of anybody, and finds it in the values of a dataset. Changes nothing."""

import functools
import re
from collections.abc import Iterable, Iterator

from pydicom._uid_dict import UID_dictionary
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from engine.dicom.header import INSTITUTIONS
from engine.dicom.parser_warnings import collect_warnings
from engine.image.export.profile import DUMMIES
from engine.text.deidentify import clean
from engine.text.known_names import institution, known_spans

_NUMBERS = (
    *("PatientID", "OtherPatientIDs", "AccessionNumber", "AdmissionID", "ServiceEpisodeID", "RequestedProcedureID"),
    *("DeviceSerialNumber", "PatientBirthDate", "StudyDate", "PatientTelephoneNumbers"),
)
_OURS = frozenset(map(str.lower, ("Anonymous", "Kindred", *(str(one) for one in DUMMIES.values()))))
"""Words that an export puts in, as the header of an exported study may say too."""
_WRITTEN = frozenset((0x00100010, 0x00100020, 0x00200010, 0x00120062, 0x00120063, 0x00120064, 0x00280303))
"""Elements that an export writes itself."""
_CHECKED = frozenset(("LO", "SH", "CS", "DS", "IS", "ST", "LT", "UT", "UC", "PN", "AE", "UR", "AS"))
_TIMES = frozenset(("DA", "DT", "TM"))


def identifiers_of(dataset: Dataset) -> tuple[str, ...]:
    """Names, numbers and institutions that a header states, at any depth, for `known_spans`."""
    found: dict[str, None] = {}
    for one in _datasets(dataset):
        for tag in one.keys():  # noqa: SIM118 - iterating over a dataset stops at damaged values
            element = _element(one, tag)
            if element is None or element.is_empty:
                continue
            if element.VR == "PN" or element.keyword in _NUMBERS:
                found |= dict.fromkeys(values_of(element.value))
            elif element.keyword in INSTITUTIONS:
                found |= dict.fromkeys(map(institution, values_of(element.value)))
    return tuple(one for one in found if not any(word in _OURS for word in re.findall(r"\w+", one.lower())))


def uids_of(dataset: Dataset) -> frozenset[str]:
    """All UIDs of a dataset, at any depth, but those that the standard gave out."""
    found: set[str] = set()
    for one in _datasets(dataset):
        for tag in one.keys():  # noqa: SIM118
            element = _element(one, tag)
            if element is not None and element.VR == "UI":
                found.update(uid for uid in values_of(element.value) if not is_registered(uid))
    return frozenset(found)


def is_registered(uid: str) -> bool:
    """Whether the standard itself gave out this UID (PS3.6 A)."""
    return uid in UID_dictionary


def values_of(value: object) -> list[str]:
    """The values of an element as text."""
    several = value if isinstance(value, Iterable) and not isinstance(value, str | bytes) else [value]
    return [text for one in several if one is not None and (text := str(one).strip())]


@functools.lru_cache(maxsize=1 << 14)
def identifies(text: str, known: tuple[str, ...], by_rules: bool) -> bool:
    """Whether a value holds a known identifier, or `by_rules` what looks like a name, a number or a date."""
    return bool(clean(text, known).removed if by_rules else known_spans(text, known))


def left_in(dataset: Dataset, known: tuple[str, ...], uids: frozenset[str]) -> str:
    """The tag of an element of a written file that an export must not hold, as proof; "" for none.

    Args:
        dataset: of the file.
        known: identifiers that the original states.
        uids: of the original.
    """
    for one in _datasets(dataset):
        for tag in one.keys():  # noqa: SIM118
            element = _element(one, tag)
            if element is None or tag.is_private:
                return str(tag)
            if element.VR == "SQ" or tag in _WRITTEN:
                continue
            values = values_of(element.value) if element.VR in _CHECKED | _TIMES | {"UI"} else []
            if element.VR == "UI" and uids.intersection(values):
                return str(tag)
            if element.VR in _TIMES and not all(text in DUMMIES.values() for text in values):
                return str(tag)
            if element.VR in _CHECKED and any(identifies(text, known, False) for text in values):
                return str(tag)
    return ""


def _datasets(dataset: Dataset) -> Iterator[Dataset]:
    """The dataset and all items of its sequences; damaged ones are left out."""
    yield dataset
    for tag in dataset.keys():  # noqa: SIM118
        element = _element(dataset, tag)
        if element is not None and element.VR == "SQ":
            for item in element.value or ():
                yield from _datasets(item)


def _element(dataset: Dataset, tag: int) -> DataElement | None:
    try:
        with collect_warnings():
            found: DataElement = dataset[tag]
            return found
    except MemoryError:
        raise
    except Exception:  # converters of damaged values raise anything
        return None
