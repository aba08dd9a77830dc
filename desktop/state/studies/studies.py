"""The open studies, the rejected files, and the selected series. Knows no widgets, reads no pixels itself."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.background import Background, Lane
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.pictures.picture import Image
from desktop.state.studies.merging import keep_stack_keys, merge, remove_images, successor
from desktop.state.studies.thumbnails import ThumbnailLoader
from engine.dicom.documents.document import StudyDocument
from engine.dicom.identity import apart_from, contradict, warned
from engine.dicom.key_objects import KeyObject
from engine.dicom.listing import Listing, open_path
from engine.errors import Rejected
from engine.progress import IsCancelled, Progress
from engine.study import FrameRef, Series, Study

ONLY_KEY_OBJECTS = "No images found, only a key object selection. Open its study as well to see the key images."


class StudiesState(QObject):
    """The open studies by patient; a study opened in several parts is merged."""

    changed = Signal()
    selected = Signal()
    """Another series is selected."""
    thumbnail_changed = Signal(str)
    rejected_changed = Signal()
    closed = Signal()
    """One study was closed, or all of them."""
    nothing_found = Signal()
    """Files were read, but none is an image or a document."""
    only_key_objects = Signal()
    """Key Object documents were read, but no image."""

    def __init__(
        self,
        background: Background,
        open_files: Callable[..., Listing] = open_path,
        frames: FrameCache | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._open_files = background, open_files
        self.studies: list[Study] = []
        self.rejected: list[Rejected] = []
        self.key_objects: dict[str, KeyObject] = {}
        """Key Object documents by SOP Instance UID, or by name without one; their images may not be open."""
        self.documents: dict[str, StudyDocument] = {}
        """Reports, PDFs, presentation states and segmentations by key; their images may not be open."""
        self.study: Study | None = None
        self.series: Series | None = None
        self._known_rejected: set[Rejected] = set()
        self._numbers = itertools.count(1)
        self._openings: list[_Opening] = []
        self._thumbnails = ThumbnailLoader(
            background, frames or FrameCache(), changed=self.thumbnail_changed.emit, on_screen=self._is_selected
        )
        self._select_next = ""
        """Id of the series to select once `changed` was emitted."""
        self._change_pending = False
        self._selection_replaced = False
        """The selected series has become part of another one."""
        self._coalescing = QTimer(self, singleShot=True)
        self._coalescing.timeout.connect(self._emit_pending)

    def open(self, paths: Sequence[Path], select: bool = True) -> None:
        """List files, folders and zips on a worker; what cannot be opened is added to `rejected`.

        While a large folder is read, the images found so far are open already, their series marked as growing. The
        first series that is found is selected, unless it is to `select` none.
        """
        paths = [Path(path) for path in paths]
        if paths:
            name = paths[0].name or str(paths[0])
            opening = _Opening(f"open {next(self._numbers)}", paths[0], shown=not select)
            self._openings.append(opening)
            self._background.start(
                partial(_list, self._open_files, tuple(paths)),
                partial(self._take, opening),
                title=f"Opening {name}" if len(paths) == 1 else f"Opening {len(paths)} items",
                redacted_title="Opening an item" if len(paths) == 1 else "",
                key=opening.key,
                lane=Lane.OPEN,
                partial_result=partial(self._take_partial, opening),
                failed=partial(self._fail, opening),
                cancelled=partial(self._stop, opening),
            )

    def select(self, series_id: str) -> None:
        """Select a series, if it is open."""
        found = self.find(series_id)
        if found is not None and found[1] is not self.series:
            self.study, self.series = found
            self.selected.emit()

    def step(self, by: int) -> None:
        """Select the next or previous series of all open studies."""
        every = [identify(study, series) for study in self.studies for series in study.series]
        if every and self.study and self.series:
            here = every.index(identify(self.study, self.series))
            self.select(every[min(len(every) - 1, max(0, here + by))])

    def close(self, study_uid: str) -> None:
        """Close one study; files of it that are still being read are ignored."""
        index = next((index for index, study in enumerate(self.studies) if study.uid == study_uid), None)
        if index is None:
            return
        if len(self.studies) == 1 and not self._openings:
            self.close_all()
            return
        for opening in self._openings:
            opening.closed.add(study_uid)
        closed = self.studies.pop(index)
        self.key_objects = {key: one for key, one in self.key_objects.items() if one.study_uid != study_uid}
        self.documents = {key: one for key, one in self.documents.items() if not belongs(one, closed)}
        self._thumbnails.remove(identify(closed, series) for series in closed.series)
        if self.study is not None and self.study.uid == study_uid:
            self.study = self.studies[min(index, len(self.studies) - 1)] if self.studies else None
            self.series = self.study.series[0] if self.study else None
        self._emit_closed()

    def close_all(self) -> None:
        """Close all studies and stop reading files."""
        for opening in self._openings:
            self._background.drop(opening.key)
        self._openings.clear()
        self.key_objects, self.documents = {}, {}
        self.studies, self.rejected, self.study, self.series = [], [], None, None
        self._known_rejected.clear()
        self._thumbnails.clear()
        self._emit_closed()

    def _emit_closed(self) -> None:
        for signal in (self.changed, self.rejected_changed, self.selected, self.closed):
            signal.emit()

    def find(self, series_id: str) -> tuple[Study, Series] | None:
        """An open series with its study, by id."""
        every = ((study, series) for study in self.studies for series in study.series)
        return next((found for found in every if identify(*found) == series_id), None)

    def thumbnail(self, series_id: str) -> Image | None:
        """The thumbnail of a series; None until it is made."""
        return self._thumbnails.get(series_id)

    def _is_selected(self, frame: FrameRef) -> bool:
        return self.series is not None and frame in self.series.frames

    # -- answers

    def _take_partial(self, opening: "_Opening", listing: Listing) -> None:
        self._gather(opening, listing)

    def _take(self, opening: "_Opening", listing: Listing) -> None:
        self._openings.remove(opening)
        self._gather(opening, listing)
        self.add_rejected(listing.rejected)
        if not any(study.series for study in listing.studies) and not listing.documents:
            (self.only_key_objects if listing.key_objects else self.nothing_found).emit()

    def _stop(self, opening: "_Opening") -> None:
        """Keep open what was read, and list the rest as rejected."""
        self._openings.remove(opening)
        if opening.studies:
            self._gather(opening, Listing(tuple(_completed(study) for study in opening.studies)))
            self.add_rejected([Rejected(str(opening.path), "Opening was cancelled before this was read completely.")])

    def _fail(self, opening: "_Opening", error: BaseException) -> None:
        if opening in self._openings:
            self._openings.remove(opening)
        if opening.studies:
            self._gather(opening, Listing(tuple(_completed(study) for study in opening.studies)))

    def _gather(self, opening: "_Opening", listing: Listing) -> None:
        """Replace what an opening has found before by what it has found now.

        The first change is emitted at once, those right after it are coalesced: a hundred files opened one by one are
        two changes of the list.
        """
        marks = {one.sop_uid or one.name: one for one in listing.key_objects if one.study_uid not in opening.closed}
        self.key_objects = self.key_objects | marks
        fresh = {one.key: one for one in listing.documents if one.study.uid not in opening.closed}
        self.documents = self.documents | fresh
        found = [apart_from(self.studies, study) for study in listing.studies]
        found = [study for study in found if study.uid not in opening.closed]
        before = {study.uid for study in self.studies}
        self.studies = keep_stack_keys(self.studies, merge(remove_images(self.studies, opening.studies), found))
        self.studies = by_patient(warned([study for study in self.studies if study.series]))
        opening.studies = found
        self._keep_selection_current()
        if found and not opening.shown:
            opening.shown = True
            first = next((study for study in found if study.uid not in before), found[0])
            study = next(study for study in self.studies if study.uid == first.uid)
            self._select_next = identify(study, study.series[0])
        if self._coalescing.isActive():
            self._change_pending = True
        else:
            self._emit_changed()

    def _emit_pending(self) -> None:
        if self._change_pending:
            self._emit_changed()

    def _emit_changed(self) -> None:
        self._change_pending = False
        self._coalescing.start()
        self.changed.emit()
        if self._selection_replaced:
            self._selection_replaced = False
            self.selected.emit()
        self._thumbnails.request((identify(study, series), series) for study in self.studies for series in study.series)
        selection, self._select_next = self._select_next, ""
        if selection:
            self.select(selection)

    def add_rejected(self, rejected: Sequence[Rejected]) -> None:
        """Add rejected files to the list, each once."""
        fresh = [item for item in dict.fromkeys(rejected) if item not in self._known_rejected]
        self._known_rejected.update(fresh)
        self.rejected += fresh
        self.rejected_changed.emit()

    def _keep_selection_current(self) -> None:
        """Select the current object of a study or series that has grown."""
        if self.study is None or self.series is None:
            return
        before = self.series
        self.study = next((study for study in self.studies if study.uid == self.study.uid), None)
        if self.study is None:
            self.series = None
            return
        self.series = successor(before, self.study.series) or self.study.series[0]
        self._selection_replaced = self._selection_replaced or self.series.key != before.key


@dataclass(eq=False)
class _Opening:
    """One request to open files, and what it has found so far."""

    key: str
    path: Path
    studies: Sequence[Study] = ()
    shown: bool = False
    """One of its series was selected."""
    closed: set[str] = field(default_factory=set)
    """UIDs of the studies that were closed meanwhile."""


def _completed(study: Study) -> Study:
    """The study with no series marked as growing: no more of it will be read."""
    return replace(study, series=tuple(replace(series, growing=False) for series in study.series))


def belongs(document: StudyDocument, study: Study) -> bool:
    """Whether a document is of a study: it has its UID, and no other patient."""
    same = document.study.uid == (study.stated_uid or study.uid)
    return same and not contradict(document.study.patient, study.patient)


def patient_of(study: Study) -> tuple[str, ...]:
    """Identifies the patient of a study; a study without a name or id is a patient of its own."""
    patient = study.patient
    return ("patient", patient.id, patient.name) if patient.id or patient.name else ("patient of", study.uid, "")


def by_patient(studies: Sequence[Study]) -> list[Study]:
    """Studies by patient in the order of opening, those of each patient from latest to earliest."""
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
