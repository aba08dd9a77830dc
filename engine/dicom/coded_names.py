"""Names the codes of body regions and views in plain English, whatever language the header names them in."""

from collections.abc import Iterator, Sequence
from functools import cache

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from engine.dicom.values import text

GROUPS = ("cid4", "cid4009", "cid4030", "cid4031", "cid4010", "cid4014")
"""Context groups (PS3.16): anatomic regions, anatomy imaged by DX and by CT, MR and PET, common regions, DX and
mammography views."""


def coded_names(items: Sequence[Dataset]) -> str:
    """The names of the codes of a sequence; for a code that DICOM does not list, its Code Meaning (0008,0104)."""
    return ", ".join(filter(None, (_name(item) for item in items)))


def _name(item: Dataset) -> str:
    value, scheme, meaning = (text(item, name) for name in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"))
    if not value:
        return meaning
    return _listed(value, {"SNM3": "SRT", "99SDM": "SRT"}.get(scheme, scheme)) or meaning  # retired names, PS3.16 8


@cache
def _listed(value: str, scheme: str) -> str:
    code = Code(value, scheme, "")
    return next((known.meaning for known in _known() if known == code), "")


@cache
def _known() -> tuple[Code, ...]:
    return tuple(_of_groups())


def _of_groups() -> Iterator[Code]:
    for group in GROUPS:
        members = getattr(codes, group)
        yield from (one for name in dir(members) if isinstance(one := getattr(members, name), Code))
