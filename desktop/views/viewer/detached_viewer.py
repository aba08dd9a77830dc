"""The detached viewer: a window for the viewports on a second monitor. Does not know the commands."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget
from typing_extensions import override

from desktop import theme
from desktop.desk import Desk
from desktop.views.drops import FILES, WHAT, DropTarget, accept_files, dropped_paths
from desktop.views.sizes import fit_pixels


class DetachedViewer(QWidget):
    """Holds the grid of viewports while the main window keeps the studies, similar cases and report."""

    closed = Signal()
    """The user closed the window: attach the viewer again."""

    def __init__(self, desk: Desk, owner: QWidget) -> None:
        super().__init__(owner, Qt.WindowType.Window)
        self._desk = desk
        self.setObjectName("images")
        self.setWindowTitle("Kindred: viewer")
        self.setAcceptDrops(True)
        self.drop_target = DropTarget(self)
        fit_pixels(self, 1000, 800)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    def show_grid(self, grid: QWidget) -> None:
        """Take the grid and show it; the first time on another screen than the main window's, if there is one."""
        self._layout.addWidget(grid)
        owner = self.parentWidget()
        others = [screen for screen in QGuiApplication.screens() if owner is not None and screen is not owner.screen()]
        if others and not self.testAttribute(Qt.WidgetAttribute.WA_Moved):
            self.setGeometry(others[0].availableGeometry())
        self.show()

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

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()


class DetachedPlaceholder(QWidget):
    """Shown in the main window while the viewer is detached, with a button to attach it."""

    def __init__(self) -> None:
        super().__init__()
        self.attach = QPushButton("Attach viewer")
        text = QLabel("The viewer is detached.")
        text.setProperty("muted", True)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * theme.GAP)
        layout.addStretch()
        for widget in (text, self.attach):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch()
