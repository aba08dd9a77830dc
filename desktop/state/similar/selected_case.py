"""The case of the selected hit: its facts, its report and its archived images. Knows no widgets and no ranking."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.pictures.picture import Image
from desktop.state.redaction import redacted
from engine.archive import Archive
from engine.retrieval.case_text import copied_text
from engine.retrieval.hit import Hit
from engine.store.case import Case, StoredImage

REPORT_ONLY = "Report only"
"""Shown instead of an image for a case without one."""


class SelectedCase(QObject):
    """One case at a time; selecting another one cancels reading the first."""

    changed = Signal()

    def __init__(
        self, background: Background, patient_data_visible: Callable[[], bool], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background, self._patient_data_visible = background, patient_data_visible
        self._archive: Archive | None = None
        self.hit: Hit | None = None
        self.case: Case | None = None
        """None until it has been read."""
        self.number = 0
        """0-based number of the image shown, among the images of the case."""
        self.image: Image | None = None
        """uint8 [H, W]; None until it has been read."""
        self._error: BaseException | None = None

    @property
    def failure(self) -> str:
        """Why the case cannot be read; "" if it can."""
        return redacted(self._error, self._patient_data_visible())

    def show(self, archive: Archive | None, hit: Hit | None) -> None:
        """Read the case of a hit, and the image that matched."""
        self._background.drop("selected case")
        self._background.drop("selected image")
        self._archive, self.hit = archive, hit
        self.case, self.number, self.image, self._error = None, 0, None, None
        if archive is not None and hit is not None:
            self._background.start(
                as_work(archive.case, hit.case_id),
                partial(self._take_case, hit),
                key="selected case",
                lane=Lane.THUMBNAIL,
                urgent=True,
                failed=self._fail,
                shows_failure=True,
            )
        self.changed.emit()

    @property
    def archive_name(self) -> str:
        """The folder name of the archive that the case is in; "" without one."""
        return self._archive.name if self._archive is not None else ""

    @property
    def stored(self) -> StoredImage | None:
        """The facts of the image shown; None for a case without images."""
        images = self.case.images if self.case else ()
        return images[self.number] if images else None

    @property
    def report_only(self) -> bool:
        """Whether the case has been read and has no images."""
        return self.case is not None and not self.case.images

    def step(self, by: int) -> None:
        """Show another image of the same case, stopping at the first and the last."""
        self.go_to(self.number + by)

    def go_to(self, number: int) -> None:
        """Show an image of the same case by its 0-based number; beyond either end, the first or last one."""
        count = len(self.case.images) if self.case else 0
        number = min(max(0, number), max(0, count - 1))
        if number != self.number:
            self.number = number
            self._read_image()
            self.changed.emit()

    def caption(self) -> str:
        """The number and window of the image shown, short enough for one line."""
        if self.hit is None or self.case is None:
            return ""
        if self.stored is None:
            return REPORT_ONLY
        parts = []
        if len(self.case.images) > 1:
            parts.append(f"image {self.number + 1} of {len(self.case.images)}")
        if self.stored.window is not None:
            center, width = self.stored.window
            parts.append(f"W {width:.0f} L {center:.0f}")
        return ", ".join([*parts, "archived image (8 bits, reduced size)"])

    def copy_text(self) -> str:
        """The report with its case number and source, for the clipboard; "" until the case has been read."""
        return copied_text(self.case) if self.case is not None else ""

    def _take_case(self, hit: Hit, case: Case) -> None:
        self.case = case
        ids = [image.image_id for image in case.images]
        self.number = ids.index(hit.image_id) if hit.image_id in ids else 0
        self._read_image()
        self.changed.emit()

    def _read_image(self) -> None:
        self.image = None
        if self._archive is not None and self.stored is not None:
            self._background.start(
                as_work(self._archive.image, self.stored.image_id),
                self._take_image,
                key="selected image",
                lane=Lane.THUMBNAIL,
                urgent=True,
                failed=self._fail,
                shows_failure=True,
            )

    def _take_image(self, image: Image) -> None:
        self.image = image
        self.changed.emit()

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self.changed.emit()
