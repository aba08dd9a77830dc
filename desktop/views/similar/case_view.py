"""The selected case: its image, its text with the query words marked, its source. Shows a SearchState."""

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
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop import theme
from desktop.state.shortcuts import ShortcutsState
from desktop.state.similar.search import SearchState
from desktop.state.similar.selected_case import REPORT_ONLY, SelectedCase
from desktop.views import drawing
from desktop.views.key_tips import set_tip
from desktop.views.sizes import fit_pixels
from engine.retrieval.case_text import credit, facts, query_word_spans, wording


class ArchivedImage(QWidget):
    """The archived image, fitted. Left and Right show the other images of the case."""

    def __init__(self, selected_case: SelectedCase, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._case = selected_case
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(72, 48)
        self.setAccessibleName("Archived image of the selected case")
        self.setToolTip("Left, Right: other images of this case")
        selected_case.changed.connect(self.update)

    @override
    def sizeHint(self) -> QSize:
        return QSize(160, 160)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = QRectF(self.rect())
        empty = REPORT_ONLY if self._case.report_only else ""
        drawing.thumbnail(painter, area, self._case.image, empty)
        if self.hasFocus():
            painter.setPen(QColor(theme.current.accent))
            painter.drawRect(area.adjusted(0.5, 0.5, -1, -1))

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        by = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
        else:
            self._case.step(by)


class CaseText(QPlainTextEdit):
    """The full text with the words of the query marked, then the facts of the case, why it matched, and its source."""

    def __init__(self, state: SearchState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setAccessibleName("Text of the selected case")
        state.selected_case.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        selected_case, hit = self._state.selected_case, self._state.selected_case.hit
        if hit is None:
            self.setPlainText("")
            return
        text = hit.text or "No report."
        about = [f"Case {hit.case_id}", selected_case.caption(), hit.why, selected_case.failure]
        if selected_case.case is not None:
            known = (about[0], facts(selected_case.case), wording(selected_case.case))
            about[0] = ", ".join(part for part in known if part)
            source = credit(selected_case.case)
            about.append(f"Source: {source}" if source else "")
        shown = f"{text}\n\n" + "\n".join(line for line in about if line)
        if shown != self.toPlainText():
            self.setPlainText(shown)
        query = self._state.answered
        self.setExtraSelections(self._highlights(query_word_spans(text, query.text) if query else [], len(text)))

    def selected_report(self) -> str:
        """What of the report is selected; "" when nothing is, or only what is below it."""
        hit, chosen = self._state.selected_case.hit, self.textCursor()
        text = self.toPlainText().encode("utf-16-le", "surrogatepass")
        if hit is None or not hit.text or not chosen.hasSelection():
            return ""
        start, end = 2 * chosen.selectionStart(), 2 * chosen.selectionEnd()
        end = min(end, len(hit.text.encode("utf-16-le", "surrogatepass")))
        return text[start:end].decode("utf-16-le", "ignore")

    def _highlights(self, spans: list[tuple[int, int]], end: int) -> list[QTextEdit.ExtraSelection]:
        word = QTextCharFormat()
        word.setBackground(QColor(theme.current.selected))
        word.setForeground(QColor(theme.current.accent))
        facts_below = QTextCharFormat()
        facts_below.setForeground(QColor(theme.current.muted))
        return [
            *(self._highlight(start, stop, word) for start, stop in spans),
            self._highlight(end, self.document().characterCount() - 1, facts_below),
        ]

    def _highlight(self, start: int, stop: int, style: QTextCharFormat) -> QTextEdit.ExtraSelection:
        highlight = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(stop, QTextCursor.MoveMode.KeepAnchor)
        highlight.cursor, highlight.format = cursor, style
        return highlight


class CaseView(QWidget):
    """Image and text side by side. In the panel (not `large`) its two buttons are below the image."""

    def __init__(
        self, state: SearchState, shortcuts: ShortcutsState, parent: QWidget | None = None, large: bool = False
    ) -> None:
        super().__init__(parent)
        self._state = state
        self.image = ArchivedImage(state.selected_case)
        self.text = CaseText(state)
        self.open = QPushButton("Open")
        set_tip(self.open, shortcuts, "Open selected case in a window ({open_selected_case})")
        self.copy = QPushButton("Copy text" if large else "Copy")
        self.copy.setToolTip("Copy this text with its case number and source (Ctrl+C in the list)")
        for button in (self.open, self.copy):
            button.setProperty("flat", True)
        self.parts = QSplitter(Qt.Orientation.Horizontal)
        self.parts.setChildrenCollapsible(False)
        self.parts.addWidget(self.image if large else self._with_buttons())
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

    def _with_buttons(self) -> QWidget:
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.image, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.open)
        buttons.addWidget(self.copy)
        layout.addLayout(buttons)
        return column

    def copy_text(self) -> None:
        """Copy the text of the case with its case number and source."""
        text = self._state.selected_case.copy_text()
        if text:
            QGuiApplication.clipboard().setText(text)

    def _show(self) -> None:
        selected_case = self._state.selected_case
        self.open.setEnabled(selected_case.hit is not None)
        self.copy.setEnabled(bool(selected_case.copy_text()))


class CaseWindow(QDialog):
    """The selected case in its own window. PgUp and PgDown select the previous and next hit, Esc closes."""

    def __init__(self, state: SearchState, shortcuts: ShortcutsState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setWindowTitle("Selected case")
        self.view = CaseView(state, shortcuts, large=True)
        self.hit_number = QLabel()
        self.hit_number.setProperty("muted", True)
        layout = QVBoxLayout(self)
        layout.addWidget(self.hit_number)
        layout.addWidget(self.view, 1)
        fit_pixels(self, 980, 660)
        for keys, by in (("PgDown", 1), ("PgUp", -1)):
            QShortcut(QKeySequence(keys), self, lambda by=by: state.select_next(by))
        state.selected_case.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        hits, hit = self._state.hits, self._state.selected
        if hit is None or hit not in hits:
            self.hit_number.setText("No case is selected.")
            return
        number = f"Hit {hits.index(hit) + 1} of {len(hits)}"
        self.hit_number.setText(f"{number} for {self._state.answered}. PgUp, PgDown: previous and next hit.")
