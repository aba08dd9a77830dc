"""The measurements of the study on screen as rows: what they read, and where they lie. Knows no widgets.

Readings that need pixels nobody looks at are taken on a worker, one frame after the other, while the list is watched.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, simply
from desktop.coalesce import Soon
from desktop.state.formatting import series_title
from desktop.state.measure.measurements import MeasurementsState
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.viewer.layout import LayoutState
from engine.image.pixels import Pixels, read_frame
from engine.measure.measurements import NAMES, POINTS, Kind, Measurement, Reading, lines, read, said
from engine.study import FrameRef, Series, Study

OF_POINTS: tuple[Kind, ...] = ("length", "angle", "cobb")
"""Kinds that are read without any pixels."""
KEY = "measurement list"
PENDING = "…"
UNREADABLE = "its image cannot be read"
NOT_OPEN = "not open"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement in words."""

    id: str
    kind: str
    reading: str
    """All its numbers in one line; ends with "…" while values of the image are still being read."""
    image: str = ""
    """Number of its frame in its series, as in the corner of the viewport; "" when it has none, or not yet."""
    series: str = NOT_OPEN
    series_number: int | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the frame of a measurement lies among what is open."""

    series: Series
    index: int

    @property
    def ref(self) -> FrameRef:
        return self.series.frames[self.index]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a measurement read at its place; holds as long as both stay what they are."""

    item: Measurement
    ref: FrameRef
    words: str


class MeasurementListState(QObject):
    """Idle until it is watched. Rows are in the order in which the measurements were drawn."""

    changed = Signal()

    def __init__(
        self,
        background: Background,
        measurements: MeasurementsState,
        layout: LayoutState,
        frames: FrameCache,
        read_pixels: Callable[[FrameRef], Pixels] = read_frame,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._measurements, self._layout = background, measurements, layout
        self._frames, self._read_pixels = frames, read_pixels
        self.rows: tuple[Row, ...] = ()
        self.selected = ""
        """Id of the measurement that is chosen in the image."""
        self.has_study = False
        self._watched = self._busy = False
        self._known: dict[str, _Known] = {}
        self._open: tuple[Study | None, list[Series]] = (None, [])
        self._places: dict[tuple[str, int], _Place] = {}
        self._soon = Soon(self._look, self)  # one drag of the mouse tells many changes
        shown = layout.shown
        for changed in (measurements.changed, layout.changed, shown.series_changed, shown.overlay_changed):
            changed.connect(self._look_soon)

    def watch(self, watched: bool) -> None:
        """Whether somebody looks at the list."""
        self._watched = watched
        if watched:
            self._look()
        else:
            self._background.drop(KEY)
            self._busy = False
            self._known.clear()
            self._places, self._open = {}, (None, [])

    def text(self, ids: Collection[str] = ()) -> str:
        """Rows to paste elsewhere, tab-separated, a line each; all of them without ids. Names neither patient nor
        study, and leaves out the series' description, which is free text."""
        chosen = [row for row in self.rows if row.id in ids] or self.rows
        return "\n".join("\t".join(_without_free_text(row)) for row in chosen)

    # -- rows

    def _look_soon(self) -> None:
        if self._watched:
            self._soon.ask()

    def _look(self) -> None:
        if not self._watched:
            return
        self._find_places()
        items = self._measurements.of_study()
        self._known = {item.id: self._known[item.id] for item in items if item.id in self._known}
        draft = self._measurements.draft
        waiting: list[tuple[FrameRef, Measurement]] = []
        rows = tuple(self._row(draft if draft and draft.id == item.id else item, waiting) for item in items)
        before = self.rows, self.selected, self.has_study
        self.rows, self.selected = rows, self._measurements.selected
        self.has_study = self._layout.active.study is not None
        self._read_next(waiting)
        if before != (self.rows, self.selected, self.has_study):
            self.changed.emit()

    def _find_places(self) -> None:
        """Of every frame of the study, also of planes that are cut from it; the stack in use comes first."""
        study = self._layout.active.study
        beside = [one for one in self._layout.viewports if study and one.study and one.study.uid == study.uid]
        series = [one.series for one in (self._layout.active, *beside) if one.series]
        series += study.series if study else ()
        if self._open[0] is study and _same(self._open[1], series):
            return
        self._open, self._places = (study, series), {}
        for one in series:
            for index, frame in enumerate(one.frames):
                self._places.setdefault((frame.image.sop_uid, frame.frame), _Place(one, index))

    def _row(self, item: Measurement, waiting: list[tuple[FrameRef, Measurement]]) -> Row:
        place = self._places.get((item.sop_uid, item.frame))
        if place is None:
            return Row(item.id, NAMES[item.kind], "")
        series = place.series
        image = "" if series.growing else str(place.index + 1)
        title = series_title(series).removeprefix("Series ")
        words = self._words(item, place.ref)
        if words is None:
            waiting.append((place.ref, item))
            words = " ".join(part for part in (self._without_values(item, place.ref), PENDING) if part)
        return Row(item.id, NAMES[item.kind], words, image, title, series.number)

    def _words(self, item: Measurement, ref: FrameRef) -> str | None:
        """What a measurement reads; None as long as that needs pixels which are not at hand."""
        if len(item.points) < POINTS.get(item.kind, 3):
            return ""
        if item.kind in OF_POINTS:
            return _line(read(item, ref))
        known = self._known.get(item.id)
        if known is not None and known.item == item and known.ref == ref:
            return known.words
        pixels = self._on_screen(ref)
        reading = self._measurements.reading(item, ref, pixels) if pixels is not None else None
        if reading is None:
            return None
        if item is not self._measurements.draft:  # a large figure shows its values once it is let go
            self._known[item.id] = _Known(item, ref, _line(reading))
        return _line(reading)

    def _without_values(self, item: Measurement, ref: FrameRef) -> str:
        reading = self._measurements.reading(item, ref, None)
        return _joined(lines(reading)) if reading is not None else ""

    def _on_screen(self, ref: FrameRef) -> Pixels | None:
        """Pixels whose values are painted anyway; those of all other frames are left to a worker."""
        pictures = [viewport.picture for viewport in (self._layout.active, *self._layout.viewports)]
        return next((picture.pixels for picture in pictures if picture is not None and picture.ref == ref), None)

    # -- values of frames that are not on screen

    def _read_next(self, waiting: list[tuple[FrameRef, Measurement]]) -> None:
        if self._busy or not waiting:
            return
        ref = waiting[0][0]
        items = [item for where, item in waiting if where == ref]
        self._busy = True
        self._background.start(
            simply(_read_all, self._read_pixels, ref, self._frames.get(ref), items),
            lambda readings: self._take(ref, items, [_line(reading) for reading in readings]),
            key=KEY,
            lane=Lane.PREFETCH,
            failed=lambda error: self._take(ref, items, [self._unreadable(item, ref) for item in items]),
            shows_failure=True,
        )

    def _unreadable(self, item: Measurement, ref: FrameRef) -> str:
        return " · ".join(part for part in (self._without_values(item, ref), UNREADABLE) if part)

    def _take(self, ref: FrameRef, items: list[Measurement], words: list[str]) -> None:
        self._busy = False
        self._known |= {item.id: _Known(item, ref, said) for item, said in zip(items, words)}
        self._look()


def _read_all(
    read_pixels: Callable[[FrameRef], Pixels], ref: FrameRef, pixels: Pixels | None, items: list[Measurement]
) -> list[Reading]:
    pixels = pixels if pixels is not None else read_pixels(ref)
    return [read(item, ref, pixels) for item in items]


def _line(reading: Reading) -> str:
    return _joined(said(reading))


def _joined(words: Sequence[str]) -> str:
    """A reading in one line; within a line of the figure, its parts stand three spaces apart."""
    return " · ".join(part for line in words for part in line.split("   "))


def _without_free_text(row: Row) -> list[str]:
    image = f"image {row.image}" if row.image else ""
    series = f"series {row.series_number}" if row.series_number is not None else ""
    return [row.kind, row.reading, image, series]


def _same(one: list[Series], other: list[Series]) -> bool:
    """The very same series: to compare all their frames would take longer than to find their places anew."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other))
