"""The panel "Report": the text, its status, and the evidence for the draft. Shows a ReportState; decides nothing."""

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QColor, QPalette, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
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
from desktop.state.report.report import ReportState
from desktop.views.report.evidence_tree import EvidenceTree

HINT = "Type the report here, or press Draft to generate one from the current image."


class ReportEditor(QPlainTextEdit):
    """A text field; leaves dropped files to the window, which opens them."""

    @override
    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return not any(url.isLocalFile() for url in source.urls()) and super().canInsertFromMimeData(source)


class ReportPanel(QWidget):
    """Buttons and status, the text, and below it the evidence for each sentence of the draft."""

    def __init__(self, state: ReportState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state = state
        self.draft = _button("Draft", "Draft the report from the current image (Ctrl+D)", primary=True)
        self.save = _button("Save", "Save this report on this computer (Ctrl+S)")
        self.sign = _button("Sign", "Make this report final and add it to the archive, de-identified (Ctrl+Return)")
        self.copy = _button("Copy", "Copy the report with the research draft notice (Ctrl+Shift+C)")
        self.status = QLabel()
        self.status.setAccessibleName("Report status")
        self.editor = ReportEditor()
        self.editor.setPlaceholderText(HINT)
        self.editor.setTabChangesFocus(True)
        self.editor.setAccessibleName("Report text")
        self.notes = QLabel()
        self.notes.setWordWrap(True)
        self.notes.setProperty("muted", True)
        self.tree = EvidenceTree(state)
        self._lay_out()
        self._connect()
        self._show_page()
        self._show()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.draft)
        head.addWidget(self.status, 1)
        for button in (self.save, self.sign, self.copy):
            head.addWidget(button)
        lower = QWidget()
        below = QVBoxLayout(lower)
        below.setContentsMargins(0, 4, 0, 0)
        below.addWidget(self.notes)
        below.addWidget(self.tree, 1)
        below.addStretch()
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.setChildrenCollapsible(False)
        parts.addWidget(self.editor)
        parts.addWidget(lower)
        parts.setSizes([120, 180])
        self.editor.setMinimumHeight(4 * self.fontMetrics().lineSpacing())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 6)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(parts, 1)

    def _connect(self) -> None:
        self.draft.clicked.connect(self._state.draft)
        self.save.clicked.connect(self._state.save)
        self.sign.clicked.connect(self._state.sign)
        self.editor.textChanged.connect(self._on_text)
        self.editor.cursorPositionChanged.connect(self._on_cursor)
        self._state.changed.connect(self._show)
        self._state.page_changed.connect(self._show_page)
        self._state.selection_changed.connect(self._highlight)

    def focus_text(self) -> None:
        """Move the keyboard to the text."""
        self.editor.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_text(self) -> None:
        self._state.edit(self.editor.toPlainText())
        self._highlight()

    def _on_cursor(self) -> None:
        if self.editor.hasFocus():
            self._state.select_at(self.editor.textCursor().position())

    def _show_page(self) -> None:
        """Put the text of the page into the editor; for the same page as one step that Ctrl+Z undoes."""
        page = self._state.page
        text = page.text if page else ""
        study = page.study if page else ""
        if self.editor.property("study") != study:
            self.editor.setProperty("study", study)
            self.editor.setPlainText(text)
        elif self.editor.toPlainText() != text:
            cursor = QTextCursor(self.editor.document())
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.insertText(text)
        self.editor.setReadOnly(page is None or page.closed)
        self._highlight()

    def _show(self) -> None:
        page, reason = self._state.page, self._state.why_no_draft()
        self.draft.setEnabled(not reason and not self._state.drafting)
        closed = page is not None and page.closed
        self.save.setEnabled(page is not None and page.dirty and not closed)
        self.sign.setEnabled(self._state.can_sign)
        self.copy.setEnabled(page is not None and bool(page.text.strip()))
        status = "Drafting…" if self._state.drafting else page.status if page else ""
        self.status.setText(status)
        palette = self.status.palette()
        color = {"Signed": theme.current.green, "Drafted": theme.current.amber}.get(status, theme.current.muted)
        palette.setColor(QPalette.ColorRole.WindowText, QColor(color))
        self.status.setPalette(palette)
        self.notes.setText(self._note_text(reason))
        self.tree.setVisible(bool(self._state.sentences))

    def _note_text(self, reason: str) -> str:
        page = self._state.page
        if page is not None and page.signed:
            return page.destination
        if page is not None and page.silence:
            return page.silence
        if page is None or page.draft is None:
            return reason or "The sentences of a draft are listed here, each with reports of the same finding."
        return " ".join(part for part in (f"Drafted from {page.frame}.", page.draft.note) if part)

    def _highlight(self) -> None:
        """Underline sentences without evidence, and highlight the selected one."""
        page = self._state.page
        marks = []
        for number, (sentence, span) in enumerate(
            zip(self._state.sentences, self._state.sentence_spans(), strict=True)
        ):
            if span is None:
                continue
            mark = QTextEdit.ExtraSelection()
            style = QTextCharFormat()
            if not sentence.supported:
                style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
                style.setUnderlineColor(QColor(theme.current.amber))
            if page and number == page.sentence:
                style.setBackground(QColor(theme.current.selected))
            cursor = QTextCursor(self.editor.document())
            end = self.editor.document().characterCount() - 1
            cursor.setPosition(min(span[0], end))
            cursor.setPosition(min(span[1], end), QTextCursor.MoveMode.KeepAnchor)
            mark.format, mark.cursor = style, cursor
            marks.append(mark)
        self.editor.setExtraSelections(marks)


def _button(text: str, tooltip: str, primary: bool = False) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setProperty("primary", primary)
    return button
