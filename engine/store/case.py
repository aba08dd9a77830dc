"""What goes into the archive and what comes out of it, as plain values. Knows no SQL and no models."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.facts.fact import Facts

Kind = Literal["image", "report"]
ReportStatus = Literal["imported", "signed"]
MOSTLY = 0.5
"""From this share of machine wording on, a report is no evidence for others: it would repeat what was drafted."""

UNKNOWN = 2.0
"""Stored as the share of a report whose marks were damaged, which is no evidence either."""


@dataclass(frozen=True, slots=True)
class NewImage:
    """A de-identified image to archive."""

    gray: NDArray[np.uint8]
    """uint8 [H, W]; stored as PNG with its longest side at most 512."""
    embedding: NDArray[np.floating]
    """float [D], unit length; stored as float16."""
    key: str = ""
    """Names the image at its source, unique within the case (SOP Instance UID and frame); stored as a keyed hash."""
    window: tuple[float, float] | None = None
    """Center and width, in modality values, at which the image was rendered; None for an image file."""
    frame: int = 0
    """0-based frame of a multi-frame image."""
    text_checked: bool = False
    """Whether text burned into it was looked for and blacked out."""


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report to archive."""

    text: str
    """Already cleaned of identifiers."""
    embedding: NDArray[np.floating]
    """float [D] of that text, unit length; stored as float16."""
    state: ReportStatus = "imported"
    machine_share: float = 0.0
    """Share of its words that are unchanged machine wording, 0 to 1, or UNKNOWN."""


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What is known of a case besides images and report."""

    key: str
    """Names the case at its source (Study Instance UID)."""
    modality: str = ""
    sex: str = ""
    age: int | None = None
    """Years."""
    body_part: str = ""
    description: str = ""
    source: str = ""
    """What kind of source the case came from."""
    licence: str = ""
    attribution: str = ""
    patient: str | None = None
    """Patient ID (0010,0020)."""
    date: str = ""
    """Study Date (0008,0020), stored as a shifted day only (`Identity.study_day`)."""
    facts: Facts = field(default_factory=dict)
    """What its header says; the archive adds what the words of the report say."""
    identifiers: tuple[str, ...] = ()
    """Names and numbers that its source states, to be removed from texts; those of a study with images are stored as
    keyed hashes (safety/name_keys.py)."""
    joins: tuple[tuple[str, str], ...] = ()
    """Role and value by which a report and a study are one case (safety/join_keys.py); stored as keyed hashes."""


@dataclass(frozen=True, slots=True)
class NewCase(CaseFacts):
    """A case to archive; `key` and `patient` are stored as keyed hashes only."""

    images: tuple[NewImage, ...] = ()
    report: NewReport | None = None


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An archived image without its pixels."""

    image_id: int
    frame: int
    window: tuple[float, float] | None
    """As in NewImage."""
    height: int
    """Of the stored PNG, in pixels."""
    width: int


@dataclass(frozen=True, slots=True)
class CaseContent:
    """What an archived case contains, to find out what an import can add."""

    image_keys: frozenset[str]
    """Keyed hashes, as of `Identity.image`."""
    has_report: bool


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """The facts of the case that an archived image belongs to."""

    image_id: int
    case_id: int
    patient: str | None
    """Keyed hash."""
    modality: str
    report: str | None
    """Text of the report; None when the case has none, or one that is mostly machine wording."""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """A report, and what is known of the case that it belongs to."""

    case_id: int
    patient: str | None
    """Keyed hash."""
    text: str
    has_image: bool
    """Of the case."""


@dataclass(frozen=True, slots=True)
class Report:
    """The report of an archived case; drafts are never archived."""

    report_id: int
    text: str
    state: ReportStatus
    created: str
    """UTC, ISO 8601."""
    machine_share: float = 0.0
    """Share of its words that are unchanged machine wording, 0 to 1, or UNKNOWN."""

    @property
    def mostly_machine(self) -> bool:
        """Whether it is, or may be, mostly unchanged machine wording, and so no evidence for others."""
        return self.machine_share >= MOSTLY


@dataclass(frozen=True, slots=True)
class Case:
    """An archived case."""

    case_id: int
    modality: str
    sex: str
    age: int | None
    """Years."""
    body_part: str
    description: str
    source: str
    licence: str
    attribution: str
    patient: str | None
    """Keyed hash, equal for all cases of a patient."""
    created: str
    """UTC, ISO 8601."""
    study_day: int | None
    """When its study was, comparable among the cases of its patient only (`Identity.study_day`); None if unknown."""
    images: tuple[StoredImage, ...]
    report: Report | None
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What an archive holds, in counts. Studies have dates within their patient alone, so time is of archiving."""

    cases: int
    patients: int
    """Known ones."""
    images: int
    reports: int
    embeddings: int
    bytes_on_disk: int
    """Of all files in the folder of the archive."""
    modalities: dict[str, int]
    """Cases by modality as the header says it, most first; "" for unknown."""
    reported: dict[str, int]
    """Cases with a report, by modality."""
    regions: dict[str, int]
    """Cases by region, most first; "" for unknown."""
    decades: dict[int, int]
    """Cases by the decade of the patient's age (60 for 60 to 69), ascending; unknown ages are left out."""
    added: dict[str, int]
    """Cases by the day on which they were archived (UTC, YYYY-MM-DD), ascending."""
