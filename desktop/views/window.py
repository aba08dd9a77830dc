"""The main window: studies left, viewer in the center, similar cases and report right. Arranges views only."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QLayout, QMainWindow, QToolBar, QVBoxLayout, QWidget
from typing_extensions import override

from desktop import theme
from desktop.desk import Desk
from desktop.state.formatting import format_date, series_title
from desktop.state.redaction import NAME_HIDDEN
from desktop.state.studies import browser
from desktop.views.chooser import Choice, Chooser
from desktop.views.dialogs import Dialogs
from desktop.views.drops import FILES, WHAT, DropTarget, accept_files, dropped_paths
from desktop.views.first_steps import FirstSteps
from desktop.views.message_bar import MessageBar
from desktop.views.panel_scroll import PanelScroll
from desktop.views.report.report_panel import ReportPanel
from desktop.views.similar.compared_report import ComparedReport
from desktop.views.similar.search_panel import SearchPanel
from desktop.views.status import StatusLine
from desktop.views.studies.document_window import DocumentWindow
from desktop.views.studies.series_list import SeriesList
from desktop.views.viewer.detached_viewer import DetachedPlaceholder, DetachedViewer
from desktop.views.viewer.grid import ViewportGrid
from desktop.views.viewer.viewport import ViewportView
from engine.study import Study

ROOMY_FROM = 1000
"""Least height from which the report needs less than half of it."""
STACKED_FROM = 860
"""Least height in logical pixels for similar cases above the report; in a lower window they are tabs."""


class MainWindow(QMainWindow):
    """Holds every view of a desk, the detached viewer and the dialogs."""

    closing = Signal()
    palette_requested = Signal()
    shortcuts_requested = Signal()
    settings_requested = Signal(str)
    """The title of the page; "" for the first."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._arranged = False
        self.dialogs = Dialogs(desk, self)
        self.chooser: Chooser | None = None
        self.setWindowTitle("Kindred")
        self.setAcceptDrops(True)
        self.drop_target = DropTarget(self)
        self.setAnimated(False)
        self.toolbar = QToolBar("Tools")
        self.toolbar.setObjectName("tools")
        self.toolbar.setMovable(False)
        self.toolbar.setIconSize(QSize(theme.ICON, theme.ICON))
        self.addToolBar(self.toolbar)
        self.first_steps = FirstSteps(desk.first_steps)
        self._steps_bar = QToolBar("First steps")  # as wide as the window, which may be too narrow beside the panels
        self._steps_bar.setObjectName("first steps")
        self._steps_bar.setMovable(False)
        self._steps_bar.toggleViewAction().setVisible(False)
        self._steps_bar.addWidget(self.first_steps)
        self._steps_bar.hide()
        self.addToolBarBreak()
        self.addToolBar(self._steps_bar)
        self.grid = ViewportGrid(desk)
        self.message_bar = MessageBar(desk.messages)
        self.message_bar.left.connect(self.focus_image)
        center = QWidget()
        layout = QVBoxLayout(center)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.message_bar)
        layout.addWidget(self.grid, 1)
        self.setCentralWidget(center)
        self.detached_viewer = DetachedViewer(desk, self)
        self.detached_viewer.closed.connect(lambda: self.set_detached(False))
        self._placeholder = DetachedPlaceholder()
        self._placeholder.attach.clicked.connect(lambda: self.set_detached(False))
        self._placeholder.hide()
        layout.addWidget(self._placeholder, 1)
        self.compared_report = ComparedReport(desk.comparison)
        layout.addWidget(self.compared_report)
        self._center = layout
        self.series_list = SeriesList(desk)
        self.search_panel = SearchPanel(
            desk.search, desk.archive, desk.comparison, desk.space, desk.settings, desk.shortcuts
        )
        self.report_panel = ReportPanel(desk.report, desk.checking, desk.writing, desk.shortcuts)
        self.report_panel.tree.case_opened.connect(desk.comparison.show_case)
        self.studies_dock = self._dock("Studies", self.series_list, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.search_dock = self._dock(
            "Similar cases", PanelScroll(self.search_panel), Qt.DockWidgetArea.RightDockWidgetArea
        )
        self.report_dock = self._dock("Report", PanelScroll(self.report_panel), Qt.DockWidgetArea.RightDockWidgetArea)
        desk.archive.previewed.connect(self.dialogs.show_preview)
        desk.documents.opened.connect(lambda opened: DocumentWindow(desk, opened, self).show())
        self.status = StatusLine(desk)
        self.setStatusBar(self.status)
        self.status.rejected.clicked.connect(self.dialogs.show_rejected)
        self.status.cache.clicked.connect(self.dialogs.set_cache_size)
        self._enter = {
            self.studies_dock: self.series_list.focus_list,
            self.search_dock: self.search_panel.focus_text,
            self.report_dock: self.report_panel.focus_text,
        }
        """Moves the keyboard into a panel. Focus proxies would let Tab skip what stands before the field they name."""
        self.resize(QSize(1440, 900).boundedTo(self.screen().availableSize()))
        self.viewport.setFocus()

    @property
    def viewport(self) -> ViewportView:
        """The view of the active viewport."""
        return self.grid.active

    def choose(self, title: str, noun: str, choices: Sequence[Choice]) -> None:
        """Open a chooser in front of the active window; see `Chooser` for the title and the noun."""
        parent = self.detached_viewer if self.detached_viewer.isActiveWindow() else self
        self.chooser = Chooser(title, noun, choices, parent)
        self.chooser.open()

    def list_recent(self) -> None:
        """Choose from recently opened paths. Missing ones fail when opened; no disk is accessed before that."""
        desk = self._desk
        hidden = not desk.viewport.patient_data_visible  # folder names often contain patient names
        choices = [
            Choice(
                f"Item {number}" if hidden else path.name,
                partial(desk.open, [path]),
                NAME_HIDDEN if hidden else str(path.parent),
            )
            for number, path in enumerate(map(Path, desk.settings.now.recent), 1)
        ]
        self.choose("Open recent", "recent studies", choices)

    def choose_comparison(self) -> None:
        """Choose an open series to show beside the active one."""
        desk = self._desk
        self.choose(
            "Compare with another series",
            "series",
            [
                Choice(
                    f"{format_date(study.date)}  {series_title(series)}".strip(),
                    partial(desk.compare_with, study, series),
                    browser.join_parts(
                        self._about(study), browser.row_text(browser.BrowserRow(study, series), False)[1]
                    ),
                )
                for study in desk.studies.studies
                for series in study.series
                if series is not desk.viewport.series
            ],
        )

    def list_key_images(self) -> None:
        """Choose a key image of the open studies and go to it."""
        keys = self._desk.key_images
        choices = [
            Choice(
                f"Image {key.index + 1} of {len(key.series.frames)}",
                partial(keys.go_to, key),
                browser.join_parts(
                    *(mark.text for mark in key.marks),
                    self._about(key.study),
                    series_title(key.series),
                    format_date(key.study.date),
                ),
            )
            for key in keys.all()
        ]
        self.choose("Key images", "key images", choices)

    def _about(self, study: Study) -> str:
        active = self._desk.viewport
        return browser.study_label(study, active.study, active.patient_data_visible)

    def go_to_viewport(self, by: int) -> None:
        """Activate and focus the next (1) or previous (-1) viewport."""
        self._desk.layout.step(by)
        self.grid.active.setFocus()

    def focus_image(self) -> None:
        """Move the keyboard to the active viewport, such as from the report, without hiding a panel."""
        self.viewport.window().activateWindow()
        self.viewport.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def point_with_keys(self) -> None:
        """Move the keyboard to the active viewport, and show its pointer there, or press at it."""
        self.focus_image()
        self._desk.key_pointer.enter()

    def _dock(self, title: str, content: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title)
        dock.setObjectName(title)
        dock.setWidget(content)
        self.addDockWidget(area, dock)
        return dock

    def arrange(self) -> None:
        """Arrange the panels for the size of the window when it is first shown."""
        letter = self.fontMetrics().averageCharWidth()
        if self.height() >= STACKED_FROM:
            self.splitDockWidget(self.search_dock, self.report_dock, Qt.Orientation.Vertical)
            both = self.height() - 120
            upper = int(both * (0.6 if self.height() >= ROOMY_FROM else 0.54))
            self.resizeDocks([self.search_dock, self.report_dock], [upper, both - upper], Qt.Orientation.Vertical)
        else:
            self.tabifyDockWidget(self.search_dock, self.report_dock)
            self.search_dock.raise_()
            cast(QLayout, self.layout()).activate()
            self.resize(
                self.size().boundedTo(self.screen().availableSize())
            )  # lower than Qt made it for stacked panels
        left = min(38 * letter, self.width() // 5)
        right = min(72 * letter, int(self.width() * 0.36))
        self.resizeDocks([self.studies_dock, self.search_dock], [left, right], Qt.Orientation.Horizontal)

    def show_dock(self, dock: QDockWidget) -> None:
        """Show a panel in front of those tabbed with it."""
        dock.show()
        dock.raise_()

    def toggle_dock(self, dock: QDockWidget) -> None:
        """Show a panel and focus it; hide it if it already has the keyboard focus."""
        focus = QApplication.focusWidget()
        if focus is not None and dock.isAncestorOf(focus) and dock.isVisible():
            dock.hide()
            self.grid.active.setFocus()
        else:
            self.show_dock(dock)
            self._enter[dock]()

    @property
    def detached(self) -> bool:
        """Whether the viewports are in the detached viewer."""
        return self.detached_viewer.isAncestorOf(self.grid)

    def set_detached(self, detached: bool) -> None:
        """Move the viewports to the detached viewer, or back into this window."""
        if detached != self.detached:
            self._placeholder.setVisible(detached)
            if detached:
                self.detached_viewer.show_grid(self.grid)
            else:
                self._center.insertWidget(1, self.grid, 1)
                self.detached_viewer.hide()
            self.grid.show()
            self.grid.active.setFocus()
            self._desk.settings.change(detached=detached)

    def focus_menu_bar(self) -> None:
        """Move the keyboard to the menu bar, also from the detached viewer, which has none."""
        self.activateWindow()
        first = next(iter(self.menuBar().actions()))
        self.menuBar().setFocus(Qt.FocusReason.MenuBarFocusReason)
        self.menuBar().setActiveAction(first)

    def toggle_full_screen(self) -> None:
        """Toggle full screen of the active window."""
        window = self.detached_viewer if self.detached_viewer.isActiveWindow() else self
        window.setWindowState(window.windowState() ^ Qt.WindowState.WindowFullScreen)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._arranged:
            self._arranged = True
            self.arrange()
            self._restore()

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if accept_files(event):
            self.drop_target.show_over(FILES, WHAT)

    @override
    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drop_target.hide()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_target.hide()
        self._desk.open_dropped(dropped_paths(event))

    def _restore(self) -> None:
        """Restore positions and sizes from the settings; Qt moves a window whose screen is missing onto another."""
        now = self._desk.settings.now
        if now.geometry:
            self.restoreGeometry(_decoded(now.geometry))
        if now.panels:
            self.restoreState(_decoded(now.panels))
            self._steps_bar.setVisible(self._desk.first_steps.visible)
        if now.second_geometry:
            self.detached_viewer.restoreGeometry(_decoded(now.second_geometry))
        if now.detached:
            self.set_detached(True)

    def _remember(self) -> None:
        self._desk.settings.change(
            geometry=_encoded(self.saveGeometry()),
            panels=_encoded(self.saveState()),
            second_geometry=_encoded(self.detached_viewer.saveGeometry()),
        )

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        if self._arranged:
            self._remember()
        self.closing.emit()
        self.detached_viewer.hide()
        super().closeEvent(event)


def _encoded(value: QByteArray) -> str:
    return bytes(value.toBase64().data()).decode("ascii")


def _decoded(value: str) -> QByteArray:
    return QByteArray.fromBase64(QByteArray(value.encode("ascii", "ignore")))
