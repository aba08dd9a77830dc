"""Reads and writes the reports of the open studies in the workspace. Knows no widgets, no models and no archive."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.report.history import History
from desktop.state.report.report_page import ReportPage
from engine.errors import UserError
from engine.reports.decisions import Decisions, decisions
from engine.reports.document import LOST, Document
from engine.reports.stored_report import StoredReport, Submission
from engine.reports.workspace import Workspace

ALREADY_SIGNED = "This report is already signed. What you typed before it was loaded is now an unsigned addendum."
MARKS_LOST = f"{LOST} Check every sentence before you sign."
SIGNED_ELSEWHERE = "This report was signed in another window meanwhile."
TEXT_IS_ADDENDUM = " Your text is now an unsigned addendum."
OPENING = "The report cannot be signed yet: the report database is still opening. Try again shortly."
SAVE_MS = 500
"""Milliseconds from the first unsaved key until the text is written; typing on does not put it off."""


class ReportStore(QObject):
    """One page for each study opened so far. All reading and writing happens on one worker thread, in order."""

    opened = Signal(object)
    """The Workspace."""
    loaded = Signal(object)
    """A ReportPage: its stored text has been read."""
    saved = Signal(object)
    """A ReportPage: its stored state has changed."""
    signed = Signal(object)
    """A ReportPage, after `saved`."""
    sign_failed = Signal(object)
    """A ReportPage: it can be edited and signed again."""

    def __init__(self, background: Background, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background, self._folder = background, folder
        self.who = ""
        """The account, recorded with what is saved."""
        self._workspace: Workspace | None = None
        self._pages: dict[str, ReportPage] = {}
        self._typing = QTimer(self, singleShot=True, interval=SAVE_MS)
        self._typing.timeout.connect(self.save_typed)

    def open(self) -> None:
        """Open the workspace in the background, then read the pages that were opened before it."""
        self._background.start(as_work(Workspace.open, self._folder), self._take_workspace, lane=Lane.STORE)

    def page(self, study: str) -> ReportPage:
        """The page of a study; read from the workspace when it is asked for the first time."""
        if study not in self._pages:
            self._pages[study] = ReportPage(study)
            self._load(self._pages[study])
        return self._pages[study]

    def touch(self, page: ReportPage) -> None:
        """Write a page that has just changed, soon."""
        page.touched = True
        if not self._typing.isActive():
            self._typing.start()

    def save_typed(self) -> None:
        """Write every page that has changed, while more may follow."""
        for page in self._pages.values():
            if page.touched:
                self._write(page, typing=True)

    def save(self, page: ReportPage) -> None:
        """Write a page that has changed, as a step of its history in the audit."""
        if (page.touched or page.dirty) and self._write(page, typing=False):
            page.touched = False

    def _write(self, page: ReportPage, *, typing: bool) -> bool:
        """Start writing what can still be changed of a page; False before the page was loaded."""
        if self._workspace is None or page.signing:
            return False
        if not page.loaded:
            self._load(page)  # again: the first attempt may have failed
            return False
        work = partial(_save, self._workspace, page.study, page.document, self.who, typing)
        if page.signed:
            work = partial(self._workspace.save_addendum, page.study, page.addendum or "")
        if page.dirty or not typing:
            failed = partial(self._look_again, page)
            self._background.start(as_work(work), partial(self._take_saved, page), lane=Lane.STORE, failed=failed)
        return True

    def sign(self, page: ReportPage, name: str, submission: Callable[[], Submission] | None) -> None:
        """Write the report, or the addendum of a signed one, and sign it.

        Args:
            page: what is signed.
            name: who signs it.
            submission: makes, on the worker, what the report is archived with.

        Raises:
            UserError: the workspace is not open, or the page is not loaded yet.
        """
        if self._workspace is None or not page.loaded:
            raise UserError(OPENING)
        if page.signed:
            seen = len(page.stored.addenda) if page.stored else 0
            work = as_work(_sign_addendum, self._workspace, page.study, page.addendum or "", seen, name, submission)
        else:
            work = as_work(_sign, self._workspace, page.study, page.document, name, submission)
        self._background.start(
            work, partial(self._take_signed, page), lane=Lane.STORE, failed=partial(self._fail_signing, page)
        )
        page.signing = True

    def read(self, study: str, done: Callable[[StoredReport | None], None]) -> None:
        """Pass the stored report of a study, open or not, to `done`; nothing before the workspace is open."""
        if self._workspace is not None:
            self._background.start(as_work(self._workspace.load, study), done, lane=Lane.STORE)

    def record_export(self, study: str, what: str) -> None:
        """Note in the audit that something of a study was exported; nothing of a study without a UID."""
        if self._workspace is not None and study:
            work = as_work(self._workspace.record_export, study, what)
            self._background.start(work, lambda _: None, lane=Lane.STORE)

    def count_decisions(self, done: Callable[[Decisions], None]) -> None:
        """Pass what became of the proposals of all signed reports to `done`; nothing before the workspace is open."""
        if self._workspace is not None:
            self._background.start(as_work(_decisions, self._workspace), done, lane=Lane.STORE)

    def reload(self, studies: Collection[str]) -> None:
        """Read again the stored state of these studies' pages, leaving their text alone."""
        for page in self._pages.values():
            if page.study in studies and self._workspace is not None:
                work = as_work(self._workspace.load, page.study)
                self._background.start(work, partial(self._take_saved, page), lane=Lane.STORE)

    def close(self) -> None:
        """Save unsaved text and close the workspace; the workers must have ended."""
        self._typing.stop()
        workspace, self._workspace = self._workspace, None
        if workspace is None:
            return
        with ExitStack() as parts:  # one failure must not keep the other pages from being saved
            parts.callback(workspace.close)
            for page in self._pages.values():
                parts.callback(self._save_at_exit, workspace, page)

    def _save_at_exit(self, workspace: Workspace, page: ReportPage) -> None:
        if not page.loaded:
            self._merge(page, workspace.load(page.study))
        if page.signing:  # the worker has ended, but its result was never delivered
            page.stored, page.signing = workspace.load(page.study), False
            page.addendum = page.stored.addendum if page.stored else None
        if page.signed and page.dirty:
            workspace.save_addendum(page.study, page.addendum or "")
        elif (page.touched or page.dirty) and not page.signed:
            workspace.save(page.study, page.document, self.who)

    def _take_workspace(self, workspace: Workspace) -> None:
        self._workspace = workspace
        for page in self._pages.values():
            self._load(page)
        self.opened.emit(workspace)

    def _load(self, page: ReportPage) -> None:
        if self._workspace is not None:
            work = as_work(self._workspace.load, page.study)
            self._background.start(work, partial(self._take_loaded, page), lane=Lane.STORE)

    def _take_loaded(self, page: ReportPage, stored: StoredReport | None) -> None:
        if not page.loaded:
            late = self._merge(page, stored)
            self.loaded.emit(page)
            if late:
                self._background.problem.emit(UserError(ALREADY_SIGNED))
            elif page.document.lost:
                self._background.problem.emit(UserError(MARKS_LOST))

    def _merge(self, page: ReportPage, stored: StoredReport | None) -> bool:
        """Add what was typed before the page was loaded to what is stored, so that neither is lost.

        Returns whether it became an addendum.
        """
        typed = page.document
        page.stored, page.loaded = stored, True
        late = False
        if stored is not None:
            page.history = History(stored.document)
            page.seen.clear()  # its numbers are those of the proposals before
            page.addendum = stored.addendum
            if page.signed and typed.text.strip() and typed.text != stored.text:
                page.addendum, late = "\n\n".join(filter(None, (stored.addendum, typed.text))), True
            elif not page.signed and (typed.text not in ("", stored.text) or typed.open):
                page.history.push(stored.document.followed_by(typed))
        if page.dirty:
            self.touch(page)
        return late

    def _take_saved(self, page: ReportPage, stored: StoredReport) -> None:
        page.stored = stored
        self.saved.emit(page)

    def _take_signed(self, page: ReportPage, stored: StoredReport) -> None:
        page.signing = page.touched = False
        page.addendum = None
        self._take_saved(page, stored)
        self.signed.emit(page)

    def _fail_signing(self, page: ReportPage, error: BaseException) -> None:
        page.signing = False
        self.sign_failed.emit(page)
        self._look_again(page, error)

    def _look_again(self, page: ReportPage, error: BaseException) -> None:
        """After a failure: another window or program may have signed the report or an addendum."""
        if self._workspace is not None:
            work = as_work(self._workspace.load, page.study)
            self._background.start(work, partial(self._take_signature_of_another, page), lane=Lane.STORE)

    def _take_signature_of_another(self, page: ReportPage, stored: StoredReport | None) -> None:
        if stored is not None and stored.state == "signed" and not page.signed:
            late = self._merge(page, stored)
            self.loaded.emit(page)
            self._background.problem.emit(UserError(SIGNED_ELSEWHERE + (TEXT_IS_ADDENDUM if late else "")))
        elif stored is not None and page.stored is not None and len(stored.addenda) > len(page.stored.addenda):
            new = [one.text.strip() for one in stored.addenda[len(page.stored.addenda) :]]
            page.addendum = None if (page.addendum or "").strip() in new else page.addendum
            self._take_saved(page, stored)
            if page.dirty:
                self.touch(page)


def _decisions(workspace: Workspace) -> Decisions:
    return decisions(workspace.signed_documents())


def _save(workspace: Workspace, study: str, document: Document, who: str, typing: bool) -> StoredReport:
    return workspace.save(study, document, who, typing=typing)


def _sign(
    workspace: Workspace, study: str, document: Document, who: str, submission: Callable[[], Submission] | None
) -> StoredReport:
    made = submission() if submission else None
    return workspace.sign(study, who, made, document)


def _sign_addendum(
    workspace: Workspace, study: str, text: str, seen: int, who: str, submission: Callable[[], Submission] | None
) -> StoredReport:
    made = submission() if submission else None
    return workspace.sign_addendum(study, who, made, text=text, seen=seen)
