"""A case as an import finds it, before any model has seen it. Knows no archive and no file format."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.store.case import CaseFacts
from engine.store.safety.join_keys import Join

_DATE = re.compile(r"\s*(\d{4})[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True)
class LoadedPicture:
    """The 8-bit rendering of a frame."""

    gray: NDArray[np.uint8]
    """uint8 [H, W]."""
    window: tuple[float, float] | None = None
    """Center and width, in modality values, at which it was rendered; None for an image file."""


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image that is only read when it is not archived yet."""

    key: str
    """Unique within the case."""
    name: str
    """File or archive member, for messages."""
    load: Callable[[], LoadedPicture]
    """Raises UserError when the image cannot be read."""
    frame: int = 0
    """0-based frame of a multi-frame image."""


@dataclass(frozen=True, slots=True)
class FoundCase(CaseFacts):
    """What one study or one row contributes. Identifiers are as in the source; the archive hashes them."""

    name: str = ""
    """File, archive member or row, for messages."""
    images: tuple[FoundImage, ...] = ()
    text: str = ""
    match_values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What a row of a reports file can match on: column -> values."""
    shared_keys: tuple[str, str] | None = None
    """Study Instance UID of a DICOM study, and the key that it has where another patient's study has that UID."""
    keyed_by_content: bool = False
    """`key` is a hash of the images, so that the case is rejected until they can be read. A study has a UID and can be
    archived with its report alone."""


def joins_for(
    study_uids: Iterable[str] = (), accessions: Iterable[str] = (), patient: str | None = None, date: str = ""
) -> tuple[Join, ...]:
    """The joins of what is known; a date is YYYYMMDD, or YYYY-MM-DD with or without a time, and no other order."""
    day = "".join(found.groups()) if (found := _DATE.match(date)) else ""
    joins = [("study", uid.strip()) for uid in study_uids] + [("accession", one.strip()) for one in accessions]
    if patient and patient.strip() and day:
        joins.append(("visit", f"{patient.strip()} {day}"))
    return tuple(dict.fromkeys(join for join in joins if join[1]))
