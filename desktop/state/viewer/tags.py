"""DICOM tags of the image on screen, with a search. Knows no widgets."""

from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.background import Background, as_work
from desktop.state.formatting import series_title
from desktop.state.redaction import redacted
from desktop.state.viewer.viewport import ViewportState
from engine.dicom.tag_list import Tag, tag_list
from engine.image.mpr import is_plane
from engine.study import ImageRef

DELAY_MS = 150
"""Milliseconds without another picture until the tags are read: scrolling does not read those of each image."""


class TagsState(QObject):
    """Follows the image on screen between `show` and `stop_following`.

    Values that may identify the patient are hidden at first, and again for each study.
    """

    changed = Signal()

    def __init__(self, background: Background, viewport: ViewportState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background, self._viewport = background, viewport
        self._followed = False
        self._delay = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._delay.timeout.connect(self._follow)
        viewport.picture_changed.connect(self._on_picture)
        self.title = ""
        self._study = ""
        self.image: ImageRef | None = None
        self._error: BaseException | None = None
        self.patient_data_visible = False
        self.search = ""
        self._tags: tuple[Tag, ...] = ()

    def show(self) -> None:
        """List the tags of the image on screen from now on."""
        self._followed, self._study, self.patient_data_visible = True, "", False
        self.image, self.title, self._tags, self._error = None, "", (), None
        self._follow()

    def stop_following(self) -> None:
        """Stop reading: the window was closed."""
        self._followed = False

    def _on_picture(self) -> None:
        if self._followed:
            self._delay.start()

    def _follow(self) -> None:
        picture, study = self._viewport.picture, self._viewport.study
        if not self._followed or picture is None or study is None:
            return
        which = "first slice" if is_plane(picture.ref) else f"image {picture.index + 1} of {len(picture.series.frames)}"
        title = f"{series_title(picture.series)}, {which}"
        if study.uid != self._study:
            self._study, self.patient_data_visible = study.uid, False
        if picture.ref.image is self.image:  # another frame of the same file
            self.title = title
        else:
            self._read(picture.ref.image, title)
        self.changed.emit()

    def _read(self, image: ImageRef, title: str) -> None:
        """Read the tags on a worker; list and title stay until the answer is there."""
        self.image = image
        self._background.start(
            as_work(tag_list, image),
            partial(self._take, image, title),
            key="tags",
            failed=partial(self._fail, image, title),
            shows_failure=True,
        )

    def set_search(self, text: str) -> None:
        """List only the tags that match."""
        self.search = text
        self.changed.emit()

    def set_patient_data_visible(self, visible: bool) -> None:
        """Show or hide values that may identify the patient."""
        self.patient_data_visible = visible
        self.changed.emit()

    @property
    def failure(self) -> str:
        """Why the tags cannot be read; "" when they can."""
        return redacted(self._error, self.patient_data_visible)

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Tag, VR, name and value of the elements that match the search."""
        return [
            (tag.number, tag.vr, "    " * tag.depth + tag.name, self._value(tag))
            for tag in self._tags
            if tag.matches(self.search, self.patient_data_visible)
        ]

    def _value(self, tag: Tag) -> str:
        return "Hidden" if tag.identifying and not self.patient_data_visible else tag.value

    def _take(self, image: ImageRef, title: str, tags: tuple[Tag, ...]) -> None:
        if image is self.image:
            self.title, self._tags, self._error = title, tags, None
            self.changed.emit()

    def _fail(self, image: ImageRef, title: str, error: BaseException) -> None:
        if image is self.image:
            self.title, self._tags, self._error = title, (), error
            self.changed.emit()
