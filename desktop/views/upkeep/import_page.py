"""The page "Import" of the Archive screen: progress, pace and rejected files. Shows an ImportingState."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.desk import Desk
from desktop.views.studies.rejected import RejectedModel, redacted_row
from engine.text.words import counted

IDLE = "No import is running. What is archived already is never imported twice."


class ImportPage(QWidget):
    """Buttons that begin an import, its progress, and the table of rejected files."""

    def __init__(self, desk: Desk, begin: QWidget, parent: QWidget | None = None) -> None:
        """`begin` holds the buttons that begin an import."""
        super().__init__(parent)
        self._desk, self._state = desk, desk.upkeep.importing
        self.line = QLabel(IDLE)
        self.line.setWordWrap(True)
        self.line.setAccessibleName("Import")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the import")
        self.pause = QPushButton("Pause")
        self.pause.clicked.connect(lambda: self._state.pause(not self._state.paused))
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Stop the import; what is imported is kept, and importing again completes it")
        self.stop.clicked.connect(self._state.stop)
        self.rejected = QLabel()
        self.table = QTableView()
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setAccessibleName("Rejected files")
        running = QHBoxLayout()
        running.addWidget(self.progress, 1)
        running.addWidget(self.pause)
        running.addWidget(self.stop)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * theme.GAP)
        layout.addWidget(begin)
        layout.addWidget(self.line)
        layout.addLayout(running)
        layout.addWidget(self.rejected)
        layout.addWidget(self.table, 1)
        layout.addStretch()
        self._result: object = None
        self._state.changed.connect(self._show)
        desk.layout.active_proxy.redaction_changed.connect(self._show_rejected)
        self._show()
        self._show_rejected()

    def _show(self) -> None:
        state = self._state
        done, total = state.share
        self.line.setText(state.line or IDLE)
        for widget in (self.progress, self.pause, self.stop):
            widget.setVisible(state.running)
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.pause.setText("Resume" if state.paused else "Pause")
        if state.result is not self._result:
            self._result = state.result
            self._show_rejected()

    def _show_rejected(self) -> None:
        rows = self._state.rejected
        if not self._desk.viewport.patient_data_visible:  # folder names often contain patient names
            rows = [redacted_row(*item) for item in enumerate(rows, 1)]
        self.rejected.setText(f"{counted(len(rows), 'file')} rejected:")
        self.rejected.setVisible(bool(rows))
        self.table.setVisible(bool(rows))
        self.table.setModel(RejectedModel(rows, self))
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.setColumnWidth(0, 340)
