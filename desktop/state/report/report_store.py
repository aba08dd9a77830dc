"""Reads and writes the reports of the open studies in the workspace. Knows no widgets, no models and no archive."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.report.report_page import ReportPage
from engine.errors import UserError
from engine.reports.draft import Draft
from engine.reports.workspace import StoredReport, Submission, Workspace

ALREADY_SIGNED = "This report is already signed. Text typed before it was loaded was not added:"


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

    def __init__(
        self, background: Background, folder: Path | None = None, who: str = "", parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background, self._folder, self._who = background, folder, who
        self._workspace: Workspace | None = None
        self._pages: dict[str, ReportPage] = {}

    def open(self) -> None:
        """Open the workspace in the background, then read the pages that were opened before it."""
        self._background.start(as_work(Workspace.open, self._folder), self._take_workspace, lane=Lane.STORE)

    def page(self, study: str) -> ReportPage:
        """The page of a study; read from the workspace when it is asked for the first time."""
        if study not in self._pages:
            self._pages[study] = ReportPage(study)
            self._load(self._pages[study])
        return self._pages[study]

    def save(self, page: ReportPage) -> None:
        """Write the text if it has changed and can still be changed."""
        if page.dirty and not page.closed and self._workspace is not None:
            work = as_work(self._workspace.save_edit, page.study, page.text, self._who)
            self._background.start(work, partial(self._take_saved, page), lane=Lane.STORE)

    def save_draft(self, page: ReportPage, draft: Draft) -> None:
        """Write a new draft as the text of the report."""
        if self._workspace is not None:
            work = as_work(self._workspace.save_draft, page.study, draft, self._who)
            self._background.start(work, partial(self._take_saved, page), lane=Lane.STORE)

    def sign(self, page: ReportPage, submission: Callable[[], Submission] | None) -> None:
        """Write the text and sign it; `submission` makes, on the worker, what the report is archived with.

        Raises:
            UserError: the workspace is not open yet.
        """
        if self._workspace is None:
            raise UserError("The report cannot be signed yet: the report database is still opening. Try again shortly.")
        self._background.start(
            as_work(_sign, self._workspace, page.study, page.text, self._who, submission),
            partial(self._take_signed, page),
            lane=Lane.STORE,
            failed=partial(self._fail_signing, page),
        )
        page.signing = True

    def reload(self, studies: Collection[str]) -> None:
        """Read again the stored state of these studies' pages, leaving their text alone."""
        for page in self._pages.values():
            if page.study in studies and self._workspace is not None:
                work = as_work(self._workspace.load, page.study)
                self._background.start(work, partial(self._take_saved, page), lane=Lane.STORE)

    def close(self) -> None:
        """Save unsaved text and close the workspace; the workers must have ended."""
        workspace, self._workspace = self._workspace, None
        if workspace is None:
            return
        with ExitStack() as parts:  # one failure must not keep the other pages from being saved
            parts.callback(workspace.close)
            for page in self._pages.values():
                parts.callback(self._save_at_exit, workspace, page)

    def _save_at_exit(self, workspace: Workspace, page: ReportPage) -> None:
        if page.signing:  # the worker has ended, but its result was never delivered
            page.stored, page.signing = workspace.load(page.study), False
        if page.dirty and not page.signed:
            workspace.save_edit(page.study, page.text, self._who)

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
        """Append text typed before the workspace was open to the stored text, so that neither is lost."""
        if stored is None or page.stored is not None:
            return
        typed = page.text if page.text != stored.text else ""
        page.stored, page.text = stored, stored.text
        if typed and page.signed:
            self._background.problem.emit(UserError(f"{ALREADY_SIGNED} {typed}"))
        elif typed:
            page.text = f"{stored.text}\n\n{typed}"
        self.loaded.emit(page)

    def _take_saved(self, page: ReportPage, stored: StoredReport) -> None:
        page.stored = stored
        self.saved.emit(page)

    def _take_signed(self, page: ReportPage, stored: StoredReport) -> None:
        page.signing = False
        self._take_saved(page, stored)
        self.signed.emit(page)

    def _fail_signing(self, page: ReportPage, error: BaseException) -> None:
        page.signing = False
        self.sign_failed.emit(page)


def _sign(
    workspace: Workspace, study: str, text: str, who: str, submission: Callable[[], Submission] | None
) -> StoredReport:
    workspace.save_edit(study, text, who)
    return workspace.sign(study, who, submission() if submission else None)
