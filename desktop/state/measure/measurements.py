"""Keeps the measurements of the open studies, undoes changes and saves them. Knows no widgets and no mouse."""

import json
import logging
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.state.marks import MarksState
from desktop.state.studies.studies import StudiesState, identify
from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.viewport import ViewportState
from engine.image.pixels import Pixels
from engine.measure.measurements import Measurement, as_dict, from_dict, read
from engine.measure.readings import Reading
from engine.study import FrameRef

MARKS = "measurements"
"""Kind of the marks in the workspace."""
UNDO_STEPS = 200
"""Changes of one study that can be undone."""
LIVE_PIXELS = 500_000
"""Pixels of the bounding box up to which statistics are updated during a drag; beyond, dragging would stutter."""
log = logging.getLogger(__name__)
Items = tuple[Measurement, ...]
Rect = tuple[float, float, float, float]
"""Left, top, width and height in screen points."""


@dataclass(frozen=True, slots=True)
class _CachedReading:
    """A reading, and what it was calculated from."""

    item: Measurement
    pixels: Callable[[], Pixels | None]
    """Weak, so that the cache does not keep frames in memory."""
    reading: Reading


class MeasurementsState(QObject):
    """One immutable tuple per study; undo restores an earlier one."""

    changed = Signal()

    def __init__(
        self, marks: MarksState, studies: StudiesState, layout: LayoutState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._marks, self._studies, self._layout = marks, studies, layout
        self._items: dict[str, Items] = {}
        self._past: dict[str, list[Items]] = {}
        self._future: dict[str, list[Items]] = {}
        self._requested: set[str] = set()
        """Open studies, whose stored measurements were requested."""
        self._loading: set[str] = set()
        """Studies whose stored measurements have not arrived yet."""
        self._orphaned: dict[str, Items] = {}
        """Drawn on studies that were closed before their stored measurements arrived."""
        self.selected = ""
        """Id of the measurement that the Delete key works on; "" for none."""
        self.visible = True
        self.draft: Measurement | None = None
        """What is being drawn or dragged, instead of the stored one with that id. Its last points may be missing."""
        self.text_rects: dict[tuple[ViewportState, str], Rect] = {}
        """Where the text of each annotation was last painted, by its id, so that it can be clicked. Written by the
        painter, which alone knows the font."""
        self._readings: dict[str, _CachedReading] = {}
        studies.changed.connect(self._load_new)

    # -- loading and saving

    def _load_new(self) -> None:
        open_now = {study.uid for study in self._studies.studies if study.uid}
        for closed in self._requested - open_now:
            if closed in self._loading and self._items.get(closed):
                self._orphaned[closed] = self._items[closed]
            for by_study in (self._items, self._past, self._future):
                by_study.pop(closed, None)
        opened = open_now - self._requested
        self._requested = open_now
        self._loading |= opened
        for uid in opened:
            self._marks.load(uid, MARKS, partial(self._add_stored, uid))

    def _add_stored(self, uid: str, stored: list[Any]) -> None:
        """Put stored measurements before those drawn while they were loading, even if the study was closed since."""
        self._loading.discard(uid)
        orphaned = self._orphaned.pop(uid, ())
        if uid not in self._requested:
            if orphaned:
                self._marks.save(uid, MARKS, [*stored, *map(as_dict, orphaned)])
            return
        drawn = (*orphaned, *self._items.get(uid, ()))
        ids = {item.id for item in drawn}
        loaded = [item for item in map(_parsed, stored) if item is not None and item.id not in ids]
        self._items[uid] = (*loaded, *drawn)
        for steps in (self._past, self._future):  # undo takes back what was drawn, never what was stored
            steps[uid] = [(*loaded, *items) for items in steps.get(uid, [])]
        if drawn:
            self._save(uid)
        self._notify()

    def _save(self, uid: str) -> None:
        """Of open studies only: what is stored for a closed one is no longer known here."""
        if uid in self._requested:
            self._marks.save(uid, MARKS, [as_dict(item) for item in self._items.get(uid, ())])

    # -- queries

    @property
    def _study_uid(self) -> str:
        """The study in the active viewport; "" for none."""
        study = self._layout.active.study
        return study.uid if study else ""

    def of_study(self) -> Items:
        """All measurements of the study in the active viewport, in the order they were drawn."""
        return self._items.get(self._study_uid, ())

    def states_of(self, study: str) -> dict[str, str] | None:
        """The points of each measurement of a study by id, to tell whether one was changed; None until read."""
        if study not in self._requested or study in self._loading:
            return None
        return {item.id: state_of(item) for item in self._items.get(study, ())}

    def on(self, viewport: ViewportState) -> Items:
        """Visible measurements on the frame in a viewport, with the draft in place of the one that it changes."""
        if not self.visible or viewport.picture is None or viewport.study is None:
            return ()
        ref = viewport.picture.ref
        draft = self.draft if self.draft is not None and self.draft.belongs_to(ref) else None
        stored = self._items.get(viewport.study.uid, ())
        shown = [item for item in stored if item.belongs_to(ref) and (draft is None or item.id != draft.id)]
        return (*shown, draft) if draft else tuple(shown)

    def reading(self, item: Measurement, ref: FrameRef, pixels: Pixels | None) -> Reading | None:
        """The numbers of a measurement, cached until its points or pixels change; None while points are missing."""
        if not item.is_complete:
            return None
        if item is self.draft and _bounding_area(item) > LIVE_PIXELS:
            pixels = None
        cached = self._readings.get(item.id)
        if cached is None or cached.item != item or cached.pixels() is not pixels:
            source = weakref.ref(pixels) if pixels is not None else lambda: None
            cached = self._readings[item.id] = _CachedReading(item, source, read(item, ref, pixels))
        return cached.reading

    def frame_index(self, item: Measurement) -> int | None:
        """Index of its frame in the stack of the active viewport; None if it is on another stack."""
        series = self._layout.active.series
        frames = series.frames if series else ()
        return next((index for index, frame in enumerate(frames) if item.belongs_to(frame)), None)

    # -- changes

    def add(self, item: Measurement, viewport: ViewportState | None = None) -> None:
        """Add a measurement to the study of the viewport it was drawn in, which may no longer be the active one."""
        study = (viewport or self._layout.active).study
        uid = study.uid if study else ""
        self._change(uid, (*self._items.get(uid, ()), item))
        self.selected = item.id
        self.visible = True
        self._notify()

    def is_stored(self, item: Measurement) -> bool:
        """Whether it was added and not deleted since."""
        return any(other.id == item.id for items in self._items.values() for other in items)

    def replace(self, item: Measurement) -> None:
        """Replace the measurement with the same id, in whichever study it is."""
        for uid, items in tuple(self._items.items()):
            now = tuple(item if other.id == item.id else other for other in items)
            if now != items:
                self._change(uid, now)
        self._notify()

    def selected_is_visible(self) -> bool:
        """Whether the selected measurement is visible on the frame of the active viewport."""
        return any(item.id == self.selected for item in self.on(self._layout.active))

    def delete_selected(self) -> None:
        """Delete the selected measurement if it is visible, so that nothing is deleted unseen."""
        if self.selected_is_visible():
            self.delete(self.selected)

    def delete(self, *ids: str) -> None:
        """Delete measurements by id, as one step to undo."""
        now = tuple(item for item in self.of_study() if item.id not in ids)
        if now != self.of_study():
            self._change(self._study_uid, now)
        self._notify()

    def delete_all(self) -> None:
        """Delete all measurements of the study in the active viewport, as one step to undo."""
        if self.of_study():
            self._change(self._study_uid, ())
        self._notify()

    def can_undo(self) -> bool:
        """Whether a change of this study can be undone."""
        return bool(self._past.get(self._study_uid))

    def can_redo(self) -> bool:
        """Whether a change of this study was undone."""
        return bool(self._future.get(self._study_uid))

    def undo(self) -> None:
        """Undo the last change of this study and show what it affected."""
        self._step(self._past, self._future)

    def redo(self) -> None:
        """Redo the last change that was undone and show what it affected."""
        self._step(self._future, self._past)

    def _change(self, uid: str, now: Items) -> None:
        past = self._past.setdefault(uid, [])
        past.append(self._items.get(uid, ()))
        del past[:-UNDO_STEPS]
        self._future.pop(uid, None)
        self._items[uid] = now
        self._save(uid)

    def _step(self, source: dict[str, list[Items]], target: dict[str, list[Items]]) -> None:
        uid = self._study_uid
        if source.get(uid):
            before, after = self.of_study(), source[uid].pop()
            target.setdefault(uid, []).append(before)
            self._items[uid] = after
            self._save(uid)
            changed = [item for item in (*before, *after) if item not in before or item not in after]
            if changed:
                self._show(changed[0])
            self._notify()

    # -- selection and visibility

    def select(self, item_id: str) -> None:
        """Select a measurement by id; "" deselects."""
        self.selected = item_id
        self._notify()

    def go_to(self, item_id: str) -> None:
        """Select a measurement and show its frame, in a viewport that already shows its series if there is one."""
        item = next((one for one in self.of_study() if one.id == item_id), None)
        if item is not None:
            self._show(item)
        self.select(item_id)

    def _show(self, item: Measurement) -> None:
        self.visible = True
        self._activate_viewport_of(item)
        study = self._layout.active.study
        if study is not None and self.frame_index(item) is None:  # in another series of the study
            series = next((one for one in study.series if any(map(item.belongs_to, one.frames))), None)
            self._studies.select(identify(study, series))
        index = self.frame_index(item)
        if index is not None:
            self._layout.active.go_to(index)

    def _activate_viewport_of(self, item: Measurement) -> None:
        """Activate a viewport that shows its stack, if any. MPR planes cannot be found in the study's series."""
        for viewport in (self._layout.active, *self._layout.viewports):
            same = viewport.study is not None and viewport.study.uid == self._study_uid
            if same and viewport.series is not None and any(map(item.belongs_to, viewport.series.frames)):
                self._layout.activate(viewport)
                return

    def set_draft(self, draft: Measurement | None) -> None:
        """Show a measurement that is being drawn or dragged; None ends that."""
        self.draft = draft
        self._repaint()

    def set_visible(self, visible: bool) -> None:
        """Show or hide all measurements."""
        self.visible = visible
        self._notify()

    def _notify(self) -> None:
        if all(item.id != self.selected for item in self.of_study()):
            self.selected = ""
        ids = {item.id for items in self._items.values() for item in items}
        self._readings = {key: value for key, value in self._readings.items() if key in ids}
        self.text_rects = {key: value for key, value in self.text_rects.items() if key[1] in ids}
        self.changed.emit()
        self._repaint()

    def _repaint(self) -> None:
        for viewport in self._layout.viewports:
            viewport.overlay_changed.emit()


def new_measurement(viewport: ViewportState, kind: str) -> Measurement | None:
    """A measurement without points on the frame in a viewport; None if that frame has no SOP Instance UID."""
    if viewport.picture is None or viewport.series is None or not viewport.picture.ref.image.sop_uid:
        return None
    ref = viewport.picture.ref
    return Measurement(kind, (), ref.image.sop_uid, ref.frame, viewport.series.uid)


def state_of(item: Measurement) -> str:
    """Kind, points and text of a measurement as text, opaque; the same after it was stored and read again."""
    drawn: list[Any] = [item.kind, [list(point) for point in item.points]]
    return json.dumps([*drawn, item.text] if item.text else drawn)


def _bounding_area(item: Measurement) -> float:
    """Pixels in the bounding box of a figure."""
    columns, rows = [point[0] for point in item.points], [point[1] for point in item.points]
    return (max(columns) - min(columns)) * (max(rows) - min(rows))


def _parsed(stored: Any) -> Measurement | None:
    """A stored measurement; None, with an entry in the log, if it cannot be read."""
    try:
        return from_dict(stored)
    except (KeyError, TypeError, ValueError) as error:
        log.warning("Stored measurement skipped: %s", error)
        return None
