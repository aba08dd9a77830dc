"""The chosen hit in full: its picture, its text with the words that were asked for, its source. Shows a SearchState."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QShortcut,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QDialog,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.state.similar.search import SearchState
from desktop.state.similar.selected_case import SelectedCase
from desktop.views import drawing
from engine.retrieval.case_text import credit, facts, query_word_spans


class PictureBox(QWidget):
    """The archived picture, fitted. Left and Right go through the pictures of the case."""

    def __init__(self, chosen: SelectedCase, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chosen = chosen
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(72, 72)
        self.setAccessibleName("Archived picture of the chosen case")
        self.setToolTip("Left and Right: other pictures of this case")
        chosen.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(160, 160)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = QRectF(self.rect())
        empty = "no picture" if self._chosen.case is not None and self._chosen.stored is None else ""
        drawing.thumbnail(painter, area, self._chosen.picture, empty)
        if self.hasFocus():
            painter.setPen(QColor(theme.current.accent))
            painter.drawRect(area.adjusted(0.5, 0.5, -1, -1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        by = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
        else:
            self._chosen.step(by)


class CaseText(QPlainTextEdit):
    """The whole text, the words of the query marked; then what the case is, why it was found, and its source."""

    def __init__(self, state: SearchState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setAccessibleName("Text of the chosen case")
        state.selected_case.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        chosen, hit = self._state.selected_case, self._state.selected_case.hit
        if hit is None:
            self.setPlainText("")
            return
        text = hit.text or "No report."
        about = [f"Case {hit.case_id}", chosen.caption(), hit.why, chosen.failure]
        if chosen.case is not None:
            about[0] = ", ".join(part for part in (about[0], facts(chosen.case)) if part)
            source = credit(chosen.case)
            about.append(f"Source: {source}" if source else "")
        shown = f"{text}\n\n" + "\n".join(line for line in about if line)
        if shown != self.toPlainText():
            self.setPlainText(shown)
        asked = self._state.answered
        self.setExtraSelections(self._marks(query_word_spans(text, asked.text) if asked else [], len(text)))

    def _marks(self, places: list[tuple[int, int]], end: int) -> list[QTextEdit.ExtraSelection]:
        marks = []
        for start, stop in places:
            look = QTextCharFormat()
            look.setBackground(QColor(theme.current.selected))
            look.setForeground(QColor(theme.current.accent))
            marks.append(self._mark(start, stop, look))
        lesser = QTextCharFormat()
        lesser.setForeground(QColor(theme.current.muted))
        marks.append(self._mark(end, self.document().characterCount() - 1, lesser))
        return marks

    def _mark(self, start: int, stop: int, look: QTextCharFormat) -> QTextEdit.ExtraSelection:
        mark = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(stop, QTextCursor.MoveMode.KeepAnchor)
        mark.cursor, mark.format = cursor, look
        return mark


class CaseView(QWidget):
    """Picture and text side by side. Where it is small, who holds it puts its two buttons where there is room."""

    def __init__(self, state: SearchState, parent: QWidget | None = None, large: bool = False) -> None:
        super().__init__(parent)
        self._state = state
        self.picture = PictureBox(state.selected_case)
        self.text = CaseText(state)
        self.enlarge = QPushButton("Enlarge")
        self.enlarge.setToolTip("Show this case large (Enter in the list)")
        self.copy = QPushButton("Copy text")
        self.copy.setToolTip("Copy this text with its case number and its source (Ctrl+C in the list)")
        for button in (self.enlarge, self.copy):
            button.setProperty("flat", True)
        self.parts = QSplitter(Qt.Orientation.Horizontal)
        self.parts.setChildrenCollapsible(False)
        self.parts.addWidget(self.picture)
        self.parts.addWidget(self.text)
        self.parts.setStretchFactor(0, 2 if large else 0)
        self.parts.setStretchFactor(1, 1)
        self.parts.setSizes([640, 320] if large else [130, 270])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.parts, 1)
        if large:
            layout.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignRight)
        self.copy.clicked.connect(self.copy_text)
        state.selected_case.changed.connect(self._show)
        self._show()

    def copy_text(self) -> None:
        text = self._state.selected_case.copy_text()
        if text:
            QGuiApplication.clipboard().setText(text)

    def _show(self) -> None:
        chosen = self._state.selected_case
        self.enlarge.setEnabled(chosen.hit is not None)
        self.copy.setEnabled(bool(chosen.copy_text()))


class CaseWindow(QDialog):
    """The chosen case in a window of its own, which follows the choice. Page keys choose the next hit, Esc closes."""

    def __init__(self, state: SearchState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setWindowTitle("Similar case")
        self.view = CaseView(state, large=True)
        self.place = QLabel()
        self.place.setProperty("muted", True)
        layout = QVBoxLayout(self)
        layout.addWidget(self.place)
        layout.addWidget(self.view, 1)
        self.resize(980, 660)
        for keys, by in (("PgDown", 1), ("PgUp", -1)):
            QShortcut(QKeySequence(keys), self, lambda by=by: state.select_next(by))
        state.selected_case.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        hits, hit = self._state.hits, self._state.selected
        if hit is None or hit not in hits:
            self.place.setText("No case is chosen.")
            return
        number = f"Hit {hits.index(hit) + 1} of {len(hits)}"
        self.place.setText(f"{number} for {self._state.answered}. PgUp, PgDown: previous and next hit.")
