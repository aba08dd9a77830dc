"""Key images: the frames that a reader marked, kept with their study. Knows no widgets.

They are this reader's own list in the workspace; nothing is written into the study's files.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.state.layout import LayoutState
from desktop.state.marks import MarksState
from desktop.state.studies import StudiesState, identify
from engine.study import FrameRef, Series, Study

KIND = "key images"
Key = tuple[str, int]
"""SOP Instance UID and 0-based frame."""


@dataclass(frozen=True, slots=True, eq=False)
class KeyImage:
    """A marked frame where it stands among the open series."""

    study: Study
    series: Series
    index: int


class KeyImagesState(QObject):
    """The marked frames of the open studies."""

    changed = Signal()

    def __init__(
        self, studies: StudiesState, layout: LayoutState, marks: MarksState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._studies, self._layout, self._marks = studies, layout, marks
        self._keys: dict[str, list[Key]] = {}
        studies.changed.connect(self._load)

    def is_key(self, study: Study | None, frame: FrameRef | None) -> bool:
        return bool(study and frame and key_of(frame) in self._keys.get(study.uid, ()))

    @property
    def shown_is_key(self) -> bool:
        """Is the frame on the active viewport's screen one?"""
        picture = self._layout.active.picture
        return picture is not None and self.is_key(self._layout.active.study, picture.ref)

    def toggle(self) -> None:
        """Mark the frame on screen, or take the mark away."""
        study, picture = self._layout.active.study, self._layout.active.picture
        if study is None or picture is None or not key_of(picture.ref)[0]:
            return
        keys = self._keys.setdefault(study.uid, [])
        key = key_of(picture.ref)
        keys.remove(key) if key in keys else keys.append(key)
        self._marks.save(study.uid, KIND, [list(key) for key in keys])
        self._tell()

    def all(self) -> list[KeyImage]:
        """Of all open studies, in the order of series and frames."""
        return [
            KeyImage(study, series, index)
            for study in self._studies.studies
            for series in study.series
            for index, frame in enumerate(series.frames)
            if self.is_key(study, frame)
        ]

    def any(self) -> bool:
        """Quick, for enabling commands: of the open studies, also of a series that was left out."""
        return any(self._keys.get(study.uid) for study in self._studies.studies)

    def step(self, by: int) -> None:
        """Go to the next or previous one, around the corner; to the nearest of the order when none is shown."""
        found = self.all()
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

    def _order(self, key: KeyImage) -> tuple[int, int]:
        every = [series for study in self._studies.studies for series in study.series]
        return next(number for number, series in enumerate(every) if series is key.series), key.index

    def _place(self) -> tuple[int, int]:
        every = [series for study in self._studies.studies for series in study.series]
        viewport = self._layout.active
        return next((n for n, series in enumerate(every) if series is viewport.series), -1), viewport.index

    def _load(self) -> None:
        for study in self._studies.studies:
            if study.uid not in self._keys:
                self._keys[study.uid] = []
                self._marks.load(study.uid, KIND, partial(self._take, study.uid))

    def _take(self, study: str, rows: list[Any]) -> None:
        """What was kept, after what was marked while it was being read."""
        kept = [(str(uid), int(frame)) for uid, frame in rows]
        self._keys[study] = [*kept, *(key for key in self._keys[study] if key not in kept)]
        self._tell()

    def _tell(self) -> None:
        self.changed.emit()
        for viewport in self._layout.every:
            viewport.overlay_changed.emit()


def key_of(frame: FrameRef) -> Key:
    return frame.image.sop_uid, frame.frame
