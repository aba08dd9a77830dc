"""The report of the selected study: draft, edit, save, sign, copy. Knows no widgets; a report stays with its study."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background
from desktop.state.changes import ChangeNotifier
from desktop.state.pictures.picture import ScreenPicture
from desktop.state.report.drafting import Corrections, DraftingState
from desktop.state.report.outbox import OutboxState
from desktop.state.report.report_page import ReportPage, Span
from desktop.state.report.report_store import ReportStore
from desktop.state.similar.archive import ArchiveState
from desktop.state.studies.studies import StudiesState
from desktop.state.viewer.viewport import ViewportState
from engine.errors import UserError
from engine.image.picture import to_gray
from engine.reports.draft import Draft, Sentence, draft, with_notice
from engine.reports.outbox import DisplayedFrame, OutboxResult, submission_for
from engine.reports.workspace import Submission
from engine.study import Study

DRAFT_DISCARDED = (
    "The draft was discarded because its report was signed or edited meanwhile. Open that study and press Draft."
)


class ReportState(QObject):
    """The page of the selected study, and what can be done with it."""

    changed = Signal()
    """Which commands are available, or the status."""
    page_changed = Signal()
    """Another study's page, or text that did not come from the editor."""
    draft_changed = Signal()
    selection_changed = Signal()
    """Another sentence of the draft is selected."""
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
        self._background, self._studies, self._viewport = background, studies, viewport
        self.page: ReportPage | None = None
        self._store = ReportStore(background, folder, who, self)
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
        self.draft_changed.emit()
        self.selection_changed.emit()
        self.changed.emit()

    # -- draft

    @property
    def drafting(self) -> bool:
        """Whether a draft is being made."""
        return self._drafting.running

    def why_no_draft(self) -> str:
        """Why no draft can be made; "" when one can."""
        return self._drafting.why_not(self.page)

    def draft(self) -> None:
        """Draft the report from the current image, whatever its window, with evidence from the open archive."""
        if self.page is None:
            self.changed.emit()
        else:
            self._drafting.start(self.page, partial(self._take_draft, self.page, self.page.text))

    def _take_draft(self, page: ReportPage, text_before: str, proposed: Draft, frame: str) -> None:
        """The editor can undo a draft on screen; a page that was signed, or edited and left, keeps its text."""
        if page.closed or (page.text != text_before and page is not self.page):
            self._background.problem.emit(UserError(DRAFT_DISCARDED))
            self.changed.emit()
            return
        page.silence = proposed.reason
        if proposed.sentences or not page.sentences:  # an empty draft must not delete what the text rests on
            page.draft, page.frame = proposed, frame
        if proposed.sentences:
            page.text, page.sentence = proposed.text, 0
            self._store.save_draft(page, proposed)
        if page is self.page:
            self._emit_all()
        self.changed.emit()

    # -- sentences

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences of the draft on screen."""
        return self.page.sentences if self.page else ()

    def sentence_spans(self) -> list[Span | None]:
        """Where each sentence of the draft is in the text; None for one that was changed or removed."""
        return self.page.sentence_spans() if self.page else []

    def select(self, sentence: int) -> None:
        """Select a sentence of the draft by its index."""
        if self.page and sentence != self.page.sentence and 0 <= sentence < len(self.sentences):
            self.page.sentence = sentence
            self.selection_changed.emit()

    def select_at(self, offset: int) -> None:
        """Select the sentence at a character of the text."""
        for number, span in enumerate(self.sentence_spans()):
            if span and span[0] <= offset <= span[1]:
                self.select(number)
                return

    # -- text

    def edit(self, text: str) -> None:
        """Take the text of the editor."""
        if self.page and not self.page.closed and text != self.page.text:
            self.page.text = text
            self.changed.emit()

    def save(self) -> None:
        """Save the text in the background."""
        if self.page:
            self._store.save(self.page)

    def copy_text(self) -> str:
        """The text with the research notice, for the clipboard; "" for an empty report."""
        return with_notice(self.page.text) if self.page and self.page.text.strip() else ""

    # -- signing

    @property
    def can_sign(self) -> bool:
        """Whether there is a text that is not signed, and no draft that would replace it is being made."""
        page = self.page
        return page is not None and bool(page.text.strip()) and not page.closed and not self.drafting

    def sign(self) -> None:
        """Save the text, make it final, and add it with the current image to the open archive or the next one opened.

        Raises:
            UserError: the workspace is not open yet.
        """
        page = self.page
        if page is None or page.closed:
            return
        self._store.sign(page, self._submission(page))
        self.page_changed.emit()
        self.changed.emit()

    def _submission(self, page: ReportPage) -> Callable[[], Submission] | None:
        """Makes what the report is archived with; None when its study is no longer selected."""
        study, picture = self._studies.study, self._viewport.picture
        if study is None or study.uid != page.study:
            return None
        if picture is None or self._viewport.study is not study:
            return partial(submission_for, study)
        return partial(_submission_with_image, study, picture)

    def _on_sign_failed(self, page: ReportPage) -> None:
        if page is self.page:
            self.page_changed.emit()
        self.changed.emit()

    def _on_delivery(self, delivery: OutboxResult) -> None:
        self._store.reload({sent.study_uid for sent in delivery.archived})


def _submission_with_image(study: Study, picture: ScreenPicture) -> Submission:
    window = (picture.window.center, picture.window.width) if picture.window else None
    return submission_for(study, DisplayedFrame(picture.series, picture.ref, to_gray(picture.image()), window))
