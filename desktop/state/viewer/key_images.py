"""Key images: frames marked by the reader or by Key Object documents of the study. Knows no widgets.

The reader's own list is kept in the workspace; nothing is written into the study's files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.state.marks import MarksState
from desktop.state.studies.studies import StudiesState, identify
from desktop.state.viewer.key_object_index import KeyObjectIndex
from desktop.state.viewer.layout import LayoutState
from engine.image.mpr import is_plane
from engine.reports.workspace import KEY_IMAGES
from engine.study import FrameRef, Series, Study

OWN = "★ Key image"
Key = tuple[str, int]
"""SOP Instance UID and 0-based frame."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Why a frame is marked, as the overlay text shows it."""

    text: str
    is_rejection: bool = False
    """A document rejects the frame or doubts its quality."""


@dataclass(frozen=True, slots=True, eq=False)
class MarkedFrame:
    """A marked frame of an open series."""

    study: Study
    series: Series
    index: int
    """0-based position in the series' stack."""
    marks: tuple[Mark, ...]

    @property
    def recommended(self) -> bool:
        """Not every mark is a rejection."""
        return not all(mark.is_rejection for mark in self.marks)


class KeyImagesState(QObject):
    """The marked frames of the open studies."""

    changed = Signal()
    message = Signal(str)
    """Text to show to the user."""

    def __init__(
        self, studies: StudiesState, layout: LayoutState, marks: MarksState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._studies, self._layout, self._marks = studies, layout, marks
        self._keys: dict[str, list[Key]] = {}
        self._documents = KeyObjectIndex()
        studies.changed.connect(self._load)

    def is_key(self, study: Study | None, frame: FrameRef | None) -> bool:
        """The reader marked this frame."""
        return bool(study and frame and key_of(frame) in self._keys.get(study.uid, ()))

    def own(self, study: Study) -> tuple[Key, ...]:
        """The frames that the reader marked in a study, in the order of marking."""
        return tuple(self._keys.get(study.uid, ()))

    def marks(self, study: Study | None, frame: FrameRef) -> tuple[Mark, ...]:
        """The reader's own mark, then those of documents: rejections first, since a narrow viewport shows few."""
        own = (Mark(OWN),) if self.is_key(study, frame) else ()
        documents = sorted(self._documents.documents_of(frame), key=lambda one: not one.is_rejection_note)
        return own + tuple(
            Mark(f"{'✕' if one.is_rejection_note else '★'} {one.title}", one.is_rejection_note) for one in documents
        )

    @property
    def shown_is_key(self) -> bool:
        """The reader marked the frame in the active viewport."""
        picture = self._layout.active.picture
        return picture is not None and self.is_key(self._layout.active.study, picture.ref)

    def can_mark(self) -> bool:
        """The active viewport shows a frame of a file: an MPR plane cannot be marked."""
        picture = self._layout.active.picture
        return picture is not None and bool(key_of(picture.ref)[0]) and not is_plane(picture.ref)

    def toggle(self) -> None:
        """Mark the frame in the active viewport, or remove the reader's own mark."""
        study, picture = self._layout.active.study, self._layout.active.picture
        if study is None or picture is None or not self.can_mark():
            return
        keys = self._keys.setdefault(study.uid, [])
        key = key_of(picture.ref)
        keys.remove(key) if key in keys else keys.append(key)
        self._save(study.uid)
        titles = ", ".join(one.title for one in self._documents.documents_of(picture.ref))
        if titles:
            done = "Marked as key image" if key in keys else "Key image mark removed"
            self.message.emit(f"{done}. Key object selections also mark this image: {titles}.")
        self._notify()

    def all(self) -> list[MarkedFrame]:
        """Of all open studies, by series and frame; an image marked as a whole is listed by its first frame."""
        return [
            MarkedFrame(study, series, index, marks)
            for study in self._studies.studies
            for series in study.series
            for index, marks in self._of(study, series)
        ]

    def any(self) -> bool:
        """There is one in an open study, also in a series that was rejected. Fast enough to enable commands."""
        return self._any_own() or self._documents.any

    def any_recommended(self) -> bool:
        """There is one to step to. As fast."""
        return self._any_own() or self._documents.any_recommended

    def step(self, by: int) -> None:
        """Go to the next or previous one; wraps around.

        Skips frames that documents only reject: going there would look like a recommendation.
        """
        found = [frame for frame in self.all() if frame.recommended]
        if not found:
            return
        viewport = self._layout.active
        here = self._order(viewport.series, viewport.index)
        after = [frame for frame in found if self._order(frame.series, frame.index) > here]
        before = [frame for frame in found if self._order(frame.series, frame.index) < here]
        self.go_to((after or found)[0] if by > 0 else (before or found)[-1])

    def go_to(self, frame: MarkedFrame) -> None:
        """Show it in the active viewport."""
        self._studies.select(identify(frame.study, frame.series))
        viewport = self._layout.active
        if viewport.series is not frame.series:
            viewport.show(frame.study, frame.series)
        viewport.go_to(frame.index)

    def _of(self, study: Study, series: Series) -> Iterator[tuple[int, tuple[Mark, ...]]]:
        whole: set[str] = set()
        for index, frame in enumerate(series.frames):
            marks = self.marks(study, frame)
            if marks and not self.is_key(study, frame) and self._documents.is_whole_image(frame):
                if frame.image.sop_uid in whole:
                    continue
                whole.add(frame.image.sop_uid)
            if marks:
                yield index, marks

    def _any_own(self) -> bool:
        return any(self._keys.get(study.uid) for study in self._studies.studies)

    def _order(self, series: Series | None, index: int) -> tuple[int, int]:
        """Sorts frames of all open studies; a series that is not open comes first."""
        every = [one for study in self._studies.studies for one in study.series]
        return next((number for number, one in enumerate(every) if one is series), -1), index

    def _load(self) -> None:
        if self._documents.update(self._studies.key_objects.values(), self._studies.studies):
            self._notify()
        for study in self._studies.studies:
            if study.uid not in self._keys:
                self._keys[study.uid] = []
                self._marks.load(study.uid, KEY_IMAGES, partial(self._take, study.uid))

    def _take(self, study: str, rows: list[Any]) -> None:
        """Take the stored list, then what was marked while it was being read."""
        kept = [(str(uid), int(frame)) for uid, frame in rows]
        fresh = [key for key in self._keys[study] if key not in kept]
        self._keys[study] = [*kept, *fresh]
        if fresh:
            self._save(study)
        self._notify()

    def _save(self, study: str) -> None:
        self._marks.save(study, KEY_IMAGES, [list(key) for key in self._keys[study]])

    def _notify(self) -> None:
        self.changed.emit()
        for viewport in self._layout.all_viewports:
            viewport.overlay_changed.emit()


def key_of(frame: FrameRef) -> Key:
    """What identifies a frame in the stored list."""
    return frame.image.sop_uid, frame.frame
