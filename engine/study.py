"""The values of a DICOM listing: patient, study, series, image, frame. Knows no pixels and opens no files.

Lengths are millimeters, positions and directions are patient coordinates (LPS, PS3.3 C.7.6.2.1.1), frames count from 0.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

Vector = tuple[float, float, float]
"""Position or direction in the patient (x, y, z), in millimeters (PS3.3 C.7.6.2.1.1)."""
Point = tuple[float, float]
"""Across and down, continuous. In image coordinates, column and row: the outer corner of the first pixel is (0, 0), its
center (0.5, 0.5) (PS3.3 C.10.5.1.2). In screen coordinates, logical pixels of the viewport."""
Orientation = tuple[float, float, float, float, float, float]
"""Direction cosines of a row, then of a column (Image Orientation (Patient))."""

PROJECTIONS = frozenset({"CR", "DX", "MG", "RG", "RF", "IO", "PX"})
"""Modalities of single images rather than stacks: every image is read on its own."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What a viewer needs of the Patient Module (PS3.3 C.7.1.1). `name` and `id` never enter logs or the archive."""

    name: str = ""
    id: str = ""
    birth_date: str = ""
    sex: str = ""
    """"M", "F", "O" or ""."""
    age: int | None = None
    """Full years at the time of the study."""


@dataclass(frozen=True, slots=True)
class UltrasoundRegion:
    """One region of an ultrasound image with its own calibration (PS3.3 C.8.5.5)."""

    left: int
    top: int
    right: int
    bottom: int
    """0-based pixel indices, inclusive on all four sides."""
    row: float | None
    """Millimeters from row to row; None where the axes are not lengths (time, velocity) or have no unit."""
    column: float | None
    """Millimeters from column to column; None like `row`."""
    low_priority: bool = False
    """Where regions overlap, the other one applies (Region Flags, bit 0)."""


class Origin(Protocol):
    """Where the bytes of one image come from. Hashable; equal origins are the same image (caches rely on it)."""

    @property
    def name(self) -> str:
        """Shown in lists and messages. May identify the patient, as paths often do."""

    @property
    def file(self) -> Path | None:
        """The local file with the bytes (for a member of an archive, the archive); None for other sources."""

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open the DICOM bytes as a seekable stream, positioned at the start.

        Raises:
            UserError: the bytes cannot be read.
        """

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ImageRef:
    """One image instance: where its bytes come from, and what its header says about all its frames."""

    origin: Origin
    sop_uid: str = ""
    sop_class: str = ""
    transfer_syntax: str = ""
    instance_number: int | None = None
    frames: int = 1
    rows: int = 0
    columns: int = 0
    laterality: str = ""
    """"L", "R", "B" (both), "U" (unpaired) or ""."""
    view_position: str = ""
    view_code: str = ""
    """English name of the code of View Code Sequence (0054,0220)."""
    anatomy: str = ""
    """English names of the codes of Anatomic Region Sequence (0008,2218) and Primary Anatomic Structure Sequence."""
    contrast_agent: str = ""
    """Contrast/Bolus Agent (0018,0010)."""
    patient_orientation: tuple[str, str] | None = None
    """Patient Orientation (0020,0020): anatomical direction along a row (to the right) and along a column (down)."""
    lossy: bool = False
    """Lossy Image Compression (0028,2110): the pixels have been lossily compressed at some point."""
    burned_in: bool | None = None
    """Burned In Annotation (0028,0301): whether identifying text may be part of the pixels; None when absent."""
    frame_time: float | None = None
    """Milliseconds from one frame to the next of a cine loop."""
    pixel_aspect: tuple[float, float] | None = None
    """Pixel Aspect Ratio (0028,0034): height and width of a pixel, relative to each other."""
    regions: tuple[UltrasoundRegion, ...] = ()
    """Calibrated regions of an ultrasound image; empty when they do not fit the image's size."""

    def __hash__(self) -> int:
        return hash(self.origin)  # hashing all fields would take longer than the lookup that needs it

    @property
    def name(self) -> str:
        """Name of the origin, for lists and messages."""
        return self.origin.name


@dataclass(frozen=True, slots=True)
class FrameRef:
    """One frame of an image and its geometry in the patient (PS3.3 C.7.6.2)."""

    image: ImageRef
    frame: int = 0
    """0-based."""
    position: Vector | None = None
    """Image Position (Patient): the center of the first pixel."""
    orientation: Orientation | None = None
    """Image Orientation (Patient): direction cosines of a row (to the right), then of a column (down)."""
    spacing: tuple[float, float] | None = None
    """Millimeters from row to row and from column to column; None when the header gives none. Never guessed."""
    spacing_source: str = ""
    """"pixel", "pixel/unstated" (a radiograph without Pixel Spacing Calibration Type), "imager" (at the detector),
    "imager/magnification" or "region" (ultrasound); "" without a spacing."""
    thickness: float | None = None
    """Slice Thickness (PS3.3 C.7.6.2) in millimeters; not the distance to the next slice."""
    frame_of_reference: str = ""
    """Frame of Reference UID (0020,0052)."""
    temporal: float | None = None
    """Temporal position index, to tell the phases of a stack apart."""
    echo: float | None = None
    """Effective echo time (ms) of an enhanced image, else the echo number; to tell echoes apart."""
    b_value: float | None = None
    """Diffusion b-value in s/mm²."""
    acquisition: float | None = None
    """Acquisition Number (0020,0012)."""
    localizer: bool = False
    """Image Type (0008,0008) contains LOCALIZER."""

    def __hash__(self) -> int:
        return hash((self.image, self.frame))


@dataclass(frozen=True, slots=True)
class Series:
    """One stack to scroll through: a whole DICOM series, or one part of a series that holds several stacks."""

    uid: str
    key: str
    """Unique within the listing: the UID, with "#2", "#3" ... for further stacks of the same DICOM series."""
    number: int | None
    description: str
    modality: str
    body_part: str
    frames: tuple[FrameRef, ...]
    part: str = ""
    """What distinguishes this stack within its DICOM series, for example "b 1000"; "" for the only stack."""
    institution: str = ""
    """Institution Name (0008,0080). It may identify the patient, so it is redacted with the name."""
    descriptions: tuple[str, ...] = ()
    """Further descriptions: of the protocol, of the performed and of the requested procedure."""
    growing: bool = False
    """Its files are still being read: frames may be added anywhere, so frame numbers are not final."""


@dataclass(frozen=True, slots=True)
class Study:
    """One study and its stacks."""

    uid: str
    date: str
    time: str
    description: str
    accession: str
    patient: Patient
    series: tuple[Series, ...] = field(default=())
    people: tuple[str, ...] = ()
    """Other names and numbers in the headers, which identify the patient together: other names of the patient,
    physicians, operators, and institutions, marked as such (text/known_names.py). Never shown or archived; texts are
    cleaned of them."""
    stated_uid: str = ""
    """Study Instance UID of the files, where `uid` is another one since two patients share it; "" elsewhere."""
    warning: str = ""
    """What the reader must be told about the study as a whole; "" for nothing."""

    @property
    def identifiers(self) -> tuple[str, ...]:
        """What texts about the study are cleaned of."""
        return (self.patient.name, self.patient.id, self.accession, *self.people)

    def is_before(self, other: "Study") -> bool:
        """Whether date and time of both headers say that this study began earlier; False where that is not known.

        On one day the times decide (TM, PS3.5 6.2, which may lack minutes and seconds).
        """
        if self.date != other.date:
            return bool(self.date) and bool(other.date) and self.date < other.date
        return bool(self.time) and self.time < other.time and not other.time.startswith(self.time)

    def frames(self) -> Iterator[FrameRef]:
        """All frames, series after series."""
        for series in self.series:
            yield from series.frames

    def as_dict(self, with_patient: bool = False) -> dict[str, object]:
        """The study for JSON, paths included. The patient's name, IDs and birth date only `with_patient`."""
        patient: dict[str, object] = {"sex": self.patient.sex, "age": self.patient.age}
        if with_patient:
            patient |= {"name": self.patient.name, "id": self.patient.id, "birth_date": self.patient.birth_date}
            patient |= {"accession": self.accession}
        warning = {"warning": self.warning} if self.warning else {}
        return {
            "uid": self.uid,
            "date": self.date,
            "time": self.time,
            "description": self.description,
            "patient": patient,
            **warning,
            "series": [_series_as_dict(series) for series in self.series],
        }


def _series_as_dict(series: Series) -> dict[str, object]:
    first = series.frames[0].image
    return {
        "uid": series.uid,
        "key": series.key,
        "number": series.number,
        "description": series.description,
        "modality": series.modality,
        "body_part": series.body_part,
        "part": series.part,
        "frames": len(series.frames),
        "rows": first.rows,
        "columns": first.columns,
        "files": list(dict.fromkeys(frame.image.name for frame in series.frames)),
    }
