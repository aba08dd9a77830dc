"""Adds signed reports to the open archive and reports the outcome. Knows no widgets and no report text on screen."""

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.similar.archive import ArchiveState
from engine.errors import UnreachableError, UserError
from engine.reports.outbox import ArchivedReport, OutboxResult, archive_waiting
from engine.reports.workspace import Workspace
from engine.text.deidentify import WARNING
from engine.text.words import counted

RETRY = 30_000
"""Milliseconds until a server that was away is tried again."""


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
        self._waits = False
        """Reports wait for a server that is away."""
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.timeout.connect(self.send)
        archive.changed.connect(self._on_archive)

    def open(self, workspace: Workspace) -> None:
        """Use this workspace, and deliver the reports waiting in it as soon as possible."""
        self._workspace = workspace
        self._on_archive()

    def close(self) -> None:
        """Stop using the workspace."""
        self._retry.stop()
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
        if any(map(_is_away, delivery.refused)):
            self._wait(delivery)
        else:
            self._waits = False
        for reason, other in dict.fromkeys((str(one), one.other) for one in delivery.refused if not _is_away(one)):
            problem = f"A signed report is stored on this computer but could not be archived. {reason}"
            self._background.problem.emit(UserError(problem, other))
        self.delivered.emit(delivery)

    def _wait(self, delivery: OutboxResult) -> None:
        """Try again by and by while the server of the archive is away; told once until it is back."""
        if not self._waits:
            self._waits = True
            number = sum(map(_is_away, delivery.refused))
            one = number == 1
            self._background.problem.emit(
                UserError(
                    f"{counted(number, 'signed report')} {'is' if one else 'are'} stored on this computer: the archive "
                    f"{delivery.archive} cannot be reached. {'It is' if one else 'They are'} archived as soon as it "
                    "answers."
                )
            )
        self._retry.start(RETRY)

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


def _is_away(error: UserError) -> bool:
    return isinstance(error, UnreachableError)


def case_summary(sent: ArchivedReport, archive: str) -> str:
    """The case of a report, and what was stored with it."""
    image = ", with its image" if sent.with_image else ""
    removed = f"; {counted(sent.removed, 'identifier')} removed" if sent.removed else ""
    known = " (study already archived)" if sent.already_archived else ""
    return f"case {sent.case_id} in {archive}{known}{image}{removed}"
