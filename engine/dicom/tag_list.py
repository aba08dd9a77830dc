"""Lists the elements of a DICOM header as text, marking those that may identify the patient. Decodes no pixels."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from engine.dicom.file import read_header
from engine.dicom.parser_warnings import collect_warnings
from engine.study import ImageRef
from engine.text.words import counted

MAX_TEXT = 400
"""Characters of a value that are shown."""
_IDENTIFYING_GROUP = 0x0010
_IDENTIFYING_VRS = frozenset({"PN", "DA", "DT", "TM", "UI"})
_IDENTIFYING_WORDS = (
    *("Patient", "Person", "Physician", "Operator", "Institution", "Accession", "Address", "Telephone", "Department"),
    *("StationName", "DeviceSerialNumber", "Identification", "StudyID", "Requesting", "Performing", "Comments"),
    *("AdmissionID", "OrderNumber", "Occupation", "Author", "Verifying", "Observer", "Referring", "Reading"),
)
_TECHNICAL_UIDS = ("SOPClass", "TransferSyntax", "ImplementationClass", "CodingScheme", "MediaStorageSOPClass")
_NUMBERS = frozenset({"US", "SS", "UL", "SL", "FL", "FD", "UV", "SV", "AT", "DS", "IS"})
_BYTES = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})


@dataclass(frozen=True, slots=True)
class Tag:
    """One element."""

    depth: int
    """0 at the top level, one more in each sequence."""
    number: str
    """Group and element, as "0010,0010"."""
    vr: str
    name: str
    value: str
    """For people: truncated to `MAX_TEXT` characters, binary data as its size."""
    identifying: bool
    """May identify the patient, or where and when they were examined (PS3.15 table E.1-1, applied generously)."""

    def matches(self, query: str, with_identity: bool) -> bool:
        """Whether all words of a query occur in the number, name, VR or (unless redacted) value."""
        text = f"{self.number} {self.number.replace(',', '')} {self.name} {self.vr}"
        if with_identity or not self.identifying:
            text += f" {self.value}"
        return all(word in text.casefold() for word in query.casefold().split())


def tag_list(image: ImageRef) -> tuple[Tag, ...]:
    """All elements before the pixel data, file meta information first, sequences unfolded.

    Raises:
        UserError: the file no longer exists, is not DICOM, or is damaged.
    """
    with collect_warnings(), image.origin.open() as file:
        dataset = read_header(file)
        return (*_walk(dataset.file_meta, 0), *_walk(dataset, 0))


def _walk(dataset: Dataset, depth: int, inherited: bool = False) -> Iterator[Tag]:
    for tag in sorted(dataset.keys()):
        number = f"{tag.group:04X},{tag.element:04X}"
        try:
            element = dataset[tag]
            value, items = _text(element), list(element.value) if element.VR == "SQ" else []
        except Exception as error:  # converters of damaged values raise anything
            yield Tag(depth, number, "", "Damaged element", type(error).__name__, True)
            continue
        identifying = inherited or _identifying(element)
        yield Tag(depth, number, str(element.VR), element.name, value, identifying and bool(value) and not items)
        for item in items:
            yield from _walk(item, depth + 1, inherited or element.tag.is_private)


def _identifying(element: DataElement) -> bool:
    keyword = element.keyword
    if element.tag.is_private:
        return element.VR not in _NUMBERS
    if element.VR == "UI":
        return not keyword.startswith(_TECHNICAL_UIDS)
    in_group = element.tag.group == _IDENTIFYING_GROUP
    return in_group or element.VR in _IDENTIFYING_VRS or any(word in keyword for word in _IDENTIFYING_WORDS)


def _text(element: DataElement) -> str:
    if element.VR == "SQ":
        return counted(len(element.value), "item")
    value = element.value
    if value is None:
        return ""
    if element.VR in _BYTES or isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if element.VR == "UI" and hasattr(value, "name") and value.name != value:
        return f"{value} ({value.name})"
    parts = value if isinstance(value, list | tuple) or element.VM > 1 else [value]
    joined = " \\ ".join(str(part) for part in parts).replace("\0", "").replace("\r", "").replace("\n", " ")
    return joined if len(joined) <= MAX_TEXT else f"{joined[:MAX_TEXT]} …"
