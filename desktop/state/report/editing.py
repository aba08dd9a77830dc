"""The report on screen: its text, what is decided on its proposals, undo. Knows no widgets and no workspace."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from desktop.state.report.report_page import ReportPage, Row
from engine.reports.document import Document


class EditingState(QObject):
    """The page on screen and every step that changes its document; a subclass stores the page."""

    changed = Signal()
    """Which commands are available, or the status."""
    page_changed = Signal()
    """Another study's page, or text that did not come from the editor."""
    draft_changed = Signal()
    """The list of proposals and accepted sentences."""
    selection_changed = Signal()
    """Another proposal is selected."""
    editing = Signal(int, int)
    """The user wants to edit this span of the text, [start, end) in characters."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.page: ReportPage | None = None
        self._rows: tuple[Row, ...] = ()

    def _touch(self, page: ReportPage) -> None:
        """Store a page that has just changed, soon."""
        raise NotImplementedError

    def _emit_rows(self, *, always: bool = False) -> None:
        """Announce the rows when they have changed, and select one that is still there."""
        rows = self.rows
        if not always and rows == self._rows:
            return
        self._rows = rows
        if self.page is not None and self.page.selected not in {row.number for row in rows}:
            self.page.selected = self._next_open(self.page.selected)
        self.draft_changed.emit()
        self.selection_changed.emit()

    # -- proposals

    @property
    def rows(self) -> tuple[Row, ...]:
        """The proposals of the report on screen that are open or in its text."""
        return self.page.rows if self.page else ()

    def _next_open(self, proposal: int) -> int:
        """The open proposal after this one, or the first one, or any other row; -1 when there is none."""
        assert self.page is not None
        others = [number for number in self.page.document.open if number != proposal]
        later = [number for number in others if number > proposal]
        return next(iter((*later, *others, *(row.number for row in self.rows))), -1)

    def select(self, proposal: int) -> None:
        """Select a proposal by its number."""
        if self.page and proposal != self.page.selected and any(row.number == proposal for row in self.rows):
            self.page.selected = proposal
            self.selection_changed.emit()

    def select_open(self) -> None:
        """Select the next open proposal, unless the selected one is open or none is."""
        if self.page and self.page.document.open and not self.can_decide:
            self.select(self._next_open(self.page.selected))

    def select_at(self, offset: int) -> None:
        """Select the proposal whose words are at a character of the text."""
        for mark in self.page.document.marks if self.page else ():
            if mark.start <= offset <= mark.end:
                self.select(mark.proposal)

    def saw(self, proposals: Iterable[int]) -> None:
        """Note that proposals were on screen to their end; only then can all be decided at once."""
        if self.page is not None and not self.page.seen.issuperset(proposals):
            self.page.seen.update(proposals)
            self.changed.emit()

    @property
    def can_decide(self) -> bool:
        """Whether the selected proposal is open."""
        page = self.page
        return page is not None and not page.closed and page.selected in page.document.open

    @property
    def can_decide_all(self) -> bool:
        """Whether proposals are open and all of them were on screen."""
        page = self.page
        return page is not None and not page.closed and bool(page.document.open) and page.all_seen

    def accept(self) -> None:
        """Take the selected proposal into the text."""
        if self.page and self.can_decide:
            selected = self.page.selected
            self.page.selected = self._next_open(selected)
            self._change(self.page.document.accepting([selected]))

    def accept_all(self) -> None:
        """Take all open proposals into the text, once all were on screen."""
        if self.page and self.can_decide_all:
            self._change(self.page.document.accepting(self.page.document.open))

    def dismiss(self) -> None:
        """Drop the selected proposal."""
        if self.page and self.can_decide:
            self._change(self.page.document.dismissing([self.page.selected]))

    def dismiss_all(self) -> None:
        """Drop all open proposals, once all were on screen."""
        if self.page and self.can_decide_all:
            self._change(self.page.document.dismissing(self.page.document.open))

    def edit_selected(self) -> None:
        """Take the selected proposal into the text if it is not there, and edit it there."""
        page = self.page
        if page is None or page.closed or page.selected < 0:
            return
        number = page.selected
        if self.can_decide:
            self._change(page.document.accepting([number]))
            self.select(number)
        span = page.span_of(number)
        if span is not None:
            self.editing.emit(*span)

    # -- text

    def edit(self, text: str) -> None:
        """Take the text of the editor."""
        if self.page and not self.page.closed and text != self.page.text:
            self._change(self.page.document.edited(text), typed=True)

    def change(self, document: Document) -> None:
        """Take a document in which something was inserted, confirmed or replaced, as one step to undo."""
        if self.page and not self.page.closed and document != self.page.document:
            self._change(document)

    def _change(self, document: Document, *, typed: bool = False) -> None:
        assert self.page is not None
        self.page.history.push(document)
        self._announce(typed=typed)

    def _announce(self, *, typed: bool = False) -> None:
        assert self.page is not None
        self._touch(self.page)
        if not typed:
            self.page_changed.emit()
        self._emit_rows()
        self.changed.emit()

    @property
    def can_undo(self) -> bool:
        """Whether the last edit or decision can be undone."""
        return self.page is not None and not self.page.closed and self.page.history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether an undone edit or decision can be done again."""
        return self.page is not None and not self.page.closed and self.page.history.can_redo

    def undo(self) -> None:
        """Undo the last edit or decision: text, marks and proposals are as they were."""
        if self.page and self.can_undo:
            self.page.history.undo()
            self._announce()

    def redo(self) -> None:
        """Do again what was undone."""
        if self.page and self.can_redo:
            self.page.history.redo()
            self._announce()
