"""The Archive screen: contents, import, near-duplicates and maintenance of the open archive. Arranges pages only."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QTabWidget, QVBoxLayout, QWidget
from typing_extensions import override

from desktop.desk import Desk
from desktop.views.sizes import fit_pixels
from desktop.views.upkeep.contents_page import ContentsPage
from desktop.views.upkeep.duplicates_page import DuplicatesPage
from desktop.views.upkeep.import_page import ImportPage
from desktop.views.upkeep.maintenance_page import MaintenancePage

SIZE = QSize(1000, 660)


class ArchiveWindow(QDialog):
    """Not modal: the archive can be searched while it imports. The statistics are read only while it is open."""

    def __init__(
        self, desk: Desk, imports: Sequence[tuple[str, Callable[[], object]]], parent: QWidget | None = None
    ) -> None:
        """`imports` are the labels of the buttons that begin an import, and what they do."""
        super().__init__(parent)
        self._desk = desk
        self.setWindowTitle("Archive")
        fit_pixels(self, SIZE.width(), SIZE.height())
        self.name = QLabel()
        self.name.setProperty("heading", True)
        begin = QWidget()
        row = QHBoxLayout(begin)
        row.setContentsMargins(0, 0, 0, 0)
        self.begin = []
        for label, work in imports:
            button = QPushButton(label)
            button.setAutoDefault(False)
            button.clicked.connect(work)
            row.addWidget(button)
            self.begin.append(button)
        row.addStretch(1)
        self.contents = ContentsPage(desk.upkeep.statistics)
        self.imports = ImportPage(desk, begin)
        self.duplicates = DuplicatesPage(desk.upkeep.duplicates)
        self.maintenance = MaintenancePage(desk)
        self.pages = QTabWidget()
        self.pages.setAccessibleName("Pages of the archive")
        self.pages.setDocumentMode(True)
        self.pages.tabBar().setDrawBase(False)
        self.pages.addTab(self.contents, "Contents")
        self.pages.addTab(self.imports, "Import")
        self.pages.addTab(self.duplicates, "Near-duplicates")
        self.pages.addTab(self.maintenance, "Maintenance")
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        layout = QVBoxLayout(self)
        layout.addWidget(self.name)
        layout.addWidget(self.pages, 1)
        desk.archive.changed.connect(self._show)
        desk.layout.active_proxy.redaction_changed.connect(self._show)
        desk.upkeep.statistics.show()
        if desk.upkeep.importing.running:
            self.pages.setCurrentWidget(self.imports)
        self._show()

    def _show(self) -> None:
        archive = self._desk.archive
        self.name.setText(archive.name or "No archive is open")
        folder = str(archive.place or "")
        self.name.setToolTip(folder if self._desk.viewport.patient_data_visible else "")
        for button in self.begin:
            button.setEnabled(archive.archive is not None and not archive.why_no_change)
            button.setToolTip(archive.why_no_import())

    @override
    def done(self, result: int) -> None:
        self._desk.upkeep.statistics.hide()
        super().done(result)
