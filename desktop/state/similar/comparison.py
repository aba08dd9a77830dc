"""Shows an archived case in a viewport beside the current image. Knows no widgets and ranks nothing.

The case never takes the viewport of the current image, which search, draft and report go on being about. While a case
is shown, selecting another hit shows that one. Closing brings back what the viewport showed, and the layout.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.search import SearchState
from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.linking import LinkState, matching_view
from desktop.state.viewer.saved_viewport import Find, SavedViewport
from desktop.state.viewer.viewport import ViewportState
from engine.archive import Archive
from engine.image.archived import archived_origin, is_archived, study_of
from engine.store.case import Case
from engine.study import PROJECTIONS, Study

BESIDE = (1, 2)
"""Rows and columns of the layout that makes room for a case beside a single image."""


class ComparisonState(QObject):
    """One case at a time, in one viewport."""

    changed = Signal()
    """Another case is shown, or none."""

    def __init__(
        self,
        background: Background,
        archive: ArchiveState,
        search: SearchState,
        layout: LayoutState,
        links: LinkState,
        find: Find,
        open_paths: Callable[[Sequence[Path]], None] = lambda paths: None,
        parent: QObject | None = None,
    ) -> None:
        """`find` finds an open series by its id; `open_paths` opens files and folders as studies."""
        super().__init__(parent)
        self._background, self._archive, self._search = background, archive, search
        self._layout, self._links, self._find, self._open_paths = layout, links, find, open_paths
        self.viewport: ViewportState | None = None
        """Where a case is shown; None while none is."""
        self.case_id: int | None = None
        """The case that is shown, or being read for that."""
        self.case: Case | None = None
        """That case; None until it has been read."""
        self.original: Path | None = None
        """Where its original study is, if the archive keeps that and it is still there."""
        self._source: Archive | None = None
        """The archive of the case."""
        self._before: SavedViewport | None = None
        self.grid_before: tuple[int, int] | None = None
        """The layout to go back to; None if it was left as it was."""
        self._placed = False
        """The first image of the case has taken the zoom and pan of the current image."""
        search.selection_changed.connect(self._follow_selection)
        search.selected_case.changed.connect(self._follow_panel)
        archive.changed.connect(self._on_archive)
        layout.changed.connect(self._on_layout)
        for viewport in layout.all_viewports:
            self._connect(viewport)
        layout.viewport_added.connect(self._connect)

    def _connect(self, viewport: ViewportState) -> None:
        viewport.series_changed.connect(partial(self._on_series, viewport))
        viewport.picture_changed.connect(partial(self._on_picture, viewport))
        viewport.index_changed.connect(partial(self._on_index, viewport))

    # -- showing and closing

    def start(self) -> None:
        """Show the selected hit beside the current image."""
        hit = self._search.selected
        if hit is not None:
            self._show(hit.case_id, hit.image_id)

    def show_case(self, case_id: int) -> None:
        """Show a case by its number beside the current image, from its first image."""
        self._show(case_id, None)

    def drop(self, viewport: ViewportState, case_id: int) -> None:
        """Show a hit that was dropped on a viewport: there, or beside it if it shows the current image."""
        hit = next((hit for hit in self._search.hits if hit.case_id == case_id), None)
        if hit is None:
            return
        self._search.select(hit)
        if self.viewport is not None and viewport not in (self.viewport, self._layout.of_study):
            self.close()
        self._show(hit.case_id, hit.image_id, viewport)

    def open_original(self) -> None:
        """Open the study that the case was made of."""
        if self.original is not None:
            self._open_paths([self.original])

    def step(self, by: int) -> None:
        """Show another image of the case, stopping at the first and the last."""
        if self.viewport is not None:
            self.viewport.scroll(by)

    def close(self) -> None:
        """Stop comparing: the viewport shows again what it showed before."""
        if self.viewport is None:
            return
        viewport, before, grid = self.viewport, self._before, self.grid_before
        self._forget()
        viewport.show(None, None)
        if before is not None:
            with self._links.paused():  # else its window, frame and zoom of then would be given to the current image
                before.restore(self._find)
        layout = self._layout
        if grid is not None and (layout.rows, layout.columns) == BESIDE:
            layout.set_grid(*grid)
        else:
            layout.activate(layout.of_study)

    def _show(self, case_id: int, image_id: int | None, wanted: ViewportState | None = None) -> None:
        archive = self._archive.archive
        if archive is None:
            return
        if self.viewport is None:
            self._take_viewport(wanted)
        self.case_id, self._source, self.case, self.original = case_id, archive, None, None
        self._background.start(
            as_work(_read, archive, case_id),
            partial(self._take, case_id, image_id),
            key="compared case",
            lane=Lane.THUMBNAIL,
            urgent=True,
            failed=lambda error: self.close(),
        )
        self.changed.emit()

    def _take_viewport(self, wanted: ViewportState | None) -> None:
        layout = self._layout
        current = layout.of_study
        if len(layout.viewports) == 1:
            self.grid_before = (layout.rows, layout.columns)
            layout.set_grid(*BESIDE)
        elif layout.maximized:
            layout.toggle_maximized()
        cells = layout.viewports
        beside = cells[(cells.index(current) + 1) % len(cells)]
        self.viewport = beside if wanted is None or wanted is current else wanted
        self._before = SavedViewport.of(self.viewport)
        self._links.pair = frozenset({current, self.viewport})

    def _take(self, case_id: int, image_id: int | None, found: tuple[Case, Study | None, Path | None]) -> None:
        viewport = self.viewport
        if viewport is None or case_id != self.case_id:
            return
        self._placed = False
        self.case, study, self.original = found
        self.changed.emit()
        if study is None:
            viewport.show(None, None, empty_text=("Report only", f"The archive has no image of case {case_id}."))
            return
        series = study.series[0]
        ids = [origin.stored.image_id for origin in map(archived_origin, series.frames) if origin is not None]
        viewport.show(study, series, ids.index(image_id) if image_id in ids else 0)

    def _forget(self) -> None:
        self._background.drop("compared case")
        self.viewport, self.case_id, self._source, self._before, self.grid_before = None, None, None, None, None
        self.case = self.original = None
        self._links.pair = frozenset()
        self.changed.emit()

    # -- keeping up

    def _on_series(self, viewport: ViewportState) -> None:
        """Forget the comparison when something else is shown in its viewport."""
        own = is_archived(viewport.series) or (viewport.series is None and any(viewport.empty_text))
        if viewport is self.viewport and not own:
            self._forget()

    def _on_archive(self) -> None:
        if self.viewport is not None and self._archive.archive is not self._source:
            self.close()

    def _on_layout(self) -> None:
        """Close when the viewport went out of sight."""
        if self.viewport is not None and self.viewport not in self._layout.viewports:
            self.grid_before = None
            self.close()

    def _on_picture(self, viewport: ViewportState) -> None:
        """Give the first image of a case the zoom and pan of the current image."""
        current = self._layout.of_study
        if viewport is self.viewport and viewport.shape and current.shape and not self._placed:
            self._placed = True
            with self._links.paused():
                viewport.match_view(matching_view(current.view, current.shape, viewport.view, viewport.shape))

    def _on_index(self, viewport: ViewportState) -> None:
        selected = self._search.selected_case
        if viewport is self.viewport and selected.case is not None and selected.case.case_id == self.case_id:
            selected.go_to(viewport.index)

    def _follow_panel(self) -> None:
        """Show the image of the case that the panel shows."""
        selected = self._search.selected_case
        if self.viewport is None or selected.case is None or selected.case.case_id != self.case_id:
            return
        if is_archived(self.viewport.series) and self.viewport.index != selected.number:
            self.viewport.go_to(selected.number)

    def _follow_selection(self) -> None:
        if self.viewport is None:
            return
        hit = self._search.selected
        if hit is None:
            self.close()
        elif hit.case_id != self.case_id:
            self._show(hit.case_id, hit.image_id)


def _read(archive: Archive, case_id: int) -> tuple[Case, Study | None, Path | None]:
    case = archive.case(case_id)
    return case, study_of(archive, case), original_of(archive.source(case_id), case.modality)


def original_of(source: str | None, modality: str) -> Path | None:
    """What to open for the path that a case came from; None if that is not there any more.

    A ZIP file for one of its members; for a radiograph its file, else the folder of the file, with the whole stack.
    """
    if source is None:
        return None
    path = Path(source.split(" > ")[0])
    try:
        if not path.is_file():
            return None
    except OSError:
        return None
    return path if " > " in source or modality in PROJECTIONS else path.parent
