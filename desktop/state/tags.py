"""The elements of the header of the image on screen, searched. Knows no widgets."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, simply
from engine.study import ImageRef
from engine.tag_list import Tag, tag_list


class TagsState(QObject):
    """Values that may tell the patient are hidden until asked for, each time anew."""

    changed = Signal()

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self.image: ImageRef | None = None
        self.failure = ""
        self.identity_visible = False
        self.search = ""
        self._tags: tuple[Tag, ...] = ()

    def show(self, image: ImageRef) -> None:
        """Read the header of an image on a worker."""
        self.image, self._tags, self.failure, self.identity_visible = image, (), "", False
        self._background.start(
            simply(tag_list, image), partial(self._take, image), key="tags", failed=partial(self._fail, image)
        )
        self.changed.emit()

    def set_search(self, words: str) -> None:
        self.search = words
        self.changed.emit()

    def set_identity_visible(self, visible: bool) -> None:
        self.identity_visible = visible
        self.changed.emit()

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Number, kind of value, name and value of the elements that are searched for."""
        return [
            (tag.number, tag.vr, "    " * tag.depth + tag.name, self._value(tag))
            for tag in self._tags
            if tag.matches(self.search, self.identity_visible)
        ]

    def _value(self, tag: Tag) -> str:
        return "hidden" if tag.identifying and not self.identity_visible else tag.value

    def _take(self, image: ImageRef, tags: tuple[Tag, ...]) -> None:
        if image is self.image:
            self._tags = tags
            self.changed.emit()

    def _fail(self, image: ImageRef, error: BaseException) -> None:
        if image is self.image:
            self.failure = str(error)
            self.changed.emit()
