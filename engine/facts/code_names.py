"""Names the codes of body regions and views in plain English, whatever language a header names them in."""

from collections.abc import Iterator
from functools import cache

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

GROUPS = ("cid4", "cid4009", "cid4030", "cid4031", "cid4010", "cid4014")
"""Context groups (PS3.16): anatomic regions, anatomy imaged by DX and by CT, MR and PET, common regions, DX and
mammography views."""
RETIRED = {"SNM3": "SRT", "99SDM": "SRT"}
"""Former names of a coding scheme (PS3.16 8)."""


@cache
def code_name(value: str, scheme: str) -> str:
    """The name of a code, "" for one that DICOM does not list for regions and views."""
    code = Code(value, RETIRED.get(scheme, scheme), "")
    return next((known.meaning for known in _known() if known == code), "")


@cache
def _known() -> tuple[Code, ...]:
    return tuple(_of_groups())


def _of_groups() -> Iterator[Code]:
    for group in GROUPS:
        members = getattr(codes, group)
        yield from (one for name in dir(members) if isinstance(one := getattr(members, name), Code))
