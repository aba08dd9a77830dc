"""The report of the selected study: draft, edit, sign, copy. Knows no widgets; a report stays with its study."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background
from desktop.state.changes import ChangeNotifier
from desktop.state.report.drafting import Corrections, DraftingState
from desktop.state.report.outbox import OutboxState
from desktop.state.report.report_page import ReportPage, Row
from desktop.state.report.report_store import ReportStore
from desktop.state.report.signing import Question, submission_maker
from desktop.state.similar.archive import ArchiveState
from desktop.state.studies.studies import StudiesState
from desktop.state.viewer.viewport import ViewportState
from engine.errors import UserError
from engine.reports.document import Document
from engine.reports.draft import Draft, draft
from engine.reports.outbox import OutboxResult

DRAFT_DISCARDED = "The draft was discarded because its report was signed meanwhile."
CHANGED = "The report has changed since you were asked to sign it. Read it and sign again."


class ReportState(QObject):
    """The page of the selected study, and what can be done with it."""

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
    signing = Signal(str)
    """A report is being signed under this name."""
    message = Signal(str)
    """One sentence for the user."""
    workspace_opened = Signal(object)
    """The Workspace, for whatever else is stored with a study."""

    def __init__(
        self,
        background: Background,
        studies: StudiesState,
        viewport: ViewportState,
        archive: ArchiveState,
        folder: Path | None = None,
        who: str = "",
        propose: Callable[..., Draft] = draft,
        corrections: Corrections = lambda _: {},
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._studies, self._viewport, self._archive = background, studies, viewport, archive
        self.page: ReportPage | None = None
        self._store = ReportStore(background, folder, self)
        self._store.who = who
        self._rows: tuple[Row, ...] = ()
        self._drafting = DraftingState(background, viewport, archive, propose, corrections, self)
        self.outbox = OutboxState(background, archive, self)
        self._store.opened.connect(self.outbox.open)
        self._store.opened.connect(self.workspace_opened)
        self._store.loaded.connect(self._on_loaded)
        self._store.saved.connect(self._on_saved)
        self._store.signed.connect(lambda _: self.outbox.send())
        self._store.sign_failed.connect(self._on_sign_failed)
        self._drafting.changed.connect(self.changed)
        self.outbox.delivered.connect(self._on_delivery)
        studies.selected.connect(self._on_study)
        archive.changed.connect(self.changed)
        ChangeNotifier(viewport.picture_changed, self.changed, self._image_state, self)

    def _image_state(self) -> tuple[bool, str, str]:
        """What the commands depend on; the image itself does not count, so that a scroll emits nothing."""
        study = self._viewport.study
        return self._viewport.picture is not None, self._viewport.failure, study.uid if study else ""

    def open_workspace(self) -> None:
        """Open the database of reports in the background; until then nothing is saved or signed."""
        self._store.open()

    def close(self) -> None:
        """Save unsaved text; the workers must have ended."""
        self.outbox.close()
        self._store.close()

    # -- pages

    def _on_study(self) -> None:
        study = self._studies.study
        if self.page is not None and (study is None or study.uid != self.page.study):
            self._store.save(self.page)
        if study is None:
            self.page = None
        elif self.page is None or self.page.study != study.uid:
            self.page = self._store.page(study.uid)
        else:
            return
        self._emit_all()

    def _on_loaded(self, page: ReportPage) -> None:
        if page is self.page:
            self._emit_all()

    def _on_saved(self, page: ReportPage) -> None:
        if page is self.page and page.signed:
            self.page_changed.emit()
        self.changed.emit()

    def _emit_all(self) -> None:
        self.page_changed.emit()
        self._emit_rows(always=True)
        self.changed.emit()

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

    # -- draft

    @property
    def drafting(self) -> bool:
        """Whether a draft is being made."""
        return self._drafting.running

    def why_no_draft(self) -> str:
        """Why no draft can be made; "" when one can."""
        return self._drafting.why_not(self.page)

    def draft(self) -> None:
        """Draft from the current image, whatever its window, with evidence from the open archive; see `rows`."""
        if self.page is None:
            self.changed.emit()
        else:
            archive = self._archive.archive
            self._drafting.start(
                self.page, partial(self._take_draft, self.page, archive.folder.name if archive else "")
            )

    def _take_draft(self, page: ReportPage, archive: str, proposed: Draft, frame: str) -> None:
        """Propose the sentences beside the text, which stays as it is; a signed report gets none."""
        if page.closed:
            self._background.problem.emit(UserError(DRAFT_DISCARDED))
            self.changed.emit()
            return
        page.silence = proposed.reason
        if proposed.sentences or not page.document.shown:  # an empty draft must not delete what the text rests on
            page.draft, page.frame = proposed, frame
        if proposed.sentences:
            page.selected = -1
            page.history.push(page.document.proposing(proposed, page.study, archive))
            self._store.touch(page)
            self._store.save(page)
        if page is self.page:
            self._emit_all()
        self.changed.emit()

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

    def _change(self, document: Document, *, typed: bool = False) -> None:
        assert self.page is not None
        self.page.history.push(document)
        self._announce(typed=typed)

    def _announce(self, *, typed: bool = False) -> None:
        assert self.page is not None
        self._store.touch(self.page)
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

    def save(self) -> None:
        """Save the text in the background."""
        if self.page:
            self._store.save(self.page)

    def copy_text(self) -> str:
        """The text with the research notice and its marks, for the clipboard; "" for an empty report."""
        return self.page.copied() if self.page else ""

    # -- addendum

    @property
    def can_begin_addendum(self) -> bool:
        """Whether the report is signed and no addendum is being written."""
        page = self.page
        return page is not None and page.signed and not page.signing and page.addendum is None

    def begin_addendum(self) -> None:
        """Begin an addendum to the signed report."""
        if self.page and self.can_begin_addendum:
            self.page.addendum = ""
            self.page_changed.emit()
            self.changed.emit()

    def edit_addendum(self, text: str) -> None:
        """Take the text of the addendum."""
        page = self.page
        if page and page.signed and not page.signing and page.addendum is not None and text != page.addendum:
            page.addendum = text
            self._store.touch(page)
            self.changed.emit()

    # -- signing

    def why_not_sign(self) -> str:
        """Why the report, or the addendum of a signed one, cannot be signed now; "" when it can."""
        page = self.page
        if page is None:
            return "Open a study first."
        if page.signing:
            return "This report is being signed."
        if page.signed and not (page.addendum or "").strip():
            return "This report is signed. Write an addendum to add to it."
        if self.drafting and not page.signed:
            return "A draft is being made."
        if page.document.open:
            return "Accept, edit or dismiss each proposal first."
        return "" if page.text.strip() else "There is no text to sign."

    @property
    def can_sign(self) -> bool:
        """Whether there is a text that is not signed, with no proposal open and no draft on its way."""
        return not self.why_not_sign()

    def ask_to_sign(self) -> Question | None:
        """What the user is asked before signing; None when there is nothing to sign."""
        return Question.of(self.page, self._store.who) if self.page and self.can_sign else None

    def sign(self, question: Question, name: str) -> None:
        """Make what was asked about final under a name, and add it to the open archive or the next one opened.

        Raises:
            UserError: the text is not the one that was asked about, or the workspace is not open yet.
        """
        page = question.page
        if page.closed and not question.addendum:
            return
        if page is not self.page or not question.still_holds or not self.can_sign:
            raise UserError(CHANGED)
        self._store.who = name
        self.signing.emit(name)
        self._store.sign(page, submission_maker(page.study, self._studies.study, self._viewport))
        self.page_changed.emit()
        self.changed.emit()

    @property
    def signer(self) -> str:
        """Who signed last in this session, or the user of this computer."""
        return self._store.who

    def _on_sign_failed(self, page: ReportPage) -> None:
        if page is self.page:
            self.page_changed.emit()
        self.changed.emit()

    def _on_delivery(self, delivery: OutboxResult) -> None:
        self._store.reload({sent.study_uid for sent in delivery.archived})
