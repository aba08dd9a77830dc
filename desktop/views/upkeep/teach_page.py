"""The page "Teach" of the Model screen: how long it takes, how it goes, before and after. Shows a TeachingState."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from desktop import theme
from desktop.desk import Desk
from desktop.views.upkeep.table import TextTable

ABOUT = (
    "The projections of the models are trained further on the images and reports of this archive, on this computer. "
    "Some patients are held out to measure before and after. Taught models are kept only if they are better, in a "
    "folder of their own; the models in use stay as they are, and you can change back at any time."
)
HEADINGS = ("On held-out patients", "Before", "After", "Difference (95% interval)", "Chance")


class TeachPage(QWidget):
    """One button, progress with Cancel, and a table."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._model = desk.upkeep.teaching, desk.upkeep.model
        self.invitation = QLabel()
        self.invitation.setWordWrap(True)
        about = QLabel(ABOUT)
        about.setProperty("muted", True)
        about.setWordWrap(True)
        self.teach = QPushButton("Teach Kindred your reports")
        self.teach.setProperty("primary", True)
        self.teach.clicked.connect(self._state.start)
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.line.setAccessibleName("Teaching")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the teaching")
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self._state.cancel)
        self.table = TextTable(HEADINGS, "Before and after")
        self.use = QPushButton("Use taught models and re-index")
        self.use.setProperty("primary", True)
        self.use.clicked.connect(self._state.use)
        self.back = QPushButton("Back to the models before")
        self.back.clicked.connect(self._model.back)
        running, changing = QHBoxLayout(), QHBoxLayout()
        running.addWidget(self.teach)
        running.addWidget(self.progress, 1)
        running.addWidget(self.cancel)
        running.addStretch()
        changing.addWidget(self.use)
        changing.addWidget(self.back)
        changing.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * theme.GAP)
        layout.addWidget(self.invitation)
        layout.addWidget(about)
        layout.addLayout(running)
        layout.addWidget(self.line)
        layout.addWidget(self.table, 1)
        layout.addLayout(changing)
        layout.addStretch()
        self._state.changed.connect(self._show)
        self._model.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        state = self._state
        job = state.job
        self.invitation.setText(state.invitation)
        self.invitation.setVisible(bool(state.invitation))
        self.teach.setEnabled(state.possible)
        self.teach.setVisible(job is None)
        self.line.setText(state.line)
        self.line.setVisible(bool(state.line))
        for widget in (self.progress, self.cancel):
            widget.setVisible(job is not None)
        if job is not None:
            self.progress.setRange(0, job.total)
            self.progress.setValue(job.done)
            self.cancel.setEnabled(not job.stopping)
        rows = state.rows
        self.table.setVisible(bool(rows))
        self.table.show_rows(rows)
        self.use.setVisible(state.can_use)
        self.back.setVisible(self._model.before is not None)
        self.back.setToolTip(str(self._model.before or ""))
