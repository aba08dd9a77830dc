"""The report of the chosen study: draft, edit, save, sign, copy. Knows no widgets; a draft stays with its study."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job, Lane, as_work
from desktop.state.changes import ChangeNotifier
from desktop.state.pictures.picture import ScreenPicture
from desktop.state.report.outbox import OutboxState
from desktop.state.report.report_page import ReportPage
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.search import describe
from desktop.state.studies.studies import StudiesState
from desktop.state.viewer.viewport import ViewportState
from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.image.picture import to_gray
from engine.progress import IsCancelled, Progress
from engine.reports.draft import Draft, Sentence, draft, with_notice
from engine.reports.outbox import DisplayedFrame, OutboxResult, submission_for
from engine.reports.workspace import StoredReport, Submission, Workspace
from engine.study import Study

TOO_LATE = "A draft came after its report had been signed, or written and left; press Draft there to have another one."
ALREADY_SIGNED = "This report is signed and final. What you wrote before it could be read is no part of it:"


class ReportState(QObject):
    """One page for each open study; `page` is that of the chosen one."""

    changed = Signal()
    page_changed = Signal()
    """Another study's page, or a text that did not come from the editor."""
    draft_changed = Signal()
    selection_changed = Signal()
    workspace_opened = Signal(object)
    """The Workspace, for whatever else is kept with a study."""

    def __init__(
        self,
        background: Background,
        studies: StudiesState,
        viewport: ViewportState,
        archive: ArchiveState,
        folder: Path | None = None,
        who: str = "",
        propose: Callable[..., Draft] = draft,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._studies, self._viewport, self._archive = background, studies, viewport, archive
        self._folder, self._who, self._propose = folder, who, propose
        self._workspace: Workspace | None = None
        self._pages: dict[str, ReportPage] = {}
        self.page: ReportPage | None = None
        self._job: Job | None = None
        self.outbox = OutboxState(background, archive, self)
        self.outbox.delivered.connect(self._take_delivery)
        studies.selected.connect(self._on_study)
        archive.changed.connect(self.changed)
        ChangeNotifier(viewport.picture_changed, self.changed, self._about_picture, self)

    def _about_picture(self) -> tuple[bool, str, str]:
        """Whether there is one counts, and whose, not which: a scroll changes nothing here."""
        study = self._viewport.study
        return self._viewport.picture is not None, self._viewport.failure, study.uid if study else ""

    def open_workspace(self) -> None:
        self._background.start(as_work(Workspace.open, self._folder), self._take_workspace, lane=Lane.STORE)

    def _take_workspace(self, workspace: Workspace) -> None:
        self._workspace = workspace
        for page in self._pages.values():
            self._load(page)
        self.outbox.open(workspace)
        self.workspace_opened.emit(workspace)

    # -- pages

    def _on_study(self) -> None:
        study = self._studies.study
        if self.page is not None and (study is None or study.uid != self.page.study):
            self._store(self.page)
        if study is None:
            self.page = None
        elif self.page is None or self.page.study != study.uid:
            known = self._pages.get(study.uid)
            self.page = self._pages.setdefault(study.uid, ReportPage(study.uid))
            if known is None:
                self._load(self.page)
        else:
            return
        self._tell_all()

    def _load(self, page: ReportPage) -> None:
        if self._workspace is not None:
            work = as_work(self._workspace.load, page.study)
            self._background.start(work, partial(self._take_stored, page), lane=Lane.STORE)

    def _take_stored(self, page: ReportPage, stored: StoredReport | None) -> None:
        """What was written before the store could be read follows what it holds; nothing is written over unseen."""
        if stored is None or page.stored is not None:
            return
        typed = page.text if page.text != stored.text else ""
        page.stored, page.text = stored, stored.text
        if typed and page.signed:
            self._background.problem.emit(UserError(f"{ALREADY_SIGNED} {typed}"))
        elif typed:
            page.text = f"{stored.text}\n\n{typed}"
        if page is self.page:
            self._tell_all()

    def _tell_all(self) -> None:
        self.page_changed.emit()
        self.draft_changed.emit()
        self.selection_changed.emit()
        self.changed.emit()

    # -- draft

    @property
    def drafting(self) -> bool:
        return self._job is not None

    def why_no_draft(self) -> str:
        """What is missing before a draft can be made; "" when nothing is."""
        if self.page is not None and self._viewport.failure:
            return "This image cannot be shown; a draft is made from the image on screen, so go to another one."
        if self.page is None or self._viewport.picture is None:
            return "Open a study first: a draft is made from the image on screen."
        if self._viewport.study is None or self._viewport.study.uid != self.page.study:
            return (
                "The image on screen is of another study than this report; click on an image of the same study first."
            )
        if self.page.closed:
            return "This report is signed and final." if self.page.signed else "This report is being signed."
        if self._archive.bundle is None:
            return self._archive.bundle_failure or "The models are loading …"
        return ""

    def draft(self) -> None:
        """Propose a report from the displayed frame at its window, with evidence from the open archive."""
        picture, page, bundle = self._viewport.picture, self.page, self._archive.bundle
        if self.why_no_draft() or picture is None or page is None or bundle is None:
            self.changed.emit()
            return
        self._job = self._background.start(
            partial(
                _draft,
                self._propose,
                bundle,
                self._archive.archive,
                picture,
                page.study,
                self._about(),
            ),
            partial(self._take_draft, page, page.text, describe(picture)),
            title="Drafting the report",
            key="draft",
            lane=Lane.MODEL,
            urgent=True,
            cancelled=self._draft_ended,
            failed=self._draft_ended,
        )
        self.changed.emit()

    def _about(self) -> dict[str, str | None]:
        """Whose picture it is, since that patient's other cases are no evidence, and of which kind."""
        study, picture = self._viewport.study, self._viewport.picture
        return {
            "patient": study.patient.id or None if study else None,
            "modality": picture.series.modality if picture else "",
        }

    def _take_draft(self, page: ReportPage, before: str, frame: str, proposed: Draft) -> None:
        """On screen the editor can undo it; a page that was signed, or left with other words in it, keeps its own."""
        self._job = None
        if page.closed or (page.text != before and page is not self.page):
            self._background.problem.emit(UserError(TOO_LATE))
            self.changed.emit()
            return
        page.draft, page.frame = proposed, frame
        if proposed.sentences:  # a draft that proposes nothing takes no words away
            page.text = proposed.text
        page.sentence = 0 if proposed.sentences else -1
        if self._workspace is not None and proposed.sentences:
            work = as_work(self._workspace.save_draft, page.study, proposed, self._who)
            self._background.start(work, partial(self._take_saved, page), lane=Lane.STORE)
        if page is self.page:
            self._tell_all()
        self.changed.emit()

    def _draft_ended(self, error: BaseException | None = None) -> None:
        self._job = None
        self.changed.emit()

    # -- sentences

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return self.page.draft.sentences if self.page and self.page.draft else ()

    def places(self) -> list[tuple[int, int] | None]:
        """Where each sentence of the draft still stands in the text, word for word."""
        return locate(self.page.text, [sentence.text for sentence in self.sentences]) if self.page else []

    def select(self, sentence: int) -> None:
        if self.page and sentence != self.page.sentence and 0 <= sentence < len(self.sentences):
            self.page.sentence = sentence
            self.selection_changed.emit()

    def select_at(self, position: int) -> None:
        """Choose the sentence at a place in the text."""
        for number, place in enumerate(self.places()):
            if place and place[0] <= position <= place[1]:
                self.select(number)
                return

    # -- text

    def edit(self, text: str) -> None:
        if self.page and not self.page.closed and text != self.page.text:
            self.page.text = text
            self.changed.emit()

    def save(self) -> None:
        if self.page:
            self._store(self.page)

    @property
    def can_sign(self) -> bool:
        """There are words, and none are on their way."""
        page = self.page
        return page is not None and bool(page.text.strip()) and not page.closed and not self.drafting

    def sign(self) -> None:
        """Store the text, make it final, and add it with the displayed frame to the open archive or the next one."""
        page = self.page
        if page is None or page.closed:
            return
        workspace = self._require_workspace()
        work = as_work(_sign, workspace, page.study, page.text, self._who, self._outgoing(page))
        self._background.start(
            work, partial(self._take_signed, page), lane=Lane.STORE, failed=partial(self._not_signed, page)
        )
        page.signing = True
        self.page_changed.emit()
        self.changed.emit()

    def _outgoing(self, page: ReportPage) -> Callable[[], Submission] | None:
        """What makes that which the report of the chosen study is archived with; None when it is no longer there."""
        study, picture = self._studies.study, self._viewport.picture
        if study is None or study.uid != page.study:
            return None
        if picture is None or self._viewport.study is not study:
            return partial(submission_for, study)
        return partial(_with_picture, study, picture)

    def _take_signed(self, page: ReportPage, stored: StoredReport) -> None:
        page.signing = False
        self._take_saved(page, stored)
        self.outbox.send()

    def _not_signed(self, page: ReportPage, error: BaseException) -> None:
        """It can be changed and signed again."""
        page.signing = False
        if page is self.page:
            self.page_changed.emit()
        self.changed.emit()

    def _take_delivery(self, delivery: OutboxResult) -> None:
        sent = {one.study_uid for one in delivery.archived}
        for page in self._pages.values():
            if page.study in sent and self._workspace is not None:
                work = as_work(self._workspace.load, page.study)
                self._background.start(work, partial(self._take_saved, page), lane=Lane.STORE)

    def copy_text(self) -> str:
        """The text as it may leave the app."""
        return with_notice(self.page.text) if self.page and self.page.text.strip() else ""

    def _store(self, page: ReportPage) -> None:
        if page.dirty and not page.closed and self._workspace is not None:
            work = as_work(self._workspace.save_edit, page.study, page.text, self._who)
            self._background.start(work, partial(self._take_saved, page), lane=Lane.STORE)

    def _take_saved(self, page: ReportPage, stored: StoredReport) -> None:
        page.stored = stored
        if page is self.page and page.signed:
            self.page_changed.emit()
        self.changed.emit()

    def _require_workspace(self) -> Workspace:
        if self._workspace is None:
            raise UserError("Reports cannot be kept yet: their store is not open. Try again in a moment.")
        return self._workspace

    def close(self) -> None:
        """Keep what was not saved; the workers must have ended."""
        workspace, self._workspace = self._workspace, None
        if workspace is None:
            return
        self.outbox.close()
        with ExitStack() as parts:  # what fails keeps nothing else from being kept
            parts.callback(workspace.close)
            for page in self._pages.values():
                parts.callback(self._keep, workspace, page)

    def _keep(self, workspace: Workspace, page: ReportPage) -> None:
        if page.signing:  # whether it was signed has not been told yet
            page.stored, page.signing = workspace.load(page.study), False
        if page.dirty and not page.signed:
            workspace.save_edit(page.study, page.text, self._who)


def locate(text: str, sentences: Sequence[str]) -> list[tuple[int, int] | None]:
    """(start, end) of each sentence in the text, one after the other; None for one that was changed or removed."""
    places: list[tuple[int, int] | None] = []
    start = 0
    for sentence in sentences:
        found = text.find(sentence, start)
        places.append((found, found + len(sentence)) if found >= 0 else None)
        start = found + len(sentence) if found >= 0 else start
    return places


def _draft(
    propose: Callable[..., Draft],
    bundle: Bundle,
    archive: Archive | None,
    picture: ScreenPicture,
    study: str,
    about: dict[str, str | None],
    progress: Progress,
    cancelled: IsCancelled,
) -> Draft:
    return propose(bundle, archive, to_gray(picture.image()), cancelled=cancelled, exclude_study=study, **about)


def _with_picture(study: Study, picture: ScreenPicture) -> Submission:
    window = (picture.window.center, picture.window.width) if picture.window else None
    return submission_for(study, DisplayedFrame(picture.series, picture.ref, to_gray(picture.image()), window))


def _sign(
    workspace: Workspace, study: str, text: str, who: str, archived_with: Callable[[], Submission] | None
) -> StoredReport:
    workspace.save_edit(study, text, who)
    return workspace.sign(study, who, archived_with() if archived_with else None)
