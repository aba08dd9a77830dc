"""The report of a study as it is stored, and what is archived with it, as plain values. Knows no database."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.facts.fact import FactKind
from engine.reports.document import Document
from engine.store.case import UNKNOWN
from engine.text.words import words

State = Literal["drafted", "edited", "signed"]
"""Drafted: proposals are open. Edited: none is. Signed: final."""
Status = Literal["", "drafted", "edited", "signed", "waiting"]
"""A state; "" for no report or an empty one, waiting for one that is signed and not in an archive yet."""


def status_of(state: State, *, empty: bool, waiting: bool) -> Status:
    """The status of a report; `empty` says whether it has neither text nor open proposals."""
    if state == "signed":
        return "waiting" if waiting else "signed"
    return "" if empty else state


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What is archived with a signed report, or needed to clean its text. Stored as JSON under the field names."""

    modality: str = ""
    sex: str = ""
    age: int | None = None
    body_part: str = ""
    patient: str = ""
    """Patient ID, to recognize earlier cases; stored as a keyed hash."""
    window: tuple[float, float] | None = None
    """Window center and width of the displayed frame."""
    image_key: str = ""
    """SOP Instance UID and frame number."""
    identifiers: tuple[str, ...] = ()
    """Names and numbers of this patient, to remove from the text."""
    date: str = ""
    """Study Date, to order the cases of the patient; stored shifted."""
    header: dict[FactKind, str] = field(default_factory=dict)
    """What the header says of the frame, by kind of fact."""


@dataclass(frozen=True, slots=True, eq=False)
class Submission:
    """What is archived with a signed report."""

    facts: ReportFacts = ReportFacts()
    gray: NDArray[np.uint8] | None = None
    """The displayed frame, uint8 [H, W], longest side at most 512; None for the report alone."""


@dataclass(frozen=True, slots=True)
class Addendum:
    """What was added to a signed report."""

    text: str
    signed_by: str
    signed: str
    """When; UTC, ISO 8601."""


@dataclass(frozen=True, slots=True)
class StoredReport:
    """The report of one study."""

    study_uid: str
    document: Document
    """Its text with its marks."""
    model: str
    """What drafted it; "" when a person began it."""
    state: State
    created: str
    """UTC, ISO 8601, like all times here."""
    changed: str
    signed_by: str = ""
    waiting: bool = False
    """Signed, and not in an archive yet."""
    archive: str = ""
    """Name of the archive it is in; "" for none."""
    case_id: int | None = None
    """Its case in that archive."""
    addenda: tuple[Addendum, ...] = ()
    """What was added after signing, oldest first."""
    addendum: str | None = None
    """Text of the addendum that is being written; None when none is."""

    @property
    def text(self) -> str:
        """The report without its addenda."""
        return self.document.text

    @property
    def status(self) -> Status:
        """Its state as lists of studies show it."""
        empty = not self.text.strip() and not self.document.open
        return status_of(self.state, empty=empty, waiting=self.waiting)

    @property
    def full_text(self) -> str:
        """The report with its signed addenda, as it is archived."""
        return "\n\n".join([self.text, *(f"Addendum: {addendum.text}" for addendum in self.addenda)])

    @property
    def machine_share(self) -> float:
        """Share of the words of `full_text` that are unchanged machine wording, 0 to 1, or UNKNOWN."""
        if self.document.lost:
            return UNKNOWN
        total = len(words(self.full_text))
        return self.document.machine_words / total if total else 0.0


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change of a report."""

    at: str
    state: State | Literal["addendum"]
    who: str
    text: str
    """The whole text after the change; of an addendum its own text."""
    document: str = ""
    """Its marks and proposals, JSON of `Document.as_dict`; "" for rows of older versions."""


def signature(name: str, at: str) -> str:
    """A name and a stored time in local time, such as "Ada Byron, 2026-11-29 14:05"; either may be ""."""
    return ", ".join(part for part in (name, local_time(datetime.fromisoformat(at)) if at else "") if part)


def local_time(at: datetime) -> str:
    """A time as the user's clock shows it, to the minute."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M")
