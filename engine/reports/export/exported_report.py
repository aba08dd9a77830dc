"""What an exported report holds: the identity of the open study, text, addenda, signature, key images, label.

Unlike what goes into an archive it names the patient, since whoever exports a report wants it with its study. Does not
know the formats.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from engine.errors import UserError
from engine.reports.document import Document, provenance
from engine.reports.draft import NOTICE
from engine.reports.stored_report import Addendum, State, StoredReport, signature
from engine.study import FrameRef, ImageRef, Series, Study

LABEL = NOTICE[0].upper() + NOTICE[1:]
"""Stands in every exported report."""
NO_REPORT = "There is no report to export. Write or draft one first."
SHARED_UID = (
    "Another patient has the Study Instance UID of this study too, so the file could be filed with that patient. "
    "Export the report as text, HTML or PDF."
)


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A key image of the study."""

    series: Series
    frame: FrameRef

    @property
    def caption(self) -> str:
        """Where it is, such as "Series 3, image 14"."""
        number = self.frame.image.instance_number
        parts = [
            f"Series {self.series.number}" if self.series.number is not None else self.series.description,
            "" if number is None else f"image {number}",
            f"frame {self.frame.frame + 1}" if self.frame.image.frames > 1 else "",
        ]
        return ", ".join(part for part in parts if part) or "Key image"


@dataclass(frozen=True, slots=True)
class ExportedReport:
    """The report of one study, as it is given away."""

    study: Study
    text: str
    """Without its addenda and without proposals that nobody has accepted."""
    addenda: tuple[Addendum, ...] = ()
    state: State = "edited"
    signed_by: str = ""
    changed: str = ""
    """When it was signed, or else saved; UTC, ISO 8601. "" when it was never saved."""
    provenance: tuple[str, ...] = ()
    """Whose words the text is made of, one line a mark; empty for a text in own words."""
    key_frames: tuple[KeyFrame, ...] = ()
    verifier: str = ""
    """Who is named as accountable for the content (PS3.3 C.17.2); "" for nobody, as always in the app."""
    organization: str = ""
    """Of the verifier."""

    @classmethod
    def of(
        cls,
        study: Study,
        stored: StoredReport | None,
        document: Document | None = None,
        key_images: Iterable[tuple[str, int]] = (),
    ) -> Self:
        """The report of a study as stored, or with the text on screen where that may differ.

        Args:
            study: the open study.
            stored: its report; None when nothing was saved.
            document: the text on screen; None for the stored one.
            key_images: SOP Instance UID and 0-based frame number of each key image; those of other studies are ignored.
        """
        wanted = set(key_images)
        frames = tuple(
            KeyFrame(series, frame)
            for series in study.series
            for frame in series.frames
            if (frame.image.sop_uid, frame.frame) in wanted
        )
        if stored is not None and stored.state == "signed":
            document = stored.document
        shown = document or (stored.document if stored else Document())
        state: State = "drafted" if shown.open else "edited"
        return cls(
            study,
            shown.text.strip(),
            stored.addenda if stored else (),
            stored.state if stored and stored.state == "signed" else state,
            stored.signed_by if stored else "",
            stored.changed if stored else "",
            tuple(provenance(shown)),
            frames,
        )

    @property
    def signed(self) -> bool:
        """Whether it is final."""
        return self.state == "signed"

    @property
    def full_text(self) -> str:
        """The text with its addenda, each with name and time."""
        added = [f"Addendum, {signature(one.signed_by, one.signed)}\n{one.text}" for one in self.addenda]
        return "\n\n".join([self.text, *added])

    @property
    def study_uid(self) -> str:
        """The Study Instance UID.

        Raises:
            UserError: another patient has it too: what names it could be filed with that patient.
        """
        if self.study.warning or self.study.stated_uid:
            raise UserError(SHARED_UID)
        return self.study.uid

    @property
    def time(self) -> datetime:
        """When it was signed or saved, in local time; now if it never was."""
        last = self.addenda[-1].signed if self.addenda else self.changed
        return (datetime.fromisoformat(last) if last else datetime.now(UTC)).astimezone()

    def require_text(self) -> None:
        """Raise UserError when there is no text."""
        if not self.text:
            raise UserError(NO_REPORT)

    def images(self) -> Iterator[tuple[Series, ImageRef]]:
        """The key images, else the first image of every series; each once."""
        frames = [(one.series, one.frame) for one in self.key_frames] or [
            (series, series.frames[0]) for series in self.study.series
        ]
        yield from {frame.image.sop_uid: (series, frame.image) for series, frame in frames}.values()


def shown_date(value: str) -> str:
    """A DICOM date (PS3.5 6.2) as 2026-11-29; others as they are."""
    return f"{value[:4]}-{value[4:6]}-{value[6:8]}" if len(value) == 8 and value.isdecimal() else value


def shown_name(value: str) -> str:
    """A person name (PS3.5 6.2.1) as people write it: "Byron^Ada^^Dr" is "Dr Ada Byron"."""
    alphabetic = value.split("=")[0] or value.strip("=")
    family, given, middle, prefix, suffix = (*alphabetic.split("^"), "", "", "", "", "")[:5]
    name = " ".join(part.strip() for part in (prefix, given, middle, family) if part.strip())
    return f"{name}, {suffix.strip()}" if suffix.strip() else name


def facts_of(report: ExportedReport) -> list[tuple[str, str]]:
    """Identity and state as labelled lines, for formats that people read; empty values are left out."""
    study, patient = report.study, report.study.patient
    state = {"drafted": "Draft, not signed", "edited": "Not signed"}.get(report.state, "")
    lines = [
        ("Patient", shown_name(patient.name)),
        ("Patient ID", patient.id),
        ("Born", shown_date(patient.birth_date)),
        ("Sex", patient.sex),
        ("Study", study.description),
        ("Study date", shown_date(study.date)),
        ("Accession number", study.accession),
        ("Study Instance UID", study.stated_uid or study.uid),
        ("Status", state or f"Signed, {signature(report.signed_by, report.changed)}"),
    ]
    return [(label, value) for label, value in lines if value]
