"""The measurements of the open studies: drawn, edited, undone, kept with their study. Knows no widgets and no mouse."""

import logging
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.state.marks import MarksState
from desktop.state.studies.studies import StudiesState, identify
from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.viewport import ViewportState
from engine.image.pixels import Pixels
from engine.measure.measurements import POINTS, Measurement, Reading, as_dict, from_dict, read
from engine.study import FrameRef

KIND = "measurements"
"""Of the marks in the workspace."""
STEPS = 200
"""Changes of one study that can be undone."""
LIVE_PIXELS = 500_000
"""A larger figure shows its values once it is let go, so that dragging stays smooth."""
log = logging.getLogger(__name__)
Items = tuple[Measurement, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a measurement read, and from which frame, which may be let go meanwhile."""

    item: Measurement
    pixels: Callable[[], Pixels | None]
    reading: Reading


class MeasurementsState(QObject):
    """Immutable lists, one a study: undo puts an earlier list back."""

    changed = Signal()

    def __init__(
        self, marks: MarksState, studies: StudiesState, layout: LayoutState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._marks, self._studies, self._layout = marks, studies, layout
        self._items: dict[str, Items] = {}
        self._past: dict[str, list[Items]] = {}
        self._future: dict[str, list[Items]] = {}
        self._asked: set[str] = set()
        self._unread: set[str] = set()
        """Studies whose stored measurements are not here yet."""
        self._late: dict[str, Items] = {}
        """Drawn on studies that were closed before their stored ones were read."""
        self.selected = ""
        """Id of the measurement that keys work on."""
        self.visible = True
        self.draft: Measurement | None = None
        """What is being drawn or dragged; stands for the stored one with the same id. May lack its last points."""
        self._readings: dict[str, _Known] = {}
        studies.changed.connect(self._load_new)

    # -- kept with the study

    def _load_new(self) -> None:
        open_now = {study.uid for study in self._studies.studies if study.uid}
        for gone in self._asked - open_now:
            if gone in self._unread and self._items.get(gone):
                self._late[gone] = self._items[gone]
            for kept in (self._items, self._past, self._future):
                kept.pop(gone, None)
        new_ones = open_now - self._asked
        self._asked = open_now
        self._unread |= new_ones
        for uid in new_ones:
            self._marks.load(uid, KIND, partial(self._take_stored, uid))

    def _take_stored(self, uid: str, stored: list[Any]) -> None:
        """What was drawn while the store was read stays, after what it held, also of a study that was closed since."""
        self._unread.discard(uid)
        late = self._late.pop(uid, ())
        if uid not in self._asked:
            if late:
                self._marks.save(uid, KIND, [*stored, *map(as_dict, late)])
            return
        drawn = (*late, *self._items.get(uid, ()))
        known = {item.id for item in drawn}
        found = [item for item in map(_understood, stored) if item is not None and item.id not in known]
        self._items[uid] = (*found, *drawn)
        for steps in (self._past, self._future):  # undo goes back to what was drawn, never behind what was stored
            steps[uid] = [(*found, *items) for items in steps.get(uid, [])]
        if drawn:
            self._save(uid)
        self._tell()

    def _save(self, uid: str) -> None:
        """Only of an open study: of a closed one it is no longer known what is kept."""
        if uid in self._asked:
            self._marks.save(uid, KIND, [as_dict(item) for item in self._items.get(uid, ())])

    # -- what there is

    @property
    def _here(self) -> str:
        """The study in use."""
        study = self._layout.active.study
        return study.uid if study else ""

    def of_study(self) -> Items:
        """All of the study in use, in the order they were drawn."""
        return self._items.get(self._here, ())

    def on(self, viewport: ViewportState) -> Items:
        """Those on the frame that a viewport shows, with the draft in place of what it changes."""
        if not self.visible or viewport.picture is None or viewport.study is None:
            return ()
        ref = viewport.picture.ref
        draft = self.draft if self.draft is not None and self.draft.belongs_to(ref) else None
        stored = self._items.get(viewport.study.uid, ())
        shown = [item for item in stored if item.belongs_to(ref) and (draft is None or item.id != draft.id)]
        return (*shown, draft) if draft else tuple(shown)

    def reading(self, item: Measurement, ref: FrameRef, pixels: Pixels | None) -> Reading | None:
        """What a measurement reads; None while points are missing. Computed once for each place of its points."""
        if len(item.points) < POINTS.get(item.kind, 3):
            return None
        if item is self.draft and _extent(item) > LIVE_PIXELS:
            pixels = None
        known = self._readings.get(item.id)
        if known is None or known.item != item or known.pixels() is not pixels:
            frame = weakref.ref(pixels) if pixels is not None else lambda: None
            known = self._readings[item.id] = _Known(item, frame, read(item, ref, pixels))
        return known.reading

    def frame_index(self, item: Measurement) -> int | None:
        """Position of its frame in the stack that the active viewport shows."""
        series = self._layout.active.series
        frames = series.frames if series else ()
        return next((index for index, frame in enumerate(frames) if item.belongs_to(frame)), None)

    # -- changes

    def add(self, item: Measurement, viewport: ViewportState | None = None) -> None:
        """To the study of the viewport that it was drawn in; another may have come into use since it was begun."""
        study = (viewport or self._layout.active).study
        uid = study.uid if study else ""
        self._change(uid, (*self._items.get(uid, ()), item))
        self.selected = item.id
        self.visible = True  # what one draws is seen
        self._tell()

    def replace(self, item: Measurement) -> None:
        """Put new points in the place of the measurement with the same id, in whichever study it is."""
        for uid, items in tuple(self._items.items()):
            now = tuple(item if known.id == item.id else known for known in items)
            if now != items:
                self._change(uid, now)
        self._tell()

    def selected_in_sight(self) -> bool:
        """Whether the measurement that keys work on is on the frame of the active viewport, and shown."""
        return any(item.id == self.selected for item in self.on(self._layout.active))

    def delete_selected(self) -> None:
        """Only what is in sight: nobody deletes on another frame, or unseen."""
        if self.selected_in_sight():
            self.delete(self.selected)

    def delete(self, *ids: str) -> None:
        """One step to undo."""
        now = tuple(item for item in self.of_study() if item.id not in ids)
        if now != self.of_study():
            self._change(self._here, now)
        self._tell()

    def delete_all(self) -> None:
        """Of the study in use; one step to undo."""
        if self.of_study():
            self._change(self._here, ())
        self._tell()

    def can_undo(self) -> bool:
        return bool(self._past.get(self._here))

    def can_redo(self) -> bool:
        return bool(self._future.get(self._here))

    def undo(self) -> None:
        self._step(self._past, self._future)

    def redo(self) -> None:
        self._step(self._future, self._past)

    def _change(self, uid: str, now: Items) -> None:
        past = self._past.setdefault(uid, [])
        past.append(self._items.get(uid, ()))
        del past[:-STEPS]
        self._future.pop(uid, None)
        self._items[uid] = now
        self._save(uid)

    def _step(self, source: dict[str, list[Items]], target: dict[str, list[Items]]) -> None:
        uid = self._here
        if source.get(uid):
            before, after = self.of_study(), source[uid].pop()
            target.setdefault(uid, []).append(before)
            self._items[uid] = after
            self._save(uid)
            changed = [item for item in (*before, *after) if item not in before or item not in after]
            if changed:  # what one takes back is seen to go
                self._show(changed[0])
            self._tell()

    # -- what is looked at

    def select(self, item_id: str) -> None:
        self.selected = item_id
        self._tell()

    def go_to(self, item_id: str) -> None:
        """Select a measurement and show its frame; in the viewport that shows its series already, if there is one."""
        item = next((known for known in self.of_study() if known.id == item_id), None)
        if item is not None:
            self._show(item)
        self.select(item_id)

    def _show(self, item: Measurement) -> None:
        self.visible = True
        self._activate_for(item)
        study = self._layout.active.study
        if study is not None and self.frame_index(item) is None:  # in another series of the study
            series = next((one for one in study.series if any(map(item.belongs_to, one.frames))), None)
            self._studies.select(identify(study, series))
        index = self.frame_index(item)
        if index is not None:
            self._layout.active.go_to(index)

    def _activate_for(self, item: Measurement) -> None:
        """Turn to a viewport that shows its stack, when the one in use does not: planes are in no list of series."""
        for viewport in (self._layout.active, *self._layout.viewports):
            same = viewport.study is not None and viewport.study.uid == self._here
            if same and viewport.series is not None and any(map(item.belongs_to, viewport.series.frames)):
                self._layout.activate(viewport)
                return

    def set_draft(self, draft: Measurement | None) -> None:
        self.draft = draft
        self._repaint()

    def set_visible(self, visible: bool) -> None:
        self.visible = visible
        self._tell()

    def _tell(self) -> None:
        if all(item.id != self.selected for item in self.of_study()):
            self.selected = ""
        known = {item.id for items in self._items.values() for item in items}
        self._readings = {key: value for key, value in self._readings.items() if key in known}
        self.changed.emit()
        self._repaint()

    def _repaint(self) -> None:
        for viewport in self._layout.viewports:
            viewport.overlay_changed.emit()


def new(viewport: ViewportState, kind: Any, points: Sequence[tuple[float, float]]) -> Measurement | None:
    """A measurement on the frame that a viewport shows; None without one that measurements can be bound to."""
    if viewport.picture is None or viewport.series is None or not viewport.picture.ref.image.sop_uid:
        return None
    ref = viewport.picture.ref
    return Measurement(kind, tuple(points), ref.image.sop_uid, ref.frame, viewport.series.uid)


def with_points(item: Measurement, points: Sequence[tuple[float, float]]) -> Measurement:
    return replace(item, points=tuple(points))


def _extent(item: Measurement) -> float:
    """Pixels of the rectangle around a figure."""
    columns, rows = [point[0] for point in item.points], [point[1] for point in item.points]
    return (max(columns) - min(columns)) * (max(rows) - min(rows))


def _understood(stored: Any) -> Measurement | None:
    """A stored measurement; one that cannot be understood is left out, and said in the log."""
    try:
        return from_dict(stored)
    except (KeyError, TypeError, ValueError) as error:
        log.warning("A stored measurement was left out: %s", error)
        return None
