"""Creates the states of the app and connects them. Does not know the widgets."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import cast

from PySide6.QtCore import QObject

from desktop.background import Background
from desktop.state.first_steps.first_steps import FirstStepsState
from desktop.state.jobs import JobsState
from desktop.state.marks import MarksState
from desktop.state.measure.annotation_text import AnnotationTextState
from desktop.state.measure.drawing_tools import add_measuring_tools
from desktop.state.measure.measurement_list import MeasurementListState
from desktop.state.measure.measurements import MeasurementsState
from desktop.state.messages import MessagesState
from desktop.state.mpr.mpr import MprState
from desktop.state.mpr.oblique import ObliqueState, TurnPlaneTool
from desktop.state.mpr.slab import SlabState
from desktop.state.pacs.pacs import PacsStates
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.redaction import redacted
from desktop.state.report.checking import CheckingState
from desktop.state.report.exporting import ExportState
from desktop.state.report.inserting import InsertingState
from desktop.state.report.report import ReportState
from desktop.state.report.writing import WritingState
from desktop.state.settings import SettingsState
from desktop.state.shortcuts import ShortcutsState
from desktop.state.similar.archive import ArchiveState, is_archive
from desktop.state.similar.comparison import ComparisonState
from desktop.state.similar.deletion import DeletionState
from desktop.state.similar.import_summary import import_summary
from desktop.state.similar.prior import PriorState
from desktop.state.similar.reindexing import ReindexState
from desktop.state.similar.roi_tool import SearchRoiTool
from desktop.state.similar.search import SearchState
from desktop.state.similar.space import SpaceState
from desktop.state.studies.image_export import ImageExportState
from desktop.state.studies.merging import successor
from desktop.state.studies.studies import ONLY_KEY_OBJECTS, StudiesState, identify
from desktop.state.studies.study_list import StudyListState
from desktop.state.upkeep.importing import rejected
from desktop.state.upkeep.upkeep import Upkeep
from desktop.state.viewer.basic_tools import MagnifierState, RubberBand, add_basic_tools
from desktop.state.viewer.cine import CineState
from desktop.state.viewer.crosshair import CrosshairTool
from desktop.state.viewer.documents import DocumentsState
from desktop.state.viewer.key_images import KeyImagesState
from desktop.state.viewer.key_pointer import KeyPointer
from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.linking import LinkState
from desktop.state.viewer.series_memory import SeriesMemory
from desktop.state.viewer.tags import TagsState
from desktop.state.viewer.tools import ToolsState
from desktop.state.viewer.viewport import ViewportState
from engine.errors import UserError
from engine.image.archived import archived_origin, is_archived, read_archived
from engine.image.mpr import is_plane
from engine.image.pixels import Pixels
from engine.image.voi import Window
from engine.image.window import presets
from engine.importing.import_result import ImportResult
from engine.reports.workspace_patients import open_told_apart
from engine.study import FrameRef, Series, Study
from engine.text.words import counted


class Desk(QObject):
    """All states of one window. `workspace` is the folder of reports and marks; None is the user's folder.

    `user`, the account of this computer, is recorded with every change of a report; a signature has the name that was
    typed.
    """

    def __init__(self, workspace: Path | None = None, user: str = "") -> None:
        super().__init__()
        self.background = Background(self)
        self.settings = SettingsState(workspace, self.background, self)
        self.shortcuts = ShortcutsState(self.settings, self)
        self.messages = MessagesState(self)
        self.jobs = JobsState(self.background, self)
        self.frames = FrameCache(self.settings.now.cache_megabytes * 1024 * 1024)
        self.memory = SeriesMemory()
        self.studies = StudiesState(self.background, partial(open_told_apart, workspace), self.frames, self)
        self.mpr = MprState(
            self.background, lambda: self.layout, self.studies.find, parent=self, unlinked=lambda: self.links.paused()
        )
        self.mpr.changed.connect(self._drop_old_planes)
        self.slab = SlabState(self.mpr, self)
        self.layout = LayoutState(self._make_viewport, parent=self)
        shown = cast(ViewportState, self.layout.study_proxy)  # forwards to whichever viewport has the current image
        self.tools = ToolsState(self)
        self.rubber_band = RubberBand(self)
        self.magnifier = MagnifierState(self.tools, self)
        add_basic_tools(self.tools, self.rubber_band)
        self.key_pointer = KeyPointer(self.tools, self.layout, self)
        self.links = LinkState(self.layout, self)
        self.cine = CineState(self.layout, parent=self)
        self.marks = MarksState(self.background, self)
        self.key_images = KeyImagesState(self.studies, self.layout, self.marks, self)
        self.documents = DocumentsState(self.background, self.studies, self.layout, self)
        self.tags = TagsState(self.background, shown, self)
        self.measurements = MeasurementsState(self.marks, self.studies, self.layout, self)
        self.measurement_list = MeasurementListState(
            self.background, self.measurements, self.layout, self.frames, self.mpr.read, self
        )
        self.annotation_text = AnnotationTextState(self.measurements, self.layout, self)
        add_measuring_tools(self.tools, self.measurements, self.annotation_text.begin)
        self.oblique = ObliqueState(self.mpr, self.layout, self)
        self.tools.add("turn_plane", TurnPlaneTool(self.oblique, self.mpr))
        self.tools.add("crosshair", CrosshairTool(self.layout, self.links))
        self.archive = ArchiveState(self.background, parent=self)
        self.reindex = ReindexState(self.background, self.archive, parent=self)
        self.search = SearchState(self.background, self.archive, shown, parent=self)
        self.comparison = ComparisonState(
            self.background, self.archive, self.search, self.layout, self.links, self._find, self.open, self
        )
        roi = SearchRoiTool(self.rubber_band, self.search, self.layout, self.messages.show_text)
        self.tools.add("search_roi", roi)
        self.space = SpaceState(self.background, self.search, self.comparison, self)
        self.prior = PriorState(
            self.background, self.studies, self.layout, self.archive, self.comparison, self.compare_with, self
        )
        self.pacs = PacsStates(self.background, self.studies, self.layout, self.compare_with, workspace, self)
        self.deletion = DeletionState(self.background, self.archive, self.search, parent=self)
        self.upkeep = Upkeep(self.background, self.archive, self.search, self.reindex, self.settings, workspace, self)
        self.report = ReportState(
            self.background,
            self.studies,
            shown,
            self.archive,
            folder=workspace,
            who=user,
            signers=lambda: self.settings.now.signers,
            corrections=self.search.corrections_of,
            parent=self,
        )
        self.image_export = ImageExportState(self.background, self.studies, self.report.record_export, self)
        self.export = ExportState(self.background, self.studies, self.report, self.key_images, self)
        self.study_list = StudyListState(
            self.studies,
            self.settings,
            lambda: self.viewport.patient_data_visible,
            self.report.statuses.of,
            self,
        )
        self.report.statuses.changed.connect(self.study_list.update)
        self.layout.active_proxy.redaction_changed.connect(self.study_list.update)
        self.report.write_first = lambda: self.settings.now.write_first
        self.settings.changed.connect(self.report.changed)
        self.checking = CheckingState(
            self.background,
            self.report,
            self.studies,
            self.archive,
            self.measurements,
            self.search.corrections_of,
            parent=self,
        )
        self.inserting = InsertingState(
            self.background,
            self.report,
            self.checking,
            self.studies,
            shown,
            self.measurements,
            self.key_images,
            self.search,
            parent=self,
        )
        self.writing = WritingState(
            self.background,
            self.report,
            self.checking,
            self.inserting,
            self.studies,
            self.settings,
            folder=workspace,
            parent=self,
        )
        self.first_steps = FirstStepsState(
            self.settings, self.archive, self.studies, self.search, self.report, self.open, self
        )
        self.report.workspace_opened.connect(self.marks.open)
        self.report.workspace_opened.connect(lambda _: self.writing.load())
        self.background.problem.connect(self.show_problem)
        self.layout.active_proxy.redaction_changed.connect(self._hide_message)
        self.settings.changed.connect(self._limit_frames)
        self.report.signing.connect(self.settings.remember_signer)
        self.studies.selected.connect(self._show_series)
        self.studies.changed.connect(self._keep_series_current)
        self.layout.active_changed.connect(self._select_shown_series)
        self.studies.closed.connect(self._drop_closed_frames)
        self.studies.nothing_found.connect(self._report_nothing_found)
        self.studies.only_key_objects.connect(partial(self.messages.show_text, ONLY_KEY_OBJECTS))
        self.archive.imported.connect(self._report_import)
        self.upkeep.link(self.messages.show, self.report.open_workspace)
        for said in (
            *(self.report.outbox.message, self.report.message, self.export.message, self.key_images.message),
            *(self.documents.message, self.reindex.message, self.reindex.offered, self.deletion.message),
            *(self.prior.message, self.settings.problem, self.shortcuts.problem, self.image_export.message),
            self.pacs.priors.message,
        ):
            said.connect(self.messages.show_text)

    @property
    def viewport(self) -> ViewportState:
        """The active viewport. Connect to signals of `layout.active_proxy` instead, which follow the active one."""
        return self.layout.active

    def restore(self) -> None:
        """Restore the layout and options of the last session, and store them from now on."""
        now = self.settings.now
        self.layout.set_grid(*now.grid)
        if not now.identity_visible:
            self.layout.toggle_patient_data()
        self.layout.active_proxy.redaction_changed.connect(self._remember_identity)
        self.upkeep.opening.remember_from_now()

    def begin(self, paths: Sequence[Path] = (), archive: Path | str | None = None, bundle: Path | None = None) -> None:
        """Start loading the workspace, models, archive and `paths` in the background."""
        self.first_steps.begin()  # before paths are opened, which are no sign of earlier use
        self.report.open_workspace()
        self.upkeep.backups.begin()
        self.archive.load_bundle(bundle or self.upkeep.model.remembered())
        self.open(paths)
        try:
            self.upkeep.opening.begin(archive)
        except UserError as error:
            self.show_problem(error)

    def open(self, paths: Sequence[Path]) -> None:
        """Open files, folders and ZIP files as studies, and remember them as recent."""
        if paths:
            self.messages.dismiss()  # it belongs to the previous action
            self.studies.open(paths)
            self.settings.remember_opened(list(paths))

    def open_dropped(self, paths: Sequence[Path]) -> None:
        """Open dropped paths: an archive folder as the archive, everything else as studies."""
        archives = [path for path in paths if is_archive(path)]
        for path in archives[-1:]:
            self.archive.open(path)
        self.open([path for path in paths if path not in archives])

    def close(self) -> bool:
        """Stop the workers, store what was typed and drawn, close the files; one failure does not prevent the rest.

        Returns:
            whether all workers ended.
        """
        self.cine.stop()
        ended = self.background.close()
        with ExitStack() as parts:  # runs them in reverse order
            for close in (
                self.settings.save_now,
                self.documents.close,
                self.archive.close,
                self.report.close,
                self.marks.close,
            ):
                parts.callback(close)
        return ended

    def set_grid(self, rows: int, columns: int) -> None:
        """Choose a layout, also for later sessions, and fill empty viewports with the next series of the study.

        A layout that a comparison or MPR needed is not chosen.
        """
        self.layout.set_grid(rows, columns)
        self.settings.change(grid=(self.layout.rows, self.layout.columns))
        study, series = self.viewport.study, self.viewport.series
        if study is None or series is None or self.mpr.shown:
            return
        keys = [one.key for one in study.series]
        following = study.series[keys.index(series.key) + 1 :] if series.key in keys else ()
        shown = {viewport.series.key for viewport in self.layout.viewports if viewport.series is not None}
        empty = [viewport for viewport in self.layout.viewports if viewport.series is None]
        for viewport, another in zip(empty, [one for one in following if one.key not in shown]):
            viewport.show(study, another)

    def compare_with(self, study: Study, series: Series, index: int | None = None) -> None:
        """Show a series from one of its frames in the viewport after the active one, and link the viewports."""
        if len(self.layout.viewports) == 1:
            self.layout.set_grid(1, 2)
        viewports = self.layout.viewports
        viewports[(viewports.index(self.layout.of_study) + 1) % len(viewports)].show(study, series, index)
        if not self.links.linked:
            self.links.toggle()

    def show_series_in(self, viewport: ViewportState, series_id: str) -> None:
        """Show a series in a viewport, for example one dropped there, and activate that viewport."""
        found = self.studies.find(series_id)
        if found is not None:
            self.layout.activate(viewport)
            if viewport.series is not found[1]:
                viewport.show(*found)
            self.studies.select(series_id)

    def _make_viewport(self, name: str) -> ViewportState:
        return ViewportState(
            self.background,
            self.frames,
            name,
            read=self._read,
            presets_for=self._presets,
            memory=self.memory,
            parent=self,
        )

    def _find(self, series_id: str) -> tuple[Study, Series] | None:
        """An open series, or a stack of MPR planes, by its id."""
        return self.studies.find(series_id) or self.mpr.find_plane(series_id)

    def _read(self, frame: FrameRef) -> Pixels:
        """Decode a frame of a file, of the MPR planes or of the archive. Called by workers."""
        archived = archived_origin(frame)
        return self.mpr.read(frame) if archived is None else read_archived(archived)

    def _presets(self, modality: str) -> tuple[Window, ...]:
        return self.settings.presets(modality, presets(modality))

    def _limit_frames(self) -> None:
        self.frames.set_limit(self.settings.now.cache_megabytes * 1024 * 1024)

    def _remember_identity(self) -> None:
        self.settings.change(identity_visible=self.layout.active.patient_data_visible)

    def _show_series(self) -> None:
        study, series = self.studies.study, self.studies.series
        if self.mpr.series_id_of(self.viewport) != identify(study, series):
            self.viewport.show(study, series)

    def _select_shown_series(self) -> None:
        """Let the list and the report follow the active viewport."""
        self.studies.select(self.mpr.series_id_of(self.viewport))

    def _keep_series_current(self) -> None:
        """Clear viewports of closed studies, and update those whose series has changed, such as by further files."""
        self.mpr.forget_closed()
        known = {study.uid: study for study in self.studies.studies}
        for viewport in self.layout.all_viewports:
            if viewport.study is None or viewport.series is None:
                continue
            if self.mpr.shows_plane(viewport) or is_archived(viewport.series):
                continue
            study = known.get(viewport.study.uid)
            series = successor(viewport.series, study.series) if study else None
            if study is None or series is None:
                viewport.show(None, None)
            elif series is not viewport.series or study is not viewport.study:
                viewport.update_series(study, series)

    def _drop_closed_frames(self) -> None:
        still_open = {frame.image for study in self.studies.studies for frame in study.frames()}
        self.frames.keep_only(lambda ref: ref.image in still_open)
        self.memory.keep_only({identify(study, one) for study in self.studies.studies for one in study.series})

    def _drop_old_planes(self) -> None:
        """Planes that others have replaced would fill the cache while a slab is thickened or a plane is turned."""
        shown = {series.frames[0].image for series in self.mpr.planes.series} if self.mpr.planes is not None else set()
        self.frames.keep_only(lambda ref: not is_plane(ref) or ref.image in shown)

    def show_problem(self, error: BaseException) -> None:
        """Show an error as a message; names of files and folders are removed while patient data is hidden."""
        if self.upkeep.help_with(error):
            return
        if isinstance(error, UserError):
            error = UserError(redacted(error, self.viewport.patient_data_visible))
        self.messages.show_error(error)

    def _hide_message(self) -> None:
        """Dismiss the message when patient data is hidden: it may name a file or folder."""
        if not self.viewport.patient_data_visible:
            self.messages.dismiss()

    def _report_nothing_found(self) -> None:
        files = counted(len(self.studies.rejected), "file")
        text = f"No images found; {files} rejected ({{show_rejected}} lists them)."
        self.messages.show_text(self.shortcuts.fill(text))

    def _report_import(self, result: ImportResult) -> None:
        self.studies.add_rejected(rejected(result))
        self.messages.show_text(self.shortcuts.fill(import_summary(result)))
