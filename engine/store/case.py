"""What goes into the archive and what comes out of it, as plain values. Knows no SQL and no models."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["image", "report"]
ReportStatus = Literal["imported", "signed"]


@dataclass(frozen=True, slots=True)
class NewImage:
    """A de-identified picture to keep.

    gray: uint8 [H, W]; stored as PNG with its longest side at most 512.
    embedding: float [D], unit length; stored as float16.
    key: what names the image at its source, distinct within a case (SOP Instance UID, frame); stored as a keyed hash.
    window: (centre, width) in modality values at which the picture was rendered; None for a picture file.
    frame: 0-based frame in a multi-frame image.
    """

    gray: NDArray[np.uint8]
    embedding: NDArray[np.floating]
    key: str = ""
    window: tuple[float, float] | None = None
    frame: int = 0


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report to keep: text already cleaned of identifiers, embedding float [D] of that same text."""

    text: str
    embedding: NDArray[np.floating]
    state: ReportStatus = "imported"


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What is known of a case besides pictures and text. `key` and `patient` as they stand in the source (UID, ID)."""

    key: str
    modality: str = ""
    sex: str = ""
    age: int | None = None
    body_part: str = ""
    description: str = ""
    source: str = ""
    licence: str = ""
    attribution: str = ""
    patient: str | None = None


@dataclass(frozen=True, slots=True)
class NewCase(CaseFacts):
    """A case to keep; the archive stores `key` and `patient` as keyed hashes only."""

    images: tuple[NewImage, ...] = ()
    report: NewReport | None = None


@dataclass(frozen=True, slots=True)
class StoredImage:
    """Where one archived picture stands: height and width of the stored PNG in pixels, window as in NewImage."""

    image_id: int
    frame: int
    window: tuple[float, float] | None
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Report:
    """The text of a case; only imported and signed reports are ever archived."""

    report_id: int
    text: str
    state: ReportStatus
    created: str


@dataclass(frozen=True, slots=True)
class Case:
    """One archived case. `patient` is a keyed hash, equal for two cases of one patient; `age` is in years."""

    case_id: int
    modality: str
    sex: str
    age: int | None
    body_part: str
    description: str
    source: str
    licence: str
    attribution: str
    patient: str | None
    created: str
    images: tuple[StoredImage, ...]
    report: Report | None
