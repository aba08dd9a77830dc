"""The text field of a report: shows the document of a ReportState with its marks, and passes on what is typed."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QMimeData, Qt
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QTextEdit, QWidget
from typing_extensions import override

from desktop import theme
from desktop.state.report.report import ReportState
from desktop.state.report.writing import WritingState
from engine.reports.change import change_between

COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
EDITING = (
    QKeySequence.StandardKey.Undo,
    QKeySequence.StandardKey.Redo,
    QKeySequence.StandardKey.Cut,
    QKeySequence.StandardKey.Paste,
    QKeySequence.StandardKey.DeleteStartOfWord,
    QKeySequence.StandardKey.DeleteEndOfWord,
)
FUNCTION_KEYS = range(Qt.Key.Key_F3, Qt.Key.Key_F35 + 1)


def keeps_key(event: QKeyEvent) -> bool:
    """Whether a key belongs to the report while it has the keyboard, also when its text cannot be changed.

    Otherwise a letter typed into a signed report would choose a tool for the images, and Ctrl+Z undo a measurement.
    """
    if any(event.matches(key) for key in EDITING):
        return True
    return not event.modifiers() & COMMANDS and event.key() not in (*FUNCTION_KEYS, Qt.Key.Key_F1, Qt.Key.Key_Escape)


def kept(event: QEvent) -> bool:
    """Whether an event asks who takes a key that the report keeps; it is accepted then."""
    keeps = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and keeps_key(event)
    if keeps:
        event.accept()
    return keeps


class ReportField(QPlainTextEdit):
    """A text field that keeps its keys, and leaves dropped files to the window, which opens them."""

    @override
    def event(self, event: QEvent) -> bool:
        return kept(event) or super().event(event)

    @override
    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return not any(url.isLocalFile() for url in source.urls()) and super().canInsertFromMimeData(source)


class ReportEditor(ReportField):
    """The text of the report. Undo and redo are those of the state, which restore marks and proposals too."""

    def __init__(self, state: ReportState, writing: WritingState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._writing = state, writing
        self.add_to_menu: Callable[[QMenu], object] = lambda menu: None
        """Adds the commands of the report to the context menu of the text."""
        self.choices: QMenu | None = None
        """The values of the field at the cursor, while they are listed."""
        self._study = ""
        self._passing = False
        """The keyboard came by Tab, and no other key was pressed since."""
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setAccessibleName("Report text")
        self.textChanged.connect(self._on_text)
        self.cursorPositionChanged.connect(self._on_cursor)
        state.page_changed.connect(self.show_page)
        state.selection_changed.connect(self.highlight)
        state.editing.connect(self._select)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._passing = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._passing = False
        if event.matches(QKeySequence.StandardKey.Undo):
            self._state.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self._state.redo()
        elif event.key() == Qt.Key.Key_Down and event.modifiers() == Qt.KeyboardModifier.AltModifier:
            self.list_choices()
        else:
            super().keyPressEvent(event)

    @override
    def focusNextPrevChild(self, next: bool) -> bool:
        """Tab and Shift+Tab fill the text first, and move the keyboard on only when there is nothing to fill.

        On its way through the window Tab begins no report: only where the keyboard was taken to an empty text.
        """
        cursor = self.textCursor()
        begins = not self._passing or bool(self.toPlainText().strip())
        if begins and self._writing.tab(self.position(), back=not next, selected=cursor.hasSelection()):
            return True
        return super().focusNextPrevChild(next)

    def list_choices(self) -> None:
        """List the values of the field at the cursor; choosing one fills it."""
        found = self._writing.choices(self.position())
        if found is None:
            return
        field, number = found
        self.choices = QMenu(self)
        for value in field.choices:
            self.choices.addAction(value, partial(self._writing.choose, number, value))
        self.choices.aboutToHide.connect(self.choices.deleteLater)
        self.choices.popup(self.mapToGlobal(self.cursorRect().bottomLeft()))
        self.choices.setActiveAction(self.choices.actions()[0])

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.createStandardContextMenu()
        state = self._state
        for name, allowed, work in (("undo", state.can_undo, state.undo), ("redo", state.can_redo, state.redo)):
            action = menu.findChild(QAction, f"edit-{name}")
            if action is not None:
                action.setEnabled(allowed)
                action.triggered.connect(work)
        self.add_to_menu(menu)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def show_page(self) -> None:
        """Show the text of the page; in the same page only what differs is replaced, and the cursor goes there."""
        page = self._state.page
        text, study = (page.shown_text, page.study) if page else ("", "")
        shown = self.toPlainText()
        if self._study != study:
            self._study = study
            self.setPlainText(text)
        elif shown != text:
            change = change_between(shown, text)
            cursor = self._cursor(change.start, change.end)
            cursor.insertText(text[slice(*change.inserted)])
            self.setTextCursor(cursor)  # also scrolls there, such as to a signed addendum
        self.setReadOnly(page is None or page.closed)
        self.highlight()

    def _on_text(self) -> None:
        page = self._state.page
        if page is not None and self._study == page.study and not page.closed:
            self._state.edit(self.toPlainText())
        self.highlight()

    def _on_cursor(self) -> None:
        page = self._state.page
        if self.hasFocus() and page is not None:
            page.cursor = self.position()
            self._state.select_at(page.cursor)

    def position(self) -> int:
        """Characters before the cursor; Qt counts UTF-16 units."""
        before = self.toPlainText().encode("utf-16-le", "surrogatepass")[: 2 * self.textCursor().position()]
        return len(before.decode("utf-16-le", "ignore"))

    def _select(self, start: int, end: int) -> None:
        self.setTextCursor(self._cursor(start, end))
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _cursor(self, start: int, end: int) -> QTextCursor:
        """A cursor with characters of the text selected; Qt counts UTF-16 units."""
        text = self.toPlainText()
        cursor = QTextCursor(self.document())
        cursor.setPosition(_units(text[:start]))
        cursor.setPosition(_units(text[:end]), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def highlight(self) -> None:
        """Underline machine wording, dotted where it is unchanged, and highlight the selected sentence.

        Unsupported sentences are underlined in amber.
        """
        page, found = self._state.page, []
        shown = page is not None and page.text == self.toPlainText()[: len(page.text)]
        for mark in page.document.marks if page is not None and shown else ():
            assert page is not None
            selection, style = QTextEdit.ExtraSelection(), QTextCharFormat()
            lines = QTextCharFormat.UnderlineStyle
            unchanged = page.document.wording(mark) == "unchanged"
            style.setUnderlineStyle(lines.DotLine if unchanged else lines.DashUnderline)
            supported = page.document.proposals[mark.proposal].sentence.supported
            style.setUnderlineColor(QColor(theme.current.muted if supported else theme.current.amber))
            if mark.proposal == page.selected:
                style.setBackground(QColor(theme.current.selected))
            selection.format, selection.cursor = style, self._cursor(mark.start, mark.end)
            found.append(selection)
        self.setExtraSelections([*self._linked(), *found])

    def _linked(self) -> list[QTextEdit.ExtraSelection]:
        """Fields on a ground of their own, those still to be filled in a color; a line under what is linked."""
        page, found = self._state.page, []
        shown = page is not None and page.text == self.toPlainText()[: len(page.text)]
        for link in page.document.links if page is not None and shown and not page.closed else ():
            mark, style = QTextEdit.ExtraSelection(), QTextCharFormat()
            if link.kind == "field":
                style.setBackground(QColor(theme.current.raised))
                if page is not None and link.is_empty(page.text):
                    style.setForeground(QColor(theme.current.red if link.rule == "required" else theme.current.amber))
            else:
                style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
                style.setUnderlineColor(QColor(theme.current.accent))
            mark.format, mark.cursor = style, self._cursor(link.start, link.end)
            found.append(mark)
        return found


def _units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
