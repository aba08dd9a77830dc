"""What is asked before signing, and what is archived with a signature. Knows no widgets and no database."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

from desktop.state.pictures.picture import ScreenPicture
from desktop.state.report.report_page import ReportPage
from desktop.state.viewer.viewport import ViewportState
from engine.image.picture import to_gray
from engine.reports.checks.check import Check
from engine.reports.document import LOST, Document
from engine.reports.outbox import DisplayedFrame, submission_for
from engine.reports.stored_report import Submission
from engine.store.case import MOSTLY
from engine.study import Study
from engine.text.words import words

FINAL = "A signed report cannot be changed; it can get addenda."


@dataclass(frozen=True, slots=True)
class Question:
    """A report, or its addendum, as the user is asked to sign it."""

    page: ReportPage
    document: Document
    addendum: str
    """Its text; "" when the report itself is signed."""
    names: tuple[str, ...]
    """Names that may complete what is typed. None is filled in: it could be that of who read before."""
    checks: tuple[Check, ...] = ()
    """What is to be looked at before."""

    @classmethod
    def of(cls, page: ReportPage, names: tuple[str, ...], checks: tuple[Check, ...] = ()) -> Self:
        """About a page as it is now."""
        return cls(page, page.document, (page.addendum or "") if page.signed else "", names, checks)

    @property
    def blocked(self) -> bool:
        """Whether something has to be settled before signing."""
        return any(check.blocks for check in self.checks)

    @property
    def still_holds(self) -> bool:
        """Whether the page still has the text that was asked about."""
        now = (self.page.addendum or "") if self.page.signed else ""
        return self.page.document == self.document and now == self.addendum

    @property
    def title(self) -> str:
        """What is signed."""
        return "Sign addendum" if self.addendum else "Sign report"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know, one sentence each."""
        if self.addendum:
            return ("A signed addendum cannot be changed; another one can follow it.",)
        if self.document.lost:
            return (FINAL, f"{LOST} The archive will say so, and drafts will not be based on it.")
        total = len(words(self.document.text))
        share = self.document.machine_words / total if total else 0.0
        if share < MOSTLY:
            return (FINAL,)
        said = f"{100 * share:.0f} % of its words are unchanged machine wording."
        return (FINAL, f"{said} The archive will say so, and drafts will not be based on it.")


def submission_maker(page: str, study: Study | None, viewport: ViewportState) -> Callable[[], Submission] | None:
    """Makes what a report is archived with, on a worker; None when its study is no longer selected.

    Args:
        page: StudyInstanceUID of the report.
        study: the selected study.
        viewport: whose image is archived too, if it is of that study.
    """
    picture = viewport.picture
    if study is None or study.uid != page:
        return None
    if picture is None or viewport.study is not study:
        return partial(submission_for, study)
    return partial(_submission_with_image, study, picture)


def _submission_with_image(study: Study, picture: ScreenPicture) -> Submission:
    window = (picture.window.center, picture.window.width) if picture.window else None
    return submission_for(study, DisplayedFrame(picture.series, picture.ref, to_gray(picture.image()), window))
