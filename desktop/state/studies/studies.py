"""Which studies are open, what was left out, and which series is chosen. Knows no widgets, reads no pixels itself."""

import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.pictures.picture import Image, middle, thumbnail
from desktop.state.studies.merging import keeping_keys, merge, successor, without
from engine.dicom.key_objects import KeyObject
from engine.dicom.listing import Listing, open_path
from engine.errors import Rejected
from engine.image.pixels import Pixels
from engine.progress import IsCancelled, Progress
from engine.study import FrameRef, Series, Study


class StudiesState(QObject):
    """The open studies, patient by patient; the same study opened twice gathers its images."""

    changed = Signal()
    selected = Signal()
    """The chosen series changed."""
    thumbnail_changed = Signal(str)
    rejected_changed = Signal()
    closed = Signal()
    """One study or all of them."""
    nothing_found = Signal()
    """Files were read, but none of them holds an image or marks one."""
    only_key_objects = Signal()
    """Files were read that mark images, but none that holds one."""

    def __init__(
        self,
        background: Background,
        open_files: Callable[..., Listing] = open_path,
        frames: FrameCache | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._open_files, self._frames = background, open_files, frames or FrameCache()
        self.studies: list[Study] = []
        self.rejected: list[Rejected] = []
        self.key_objects: dict[str, KeyObject] = {}
        """Documents that mark images, by their UID, or where they lie without one; their images may not be open."""
        self.study: Study | None = None
        self.series: Series | None = None
        self._known_rejected: set[Rejected] = set()
        self._numbers = itertools.count(1)
        self._openings: list[_Opening] = []
        self._thumbnails: dict[str, Image | None] = {}
        self._waiting: OrderedDict[str, Series] = OrderedDict()
        self._drawing = False
        self._closings = 0
        """How often something was closed: what was decoded before is not kept after."""
        self._wanted = ""
        """The series to choose once it is told that it is there."""
        self._untold = False
        self._moved = False
        """The chosen series is part of another one by now."""
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self._tell_rest)

    def open(self, paths: Sequence[Path]) -> None:
        """List files, folders and zips on a worker; what cannot be opened joins `rejected`.

        While a large folder is read, what is known so far is open already, its series marked as growing.
        """
        paths = [Path(path) for path in paths]
        if paths:
            name = paths[0].name or str(paths[0])
            opening = _Opening(f"open {next(self._numbers)}", paths[0])
            self._openings.append(opening)
            self._background.start(
                partial(_list, self._open_files, tuple(paths)),
                partial(self._take, opening),
                title=f"Opening {name}" if len(paths) == 1 else f"Opening {len(paths)} items",
                redacted_title="Opening an item" if len(paths) == 1 else "",
                key=opening.key,
                lane=Lane.OPEN,
                partial_result=partial(self._take_part, opening),
                failed=partial(self._fail, opening),
                cancelled=partial(self._stop, opening),
            )

    def select(self, series_id: str) -> None:
        found = self.find(series_id)
        if found is not None and found[1] is not self.series:
            self.study, self.series = found
            self.selected.emit()

    def step(self, by: int) -> None:
        """Choose the next or previous series of all open studies."""
        every = [identify(study, series) for study in self.studies for series in study.series]
        if every and self.study and self.series:
            here = every.index(identify(self.study, self.series))
            self.select(every[min(len(every) - 1, max(0, here + by))])

    def close(self, study_uid: str) -> None:
        """Close one study; what is still being read of it stays away."""
        where = next((index for index, study in enumerate(self.studies) if study.uid == study_uid), None)
        if where is None:
            return
        if len(self.studies) == 1 and not self._openings:
            self.close_all()
            return
        for opening in self._openings:
            opening.closed.add(study_uid)
        closed = self.studies.pop(where)
        self.key_objects = {key: one for key, one in self.key_objects.items() if one.study_uid != study_uid}
        for series in closed.series:
            self._thumbnails.pop(identify(closed, series), None)
        if self.study is not None and self.study.uid == study_uid:
            self.study = self.studies[min(where, len(self.studies) - 1)] if self.studies else None
            self.series = self.study.series[0] if self.study else None
        self._tell_closed()

    def close_all(self) -> None:
        for opening in self._openings:
            self._background.drop(opening.key)
        self._openings.clear()
        self.key_objects = {}
        self.studies, self.rejected, self.study, self.series = [], [], None, None
        self._known_rejected.clear()
        self._thumbnails.clear()
        self._waiting.clear()
        self._tell_closed()

    def _tell_closed(self) -> None:
        self._closings += 1
        for signal in (self.changed, self.rejected_changed, self.selected, self.closed):
            signal.emit()

    def find(self, series_id: str) -> tuple[Study, Series] | None:
        """A series that is open, as it stands now."""
        every = ((study, series) for study in self.studies for series in study.series)
        return next((found for found in every if identify(*found) == series_id), None)

    def thumbnail(self, series_id: str) -> Image | None:
        """The small picture when it is there."""
        return self._thumbnails.get(series_id)

    # -- answers

    def _take_part(self, opening: "_Opening", listing: Listing) -> None:
        self._gather(opening, listing.studies, listing.key_objects)

    def _take(self, opening: "_Opening", listing: Listing) -> None:
        self._openings.remove(opening)
        self._gather(opening, listing.studies, listing.key_objects)
        self.leave_out(listing.rejected)
        if not any(study.series for study in listing.studies):
            (self.only_key_objects if listing.key_objects else self.nothing_found).emit()

    def _stop(self, opening: "_Opening") -> None:
        """What was read before stays open, and the list of what was left out says that there is more."""
        self._openings.remove(opening)
        if opening.studies:
            self._gather(opening, [_grown(study) for study in opening.studies])
            self.leave_out([Rejected(str(opening.path), "Opening it was stopped; what had not been read is missing.")])

    def _fail(self, opening: "_Opening", error: BaseException) -> None:
        if opening in self._openings:
            self._openings.remove(opening)
        if opening.studies:
            self._gather(opening, [_grown(study) for study in opening.studies])

    def _gather(self, opening: "_Opening", found: Sequence[Study], documents: Sequence[KeyObject] = ()) -> None:
        """Take what an opening knows now in place of what it knew before.

        The first answer is told at once, and those that are there right behind it together: a hundred files opened one
        by one are two changes of the list.
        """
        fresh = {one.sop_uid or one.name: one for one in documents if one.study_uid not in opening.closed}
        self.key_objects = self.key_objects | fresh
        found = [study for study in found if study.uid not in opening.closed]
        before = {study.uid for study in self.studies}
        self.studies = keeping_keys(self.studies, merge(without(self.studies, opening.studies), found))
        self.studies = by_patient([study for study in self.studies if study.series])
        opening.studies = found
        self._keep_selection_current()
        if found and not opening.shown:
            opening.shown = True
            first = next((study for study in found if study.uid not in before), found[0])
            study = next(study for study in self.studies if study.uid == first.uid)
            self._wanted = identify(study, study.series[0])
        if self._soon.isActive():
            self._untold = True
        else:
            self._tell()

    def _tell_rest(self) -> None:
        if self._untold:
            self._tell()

    def _tell(self) -> None:
        self._untold = False
        self._soon.start()
        self.changed.emit()
        if self._moved:
            self._moved = False
            self.selected.emit()
        self._request_thumbnails()
        wanted, self._wanted = self._wanted, ""
        if wanted:
            self.select(wanted)

    def leave_out(self, rejected: Sequence[Rejected]) -> None:
        """List what was left out, each once."""
        fresh = [item for item in dict.fromkeys(rejected) if item not in self._known_rejected]
        self._known_rejected.update(fresh)
        self.rejected += fresh
        self.rejected_changed.emit()

    def _keep_selection_current(self) -> None:
        """A study that gained series, or a series that grew, is a new object: go on with that one."""
        if self.study is None or self.series is None:
            return
        before = self.series
        self.study = next((study for study in self.studies if study.uid == self.study.uid), None)
        if self.study is None:
            self.series = None
            return
        self.series = successor(before, self.study.series) or self.study.series[0]
        self._moved = self._moved or self.series.key != before.key

    # -- thumbnails

    def _request_thumbnails(self) -> None:
        for study in self.studies:
            for series in study.series:
                series_id = identify(study, series)
                if series_id not in self._thumbnails:
                    self._thumbnails[series_id] = None
                    self._waiting[series_id] = series
        self._next_thumbnail()

    def _next_thumbnail(self) -> None:
        """One at a time: a thousand series must not be a thousand requests."""
        if self._waiting and not self._drawing:
            series_id, series = self._waiting.popitem(last=False)
            self._drawing = True
            ref = middle(series)
            self._background.start(
                as_work(thumbnail, ref, self._frames.get(ref)),
                partial(self._take_thumbnail, series_id, ref, self._closings),
                lane=Lane.THUMBNAIL,
                failed=partial(self._no_thumbnail, series_id),
                shows_failure=True,
            )

    def _take_thumbnail(self, series_id: str, ref: FrameRef, closings: int, made: tuple[Image, Pixels]) -> None:
        image, pixels = made
        self._drawing = False
        on_screen = self.series is not None and ref in self.series.frames and closings == self._closings
        if on_screen and self._frames.free_for(pixels):
            self._frames.put(ref, pixels)  # of a stack on screen it would be decoded once more otherwise
        if series_id in self._thumbnails:
            self._thumbnails[series_id] = image
            self.thumbnail_changed.emit(series_id)
        self._next_thumbnail()

    def _no_thumbnail(self, series_id: str, error: BaseException) -> None:
        """The list shows an empty frame; the reason appears in the viewport when the series is chosen."""
        self._drawing = False
        self.thumbnail_changed.emit(series_id)
        self._next_thumbnail()


@dataclass(eq=False)
class _Opening:
    """One request to open, and what it gave so far."""

    key: str
    path: Path
    studies: Sequence[Study] = ()
    shown: bool = False
    """A series of it was chosen for the screen."""
    closed: set[str] = field(default_factory=set)


def _grown(study: Study) -> Study:
    return replace(study, series=tuple(replace(series, growing=False) for series in study.series))


def patient_of(study: Study) -> tuple[str, ...]:
    """What tells patients apart; a study that names nobody is somebody of its own."""
    patient = study.patient
    return ("patient", patient.id, patient.name) if patient.id or patient.name else ("patient of", study.uid, "")


def by_patient(studies: Sequence[Study]) -> list[Study]:
    """Patients in the order they came, the studies of each from the latest to the earliest."""
    patients: dict[tuple[str, ...], list[Study]] = {}
    for study in studies:
        patients.setdefault(patient_of(study), []).append(study)
    latest_first = (sorted(own, key=lambda study: (study.date, study.time), reverse=True) for own in patients.values())
    return [study for own in latest_first for study in own]


def identify(study: Study | None, series: Series | None) -> str:
    """Id of a series of a study; "" for none."""
    return f"{study.uid}/{series.key}" if study is not None and series is not None else ""


def _list(
    open_files: Callable[..., Listing],
    paths: tuple[Path, ...],
    progress: Progress,
    cancelled: IsCancelled,
    found: Callable[[Listing], None],
) -> Listing:
    return open_files(paths, progress, cancelled, found)
