"""Lists the measurements of the active study as rows of text. Knows no widgets.

While the list is open, frames that are not on screen are read in the background, one at a time.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.coalesce import Coalescer
from desktop.state.formatting import series_title
from desktop.state.measure.measurements import MeasurementsState
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.viewer.layout import LayoutState
from engine.image.pixels import Pixels, read_frame
from engine.measure.measurements import Measurement, lines_of, read
from engine.measure.readings import SEPARATOR, Reading, lines
from engine.study import FrameRef, Series, Study

KEY = "measurement list"
PENDING = "…"
UNREADABLE = "image cannot be read"
NOT_OPEN = "not open"
BULLET = " · "
"""Between the parts of a reading."""


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    """One measurement as text."""

    id: str
    kind: str
    """Label of its figure."""
    reading: str
    """All its numbers in one line; ends with "…" while pixels are still being read."""
    image: str = ""
    """1-based number of its frame in its series, as in the overlay text; "" if unknown or the series is loading."""
    series: str = NOT_OPEN
    """Title of its series."""
    series_number: int | None = None


@dataclass(frozen=True, slots=True)
class _Location:
    """A frame in an open series."""

    series: Series
    index: int

    @property
    def ref(self) -> FrameRef:
        return self.series.frames[self.index]


@dataclass(frozen=True, slots=True)
class _CachedText:
    """The reading of a measurement on a frame; valid while both are unchanged."""

    item: Measurement
    ref: FrameRef
    text: str


class MeasurementListState(QObject):
    """Rows in the order in which the measurements were drawn. Idle unless watched."""

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
        self.rows: tuple[MeasurementRow, ...] = ()
        self.selected = ""
        """Id of the measurement selected in the image."""
        self.has_study = False
        self._watched = self._busy = False
        self._texts: dict[str, _CachedText] = {}
        self._open: tuple[Study | None, list[Series]] = (None, [])
        self._locations: dict[tuple[str, int], _Location] = {}
        """By SOP Instance UID and frame number."""
        self._refresh = Coalescer(self._update, self)  # one drag sends many signals
        shown = layout.active_proxy
        for changed in (measurements.changed, layout.changed, shown.series_changed, shown.overlay_changed):
            changed.connect(self._update_soon)

    def watch(self, watched: bool) -> None:
        """Start or stop keeping the rows up to date, as the list is shown or hidden."""
        self._watched = watched
        if watched:
            self._update()
        else:
            self._background.drop(KEY)
            self._busy = False
            self._texts.clear()
            self._locations, self._open = {}, (None, [])

    def text(self, ids: Collection[str] = ()) -> str:
        """Tab-separated rows for the clipboard: those with these ids, else all.

        Names neither patient nor study, and omits the series description, which is free text and may. The texts of
        annotations are as the user wrote them.
        """
        selected = [row for row in self.rows if row.id in ids] or self.rows
        return "\n".join("\t".join(_cells(row)) for row in selected)

    # -- rows

    def _update_soon(self) -> None:
        if self._watched:
            self._refresh.request()

    def _update(self) -> None:
        if not self._watched:
            return
        self._find_locations()
        items = self._measurements.of_study()
        self._texts = {item.id: self._texts[item.id] for item in items if item.id in self._texts}
        draft = self._measurements.draft
        waiting: list[tuple[FrameRef, Measurement]] = []
        rows = tuple(self._row(draft if draft and draft.id == item.id else item, waiting) for item in items)
        before = self.rows, self.selected, self.has_study
        self.rows, self.selected = rows, self._measurements.selected
        self.has_study = self._layout.active.study is not None
        self._read_next(waiting)
        if before != (self.rows, self.selected, self.has_study):
            self.changed.emit()

    def _find_locations(self) -> None:
        """Locate every frame of the study and of its MPR planes; the active stack takes precedence."""
        study = self._layout.active.study
        others = [one for one in self._layout.viewports if study and one.study and one.study.uid == study.uid]
        series = [one.series for one in (self._layout.active, *others) if one.series]
        series += study.series if study else ()
        if self._open[0] is study and _identical(self._open[1], series):
            return
        self._open, self._locations = (study, series), {}
        for one in series:
            for index, frame in enumerate(one.frames):
                self._locations.setdefault((frame.image.sop_uid, frame.frame), _Location(one, index))

    def _row(self, item: Measurement, waiting: list[tuple[FrameRef, Measurement]]) -> MeasurementRow:
        location = self._locations.get((item.sop_uid, item.frame))
        if location is None:
            return MeasurementRow(item.id, item.figure.label, "")
        series = location.series
        image = "" if series.growing else str(location.index + 1)
        title = series_title(series).removeprefix("Series ")
        text = self._reading_text(item, location.ref)
        if text is None:
            waiting.append((location.ref, item))
            text = " ".join(part for part in (self._text_without_pixels(item, location.ref), PENDING) if part)
        return MeasurementRow(item.id, item.figure.label, text, image, title, series.number)

    def _reading_text(self, item: Measurement, ref: FrameRef) -> str | None:
        """All numbers of a measurement; None if that needs pixels that are not on screen."""
        if not item.is_complete:
            return ""
        if item.figure.annotation:
            return item.text
        if not item.figure.uses_pixels:
            return _line(item, read(item, ref))
        cached = self._texts.get(item.id)
        if cached is not None and cached.item == item and cached.ref == ref:
            return cached.text
        pixels = self._pixels_on_screen(ref)
        reading = self._measurements.reading(item, ref, pixels) if pixels is not None else None
        if reading is None:
            return None
        if item is not self._measurements.draft:  # of a large draft, the reading lacks the statistics
            self._texts[item.id] = _CachedText(item, ref, _line(item, reading))
        return _line(item, reading)

    def _text_without_pixels(self, item: Measurement, ref: FrameRef) -> str:
        reading = self._measurements.reading(item, ref, None)
        return _joined(lines(reading)) if reading is not None else ""

    def _pixels_on_screen(self, ref: FrameRef) -> Pixels | None:
        """Pixels of a frame that a viewport shows; all other frames are read in the background."""
        pictures = [viewport.picture for viewport in (self._layout.active, *self._layout.viewports)]
        return next((picture.pixels for picture in pictures if picture is not None and picture.ref == ref), None)

    # -- frames that are not on screen

    def _read_next(self, waiting: list[tuple[FrameRef, Measurement]]) -> None:
        if self._busy or not waiting:
            return
        ref = waiting[0][0]
        items = [item for where, item in waiting if where == ref]
        self._busy = True
        self._background.start(
            as_work(_read_all, self._read_pixels, ref, self._frames.get(ref), items),
            lambda readings: self._store(ref, items, [_line(*one) for one in zip(items, readings)]),
            key=KEY,
            lane=Lane.PREFETCH,
            failed=lambda error: self._store(ref, items, [self._unreadable_text(item, ref) for item in items]),
            shows_failure=True,
        )

    def _unreadable_text(self, item: Measurement, ref: FrameRef) -> str:
        return BULLET.join(part for part in (self._text_without_pixels(item, ref), UNREADABLE) if part)

    def _store(self, ref: FrameRef, items: list[Measurement], texts: list[str]) -> None:
        self._busy = False
        self._texts |= {item.id: _CachedText(item, ref, text) for item, text in zip(items, texts)}
        self._update()


def _read_all(
    read_pixels: Callable[[FrameRef], Pixels], ref: FrameRef, pixels: Pixels | None, items: list[Measurement]
) -> list[Reading]:
    pixels = pixels if pixels is not None else read_pixels(ref)
    return [read(item, ref, pixels) for item in items]


def _line(item: Measurement, reading: Reading) -> str:
    return _joined(lines_of(item, reading))


def _joined(texts: Sequence[str]) -> str:
    """The lines of a reading in one."""
    return BULLET.join(part for text in texts for part in text.split(SEPARATOR))


def _cells(row: MeasurementRow) -> list[str]:
    image = f"image {row.image}" if row.image else ""
    series = f"series {row.series_number}" if row.series_number is not None else ""
    return [row.kind, row.reading, image, series]


def _identical(one: list[Series], other: list[Series]) -> bool:
    """Whether both lists hold the same objects. Comparing all frames would take longer than locating them again."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other))
