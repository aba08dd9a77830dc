"""The report of the selected study: draft, edit, sign, copy. Knows no widgets; a report stays with its study."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background
from desktop.state.changes import ChangeNotifier
from desktop.state.report.drafting import Corrections, DraftingState
from desktop.state.report.editing import EditingState
from desktop.state.report.outbox import OutboxState
from desktop.state.report.report_page import ReportPage
from desktop.state.report.report_statuses import ReportStatuses
from desktop.state.report.report_store import ReportStore
from desktop.state.report.signing import Question, submission_maker
from desktop.state.similar.archive import ArchiveState
from desktop.state.studies.studies import StudiesState
from desktop.state.viewer.viewport import ViewportState
from engine.errors import UserError
from engine.reports.checks.check import Check
from engine.reports.decisions import Decisions, is_written
from engine.reports.document import Document
from engine.reports.draft import Draft, draft
from engine.reports.outbox import OutboxResult
from engine.reports.stored_report import StoredReport

DRAFT_DISCARDED = "The draft was discarded because its report was signed meanwhile."
WRITE_FIRST = "Write the report first; the draft can be seen afterwards (menu Report, Write first)."
REQUIRED = "A required field of this report is empty; fill it before signing."
SIGNED_MEANWHILE = "This report was signed in another window meanwhile. Write an addendum to add to it."
CHANGED = "The report has changed since you were asked to sign it. Read it and sign again."


class ReportState(EditingState):
    """The page of the selected study, and what can be done with it."""

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
        signers: Callable[[], tuple[str, ...]] = tuple,
        propose: Callable[..., Draft] = draft,
        corrections: Corrections = lambda _: {},
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._studies, self._viewport, self._archive = background, studies, viewport, archive
        self.check: Callable[[Document], tuple[Check, ...]] = lambda document: ()
        """What is to be looked at in a report of the selected study before it is signed."""
        self.write_first: Callable[[], bool] = lambda: False
        """Whether a draft can be made only once something was written."""
        self._store = ReportStore(background, folder, self)
        self._store.who = who
        self._signers = signers
        self._drafting = DraftingState(background, viewport, archive, propose, corrections, self)
        self.outbox = OutboxState(background, archive, self)
        self.statuses = ReportStatuses(background, self._store, studies, self)
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

    # -- draft

    @property
    def drafting(self) -> bool:
        """Whether a draft is being made."""
        return self._drafting.running

    def why_no_draft(self) -> str:
        """Why no draft can be made; "" when one can."""
        reason = self._drafting.why_not(self.page)
        if not reason and self.write_first() and self.page is not None and not is_written(self.page.document):
            return WRITE_FIRST
        return reason

    def draft(self) -> None:
        """Draft from the current image, whatever its window, with evidence from the open archive; see `rows`."""
        if self.page is None or self.why_no_draft() == WRITE_FIRST:
            self.changed.emit()
        else:
            archive = self._archive.archive
            self._drafting.start(self.page, partial(self._take_draft, self.page, archive.name if archive else ""))

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
            page.seen.clear()  # its numbers are those of the proposals before
            page.history.push(page.document.proposing(proposed, page.study, archive))
            self._store.touch(page)
            self._store.save(page)
        if page is self.page:
            self._emit_all()
        self.changed.emit()

    # -- text

    def _touch(self, page: ReportPage) -> None:
        self._store.touch(page)

    def save(self) -> None:
        """Save the text in the background."""
        if self.page:
            self._store.save(self.page)

    def read(self, study: str, done: Callable[[StoredReport | None], None]) -> None:
        """Pass the stored report of another study to `done`."""
        self._store.read(study, done)

    def record_export(self, study: str, what: str) -> None:
        """Note in the audit that something of a study was exported; `what` names the form, and no file."""
        self._store.record_export(study, what)

    def count_decisions(self, done: Callable[[Decisions], None]) -> None:
        """Pass what became of the proposals of all signed reports to `done`."""
        self._store.count_decisions(done)

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
        if self.page is None or not self.can_sign:
            return None
        return Question.of(self.page, self._signers(), () if self.page.signed else self.check(self.page.document))

    def sign(self, question: Question, name: str) -> None:
        """Make what was asked about final under a name, and add it to the open archive or the next one opened.

        Raises:
            UserError: the text is not the one that was asked about, the report was signed meanwhile, a required field
                is empty, or the workspace is not open yet.
        """
        page = question.page
        if page.closed and not question.addendum:
            raise UserError(SIGNED_MEANWHILE)
        if page is not self.page or not question.still_holds or not self.can_sign:
            raise UserError(CHANGED)
        if not page.signed and any(check.blocks for check in self.check(page.document)):
            raise UserError(REQUIRED)
        self._store.sign(page, name, submission_maker(page.study, self._studies.study, self._viewport))
        self.signing.emit(name)
        self.page_changed.emit()
        self.changed.emit()

    def _on_sign_failed(self, page: ReportPage) -> None:
        if page is self.page:
            self.page_changed.emit()
        self.changed.emit()

    def _on_delivery(self, delivery: OutboxResult) -> None:
        self._store.reload({sent.study_uid for sent in delivery.archived})
        self.statuses.read_again()
