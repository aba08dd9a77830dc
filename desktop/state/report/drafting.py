"""Drafts a report from the image on screen, in the background. Does not know the text being edited, and no widgets."""

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job, Lane
from desktop.state.pictures.picture import ScreenPicture
from desktop.state.report.report_page import ReportPage
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.query import image_summary
from desktop.state.viewer.viewport import ViewportState
from engine.archive import Archive
from engine.bundle import Bundle
from engine.facts.fact import NO_FACTS, FactKind, corrected, first_of
from engine.facts.from_header import facts_of_frame
from engine.image.renditions import renditions
from engine.progress import IsCancelled, Progress
from engine.reports.draft import Draft
from engine.study import Series, Study

Corrections = Callable[[Series], Mapping[FactKind, str]]
"""What the user says of the images of a series; "" removes a kind."""


class DraftingState(QObject):
    """One draft at a time; a newer request supersedes the running one."""

    changed = Signal()
    """A draft was started, or it was cancelled or failed."""

    def __init__(
        self,
        background: Background,
        viewport: ViewportState,
        archive: ArchiveState,
        propose: Callable[..., Draft],
        corrections: Corrections,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._viewport, self._archive = background, viewport, archive
        self._propose, self._corrections = propose, corrections
        self._job: Job | None = None

    @property
    def running(self) -> bool:
        """Whether a draft is being made."""
        return self._job is not None

    def why_not(self, page: ReportPage | None) -> str:
        """Why no draft can be made for this report; "" when one can."""
        if page is not None and self._viewport.failure:
            return "The current image cannot be displayed. Go to another image to draft from it."
        if page is None or self._viewport.picture is None:
            return "Open a study first. The draft is made from the current image."
        if self._viewport.study is None or self._viewport.study.uid != page.study:
            return "The current image is from a different study than this report. Select an image of the same study."
        if page.closed:
            return "This report is signed and final." if page.signed else "This report is being signed."
        if self._archive.bundle is None:
            return self._archive.bundle_failure or "The models are loading…"
        return ""

    def start(self, page: ReportPage, done: Callable[[Draft, str], None]) -> None:
        """Draft from the current image, whatever its window, with evidence from the open archive.

        Args:
            page: the report that the draft is for.
            done: gets the draft and the image it was made from, in words.
        """
        picture, bundle = self._viewport.picture, self._archive.bundle
        if self.why_not(page) or picture is None or bundle is None:
            self.changed.emit()
            return
        study = self._viewport.study
        self._job = self._background.start(
            partial(
                _draft,
                self._propose,
                bundle,
                self._archive.archive,
                picture,
                page.study,
                study,
                self._corrections(picture.series),
            ),
            partial(self._take, done, image_summary(picture)),
            title="Drafting the report",
            key="draft",
            lane=Lane.MODEL,
            urgent=True,
            cancelled=self._end,
            failed=self._end,
        )
        self.changed.emit()

    def _take(self, done: Callable[[Draft, str], None], frame: str, proposed: Draft) -> None:
        self._job = None
        done(proposed, frame)

    def _end(self, error: BaseException | None = None) -> None:
        self._job = None
        self.changed.emit()


def _draft(
    propose: Callable[..., Draft],
    bundle: Bundle,
    archive: Archive | None,
    picture: ScreenPicture,
    page: str,
    study: Study | None,
    corrections: Mapping[FactKind, str],
    progress: Progress,
    cancelled: IsCancelled,
) -> Draft:
    """Other cases of the same patient are not evidence: `patient` excludes them. The facts are those of the chips."""
    pictures = renditions(picture.pixels, picture.series.body_part)
    header = NO_FACTS if study is None else facts_of_frame(study, picture.series, picture.ref)
    return propose(
        bundle,
        archive,
        pictures,
        facts=corrected(first_of(header, bundle.facts_of_image(pictures[0])), corrections),
        body_part=picture.series.body_part,
        exclude_study=page,
        patient=study.patient.id or None if study else None,
        cancelled=cancelled,
    )
