"""Key images: the frames that the reader marked, and those that documents of the study mark. Knows no widgets.

The reader's own list is kept in the workspace; nothing is written into the study's files, and what they say stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.state.marks import MarksState
from desktop.state.studies.studies import StudiesState, identify
from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.noted_images import NotedImages
from engine.image.mpr import is_plane
from engine.study import FrameRef, Series, Study

KIND = "key images"
OWN = "★ Key image"
Key = tuple[str, int]
"""SOP Instance UID and 0-based frame."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Why a frame stands out, in the words that are shown."""

    text: str
    warns: bool = False
    """A document rejects the frame or doubts it: no recommendation."""


@dataclass(frozen=True, slots=True, eq=False)
class KeyImage:
    """A marked frame where it stands among the open series."""

    study: Study
    series: Series
    index: int
    marks: tuple[Mark, ...]

    @property
    def recommended(self) -> bool:
        """Someone marked it for another reason than to warn of it."""
        return not all(mark.warns for mark in self.marks)


class KeyImagesState(QObject):
    """The marked frames of the open studies."""

    changed = Signal()
    told = Signal(str)

    def __init__(
        self, studies: StudiesState, layout: LayoutState, marks: MarksState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._studies, self._layout, self._marks = studies, layout, marks
        self._keys: dict[str, list[Key]] = {}
        self._noted = NotedImages()
        studies.changed.connect(self._load)

    def is_key(self, study: Study | None, frame: FrameRef | None) -> bool:
        """Did the reader mark it?"""
        return bool(study and frame and key_of(frame) in self._keys.get(study.uid, ()))

    def marks(self, study: Study | None, frame: FrameRef) -> tuple[Mark, ...]:
        """The reader's own mark, then what documents of the study say, warnings first: where it is narrow they stay."""
        own = (Mark(OWN),) if self.is_key(study, frame) else ()
        documents = sorted(self._noted.of(frame), key=lambda one: not one.is_rejection_note)
        return own + tuple(
            Mark(f"{'✕' if one.is_rejection_note else '★'} {one.title}", one.is_rejection_note) for one in documents
        )

    @property
    def shown_is_key(self) -> bool:
        """Did the reader mark the frame on the active viewport's screen?"""
        picture = self._layout.active.picture
        return picture is not None and self.is_key(self._layout.active.study, picture.ref)

    def can_mark(self) -> bool:
        """Is there a frame on screen that can be found again? A plane through a stack is in no file."""
        picture = self._layout.active.picture
        return picture is not None and bool(key_of(picture.ref)[0]) and not is_plane(picture.ref)

    def toggle(self) -> None:
        """Mark the frame on screen, or take the reader's own mark away."""
        study, picture = self._layout.active.study, self._layout.active.picture
        if study is None or picture is None or not self.can_mark():
            return
        keys = self._keys.setdefault(study.uid, [])
        key = key_of(picture.ref)
        keys.remove(key) if key in keys else keys.append(key)
        self._save(study.uid)
        titles = ", ".join(one.title for one in self._noted.of(picture.ref))
        if titles:
            done = "You marked this image as well" if key in keys else "Your own mark was taken away"
            self.told.emit(f"{done}. What the study itself says of it stays: {titles}.")
        self._tell()

    def all(self) -> list[KeyImage]:
        """Of all open studies, in the order of series and frames; an image marked as a whole by its first frame."""
        return [
            KeyImage(study, series, index, marks)
            for study in self._studies.studies
            for series in study.series
            for index, marks in self._of(study, series)
        ]

    def any(self) -> bool:
        """Quick, for enabling commands: of the open studies, also of a series that was left out."""
        return self._any_own() or self._noted.any

    def any_recommended(self) -> bool:
        """Is there one to step to? As quick."""
        return self._any_own() or self._noted.any_recommended

    def step(self, by: int) -> None:
        """Go to the next or previous one, around the corner; to the nearest of the order when none is shown.

        Frames that documents only warn of are passed over: going there would look like a recommendation.
        """
        found = [key for key in self.all() if key.recommended]
        if not found:
            return
        here = self._place()
        places = [self._order(key) for key in found]
        after = [number for number, place in enumerate(places) if place > here]
        before = [number for number, place in enumerate(places) if place < here]
        chosen = (after[0] if after else 0) if by > 0 else (before[-1] if before else len(found) - 1)
        self.go_to(found[chosen])

    def go_to(self, key: KeyImage) -> None:
        """Show it in the active viewport."""
        self._studies.select(identify(key.study, key.series))
        viewport = self._layout.active
        if viewport.series is not key.series:
            viewport.show(key.study, key.series)
        viewport.go_to(key.index)

    def _of(self, study: Study, series: Series) -> Iterator[tuple[int, tuple[Mark, ...]]]:
        whole: set[str] = set()
        for index, frame in enumerate(series.frames):
            marks = self.marks(study, frame)
            if marks and not self.is_key(study, frame) and self._noted.only_whole(frame):
                if frame.image.sop_uid in whole:
                    continue
                whole.add(frame.image.sop_uid)
            if marks:
                yield index, marks

    def _any_own(self) -> bool:
        return any(self._keys.get(study.uid) for study in self._studies.studies)

    def _order(self, key: KeyImage) -> tuple[int, int]:
        every = [series for study in self._studies.studies for series in study.series]
        return next(number for number, series in enumerate(every) if series is key.series), key.index

    def _place(self) -> tuple[int, int]:
        every = [series for study in self._studies.studies for series in study.series]
        viewport = self._layout.active
        return next((n for n, series in enumerate(every) if series is viewport.series), -1), viewport.index

    def _load(self) -> None:
        if self._noted.read(self._studies.key_objects.values(), self._studies.studies):
            self._tell()
        for study in self._studies.studies:
            if study.uid not in self._keys:
                self._keys[study.uid] = []
                self._marks.load(study.uid, KIND, partial(self._take, study.uid))

    def _take(self, study: str, rows: list[Any]) -> None:
        """What was kept, after what was marked while it was being read."""
        kept = [(str(uid), int(frame)) for uid, frame in rows]
        fresh = [key for key in self._keys[study] if key not in kept]
        self._keys[study] = [*kept, *fresh]
        if fresh:
            self._save(study)
        self._tell()

    def _save(self, study: str) -> None:
        self._marks.save(study, KIND, [list(key) for key in self._keys[study]])

    def _tell(self) -> None:
        self.changed.emit()
        for viewport in self._layout.every:
            viewport.overlay_changed.emit()


def key_of(frame: FrameRef) -> Key:
    return frame.image.sop_uid, frame.frame
