"""Which studies are open, what was left out, and which series is chosen. Knows no widgets, reads no pixels itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, simply
from desktop.state.picture import Image, thumbnail
from engine.dicom_source import Listing, open_path
from engine.errors import Rejected
from engine.progress import IsCancelled, Progress
from engine.study import Series, Study


class StudiesState(QObject):
    """The open studies in the order they came; the same study opened twice gathers its series."""

    changed = Signal()
    selected = Signal()
    """The chosen series changed."""
    thumbnail_changed = Signal(str)
    rejected_changed = Signal()
    nothing_found = Signal()
    """Files were read, but none of them holds an image."""

    def __init__(
        self,
        background: Background,
        open_files: Callable[..., Listing] = open_path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._open_files = background, open_files
        self.studies: list[Study] = []
        self.rejected: list[Rejected] = []
        self.study: Study | None = None
        self.series: Series | None = None
        self._thumbnails: dict[str, Image | None] = {}

    def open(self, paths: Sequence[Path]) -> None:
        """List files, folders and zips on a worker; what cannot be opened joins `rejected`."""
        paths = [Path(path) for path in paths]
        if paths:
            name = paths[0].name or str(paths[0])
            self._background.start(
                partial(_list, self._open_files, tuple(paths)),
                self._take,
                title=f"Opening {name}" if len(paths) == 1 else f"Opening {len(paths)} items",
                lane=Lane.LONG,
            )

    def select(self, series_id: str) -> None:
        for study in self.studies:
            for series in study.series:
                if identify(study, series) == series_id and series is not self.series:
                    self.study, self.series = study, series
                    self.selected.emit()

    def step(self, by: int) -> None:
        """Choose the next or previous series of all open studies."""
        every = [identify(study, series) for study in self.studies for series in study.series]
        if every and self.study and self.series:
            here = every.index(identify(self.study, self.series))
            self.select(every[min(len(every) - 1, max(0, here + by))])

    def close_all(self) -> None:
        self.studies, self.rejected, self.study, self.series = [], [], None, None
        self._thumbnails.clear()
        self.changed.emit()
        self.rejected_changed.emit()
        self.selected.emit()

    def thumbnail(self, series_id: str) -> Image | None:
        """The small picture when it is there."""
        return self._thumbnails.get(series_id)

    def _take(self, listing: Listing) -> None:
        before = {study.uid for study in self.studies}
        self.studies = merge(self.studies, listing.studies)
        self.rejected += [item for item in listing.rejected if item not in self.rejected]
        self.changed.emit()
        self.rejected_changed.emit()
        self._request_thumbnails()
        fresh = [study for study in listing.studies if study.series and study.uid not in before] or listing.studies
        if fresh:
            study = next(study for study in self.studies if study.uid == fresh[0].uid)
            self.select(identify(study, study.series[0]))
        else:
            self.nothing_found.emit()
        self._keep_selection_current()

    def _keep_selection_current(self) -> None:
        """A study that gained series is a new object: go on with that one, without a change on the screen."""
        if self.study and self.series:
            self.study = next((study for study in self.studies if study.uid == self.study.uid), None)

    def _request_thumbnails(self) -> None:
        for study in self.studies:
            for series in study.series:
                series_id = identify(study, series)
                if series_id not in self._thumbnails:
                    self._thumbnails[series_id] = None
                    self._background.start(
                        simply(thumbnail, series),
                        partial(self._take_thumbnail, series_id),
                        lane=Lane.THUMBNAIL,
                        failed=partial(self._no_thumbnail, series_id),
                    )

    def _take_thumbnail(self, series_id: str, image: Image) -> None:
        if series_id in self._thumbnails:
            self._thumbnails[series_id] = image
            self.thumbnail_changed.emit(series_id)

    def _no_thumbnail(self, series_id: str, error: BaseException) -> None:
        """The list shows an empty frame; the reason appears in the viewport when the series is chosen."""
        self.thumbnail_changed.emit(series_id)


def identify(study: Study, series: Series) -> str:
    return f"{study.uid}/{series.key}"


def merge(old: Sequence[Study], new: Sequence[Study]) -> list[Study]:
    """The open studies with newly read ones: a study known by its UID gains series, a series read again is replaced."""
    studies = {study.uid: study for study in old}
    for study in new:
        known = studies.get(study.uid)
        if known is None:
            studies[study.uid] = study
            continue
        series = {item.key: item for item in known.series} | {item.key: item for item in study.series}
        ordered = sorted(series.values(), key=lambda item: (item.number is None, item.number or 0, item.key))
        studies[study.uid] = replace(study, series=tuple(ordered))
    return list(studies.values())


def _list(
    open_files: Callable[..., Listing], paths: tuple[Path, ...], progress: Progress, cancelled: IsCancelled
) -> Listing:
    return open_files(paths, progress, cancelled)
