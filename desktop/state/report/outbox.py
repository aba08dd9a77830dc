"""Adds signed reports to the open archive and reports the outcome. Knows no widgets and no report text on screen."""

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.similar.archive import ArchiveState
from engine.errors import UserError
from engine.reports.outbox import ArchivedReport, OutboxResult, archive_waiting
from engine.reports.workspace import Workspace
from engine.text.deidentify import WARNING
from engine.text.words import counted


class OutboxState(QObject):
    """Delivers waiting reports whenever an archive and models are available; one delivery at a time."""

    delivered = Signal(object)
    """An OutboxResult."""
    message = Signal(str)
    """One sentence for the user."""

    def __init__(self, background: Background, archive: ArchiveState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background, self._archive = background, archive
        self._workspace: Workspace | None = None
        self._sending = False
        self._again = False
        self._warned = False
        self._tried: tuple[object, object] | None = None
        archive.changed.connect(self._on_archive)

    def open(self, workspace: Workspace) -> None:
        """Use this workspace, and deliver the reports waiting in it as soon as possible."""
        self._workspace = workspace
        self._on_archive()

    def close(self) -> None:
        """Stop using the workspace."""
        self._workspace = None

    def _on_archive(self) -> None:
        """Deliver once for each archive and bundle: `changed` is also emitted when only the counts changed."""
        now = (self._archive.archive, self._archive.bundle)
        if None not in now and self._workspace is not None and now != self._tried:
            self._tried = now
            self.send()

    def send(self) -> None:
        """Archive the waiting reports in the background; without an archive or models they keep waiting."""
        archive, bundle, workspace = self._archive.archive, self._archive.bundle, self._workspace
        if archive is None or bundle is None or workspace is None:
            return
        if self._sending:
            self._again = True
            return
        self._sending, self._again = True, False
        self._background.start(
            as_work(archive_waiting, workspace, archive, bundle),
            self._take,
            lane=Lane.MODEL,
            urgent=True,
            failed=self._end,
            cancelled=self._end,
        )

    def _take(self, delivery: OutboxResult) -> None:
        self._end()
        if delivery.archived:
            self.message.emit(self._sentence(delivery))
            self._archive.refresh()
        for reason, other in dict.fromkeys((str(refused), refused.other) for refused in delivery.refused):
            problem = f"A signed report is stored on this computer but could not be archived. {reason}"
            self._background.problem.emit(UserError(problem, other))
        self.delivered.emit(delivery)

    def _end(self, error: BaseException | None = None) -> None:
        self._sending = False
        if self._again:
            self.send()

    def _sentence(self, delivery: OutboxResult) -> str:
        """What was archived, with the warning about de-identification the first time only."""
        warning = "" if self._warned else " " + WARNING
        self._warned = True
        if len(delivery.archived) == 1:
            return f"Signed report archived as {case_summary(delivery.archived[0], delivery.archive)}.{warning}"
        return f"{len(delivery.archived)} signed reports were archived in {delivery.archive}.{warning}"


def case_summary(sent: ArchivedReport, archive: str) -> str:
    """The case of a report, and what was stored with it."""
    image = ", with its image" if sent.with_image else ""
    removed = f"; {counted(sent.removed, 'identifier')} removed" if sent.removed else ""
    known = " (study already archived)" if sent.already_archived else ""
    return f"case {sent.case_id} in {archive}{known}{image}{removed}"
