"""The window of their own that the images get for a second monitor; closing it brings them back. Knows no commands."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop import theme
from desktop.desk import Desk
from desktop.views.drops import accept_files, dropped_paths


class DetachedViewer(QWidget):
    """Holds the grid of viewports while the main window keeps the lists, the cases and the report."""

    closed = Signal()
    """The user closed it: the images go back."""

    def __init__(self, desk: Desk, owner: QWidget) -> None:
        super().__init__(owner, Qt.WindowType.Window)
        self._desk = desk
        self.setObjectName("images")
        self.setWindowTitle("Kindred: images")
        self.setAcceptDrops(True)
        self.resize(1000, 800)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)

    def take(self, grid: QWidget) -> None:
        """Hold the grid and show; the first time on a screen where the main window is not, if there is one."""
        self._box.addWidget(grid)
        owner = self.parentWidget()
        others = [screen for screen in QGuiApplication.screens() if owner is not None and screen is not owner.screen()]
        if others and not self.testAttribute(Qt.WidgetAttribute.WA_Moved):
            self.setGeometry(others[0].availableGeometry())
        self.show()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        accept_files(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self._desk.open_dropped(dropped_paths(event))

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()


class DetachedPlaceholder(QWidget):
    """What stands in the main window in the meantime."""

    def __init__(self) -> None:
        super().__init__()
        self.back = QPushButton("Bring the images back")
        text = QLabel("The images are in their own window.")
        text.setProperty("muted", True)
        box = QVBoxLayout(self)
        box.setSpacing(2 * theme.GAP)
        box.addStretch()
        for widget in (text, self.back):
            box.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addStretch()
