"""Presents the images of an archived case as a study that a viewer can show. Knows no screen and no ranking.

The archive keeps de-identified 8-bit images of reduced size and no geometry, so the frames have neither spacing nor
position, and their values have no unit: nothing is measured on them, and no window of a modality applies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from engine.archive import Archive
from engine.errors import UserError
from engine.image.pixels import Pixels
from engine.image.voi import Window
from engine.store.case import Case, StoredImage
from engine.study import FrameRef, ImageRef, Patient, Series, Study

WHOLE_RANGE = Window(127.5, 255.0, "LINEAR_EXACT", "As archived")
"""Shows each stored gray level as it is."""


@dataclass(frozen=True, slots=True)
class ArchivedOrigin:
    """An image of an archive; equal where archive and image are."""

    archive: Archive
    case_id: int
    stored: StoredImage

    @property
    def name(self) -> str:
        """The number of its case."""
        return f"case {self.case_id}"

    @property
    def file(self) -> None:
        """None: the image is a row of a database."""
        return None

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """There are no DICOM bytes.

        Raises:
            UserError: always.
        """
        raise UserError(f"The archive has no DICOM file of {self.name}; open the original study instead.")
        yield  # pragma: no cover - makes this a context manager


def study_of(archive: Archive, case: Case) -> Study | None:
    """The images of a case as a study of one series, in the order of the case; None for a case without images."""
    if not case.images:
        return None
    frames = tuple(
        FrameRef(ImageRef(ArchivedOrigin(archive, case.case_id, stored), rows=stored.height, columns=stored.width))
        for stored in case.images
    )
    key = f"archived/{case.case_id}"
    series = Series(key, key, None, case.description, case.modality, case.body_part, frames)
    patient = Patient(sex=case.sex, age=case.age)
    return Study(key, "", "", "", "", patient, (series,))


def archived_origin(frame: FrameRef) -> ArchivedOrigin | None:
    """Where in an archive a frame is; None for a frame of a file."""
    origin = frame.image.origin
    return origin if isinstance(origin, ArchivedOrigin) else None


def is_archived(series: Series | None) -> bool:
    """Whether a series was made by `study_of`."""
    return series is not None and bool(series.frames) and archived_origin(series.frames[0]) is not None


def read_archived(origin: ArchivedOrigin) -> Pixels:
    """The stored image, uint8 [H, W], at a window that changes no gray level.

    Raises:
        UserError: the image was deleted, or is not as it was archived.
    """
    return Pixels(origin.archive.image(origin.stored.image_id), windows=(WHOLE_RANGE,))
