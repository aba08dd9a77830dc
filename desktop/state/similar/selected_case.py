"""The hit that is looked at in full: its facts, its report, its archived pictures. Knows no widgets, no ranking."""

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


class SelectedCase(QObject):
    """One case at a time; what is read of an earlier one is dropped."""

    changed = Signal()

    def __init__(
        self, background: Background, identity_visible: Callable[[], bool], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background, self._identity_visible = background, identity_visible
        self._archive: Archive | None = None
        self.hit: Hit | None = None
        self.case: Case | None = None
        """None until it is read."""
        self.number = 0
        """0-based number of the picture that is shown, among those of the case."""
        self.picture: Image | None = None
        self._error: BaseException | None = None

    @property
    def failure(self) -> str:
        """Why it cannot be read."""
        return redacted(self._error, self._identity_visible())

    def show(self, archive: Archive | None, hit: Hit | None) -> None:
        """Read the case of a hit, beginning with the picture that matched."""
        self._background.drop("chosen case")
        self._background.drop("chosen picture")
        self._archive, self.hit = archive, hit
        self.case, self.number, self.picture, self._error = None, 0, None, None
        if archive is not None and hit is not None:
            self._background.start(
                as_work(archive.case, hit.case_id),
                partial(self._take_case, hit),
                key="chosen case",
                lane=Lane.THUMBNAIL,
                urgent=True,
                failed=self._fail,
                shows_failure=True,
            )
        self.changed.emit()

    @property
    def stored(self) -> StoredImage | None:
        """What is known of the picture that is shown."""
        images = self.case.images if self.case else ()
        return images[self.number] if images else None

    def step(self, by: int) -> None:
        """Another picture of the same case; the first and the last stay."""
        count = len(self.case.images) if self.case else 0
        number = min(max(0, self.number + by), max(0, count - 1))
        if number != self.number:
            self.number = number
            self._read_picture()
            self.changed.emit()

    def caption(self) -> str:
        """Which picture this is, in words short enough for one line."""
        if self.hit is None or self.case is None:
            return ""
        if self.stored is None:
            return "no picture"
        parts = []
        if len(self.case.images) > 1:
            parts.append(f"picture {self.number + 1} of {len(self.case.images)}")
        if self.stored.window is not None:
            center, width = self.stored.window
            parts.append(f"W {width:.0f} L {center:.0f}")
        return ", ".join([*parts, "as archived: 8 bits, reduced"])

    def copy_text(self) -> str:
        """The text of the hit with what names its source; "" while there is none."""
        return copied_text(self.case) if self.case is not None else ""

    def _take_case(self, hit: Hit, case: Case) -> None:
        self.case = case
        ids = [image.image_id for image in case.images]
        self.number = ids.index(hit.image_id) if hit.image_id in ids else 0
        self._read_picture()
        self.changed.emit()

    def _read_picture(self) -> None:
        self.picture = None
        if self._archive is not None and self.stored is not None:
            self._background.start(
                as_work(self._archive.image, self.stored.image_id),
                self._take_picture,
                key="chosen picture",
                lane=Lane.THUMBNAIL,
                urgent=True,
                failed=self._fail,
                shows_failure=True,
            )

    def _take_picture(self, image: Image) -> None:
        self.picture = image
        self.changed.emit()

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self.changed.emit()
