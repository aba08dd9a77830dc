"""Signed reports on their way into the open archive, and what to tell about it. Knows no widgets and no pages."""

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.similar.archive import ArchiveState
from engine.errors import UserError
from engine.reports.outbox import ArchivedReport, OutboxResult, archive_waiting
from engine.reports.workspace import Workspace
from engine.text.deidentify import WARNING


class OutboxState(QObject):
    """Sends what waits whenever there are an archive and models to send it with; one delivery at a time."""

    delivered = Signal(object)
    """A Delivery: some reports may have been archived."""
    message = Signal(str)
    """One sentence for the reader."""

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
        """Use this store from now on; what waits in it from an earlier day is sent when it can be."""
        self._workspace = workspace
        self._on_archive()

    def close(self) -> None:
        self._workspace = None

    def _on_archive(self) -> None:
        """Try once with each archive and each bundle: `changed` also comes when cases are counted again."""
        now = (self._archive.archive, self._archive.bundle)
        if None not in now and self._workspace is not None and now != self._tried:
            self._tried = now
            self.send()

    def send(self) -> None:
        """Archive what waits, in the background; without an archive or models it goes on waiting."""
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
            problem = f"A signed report is kept on this computer, but not archived yet. {reason}"
            self._background.problem.emit(UserError(problem, other))
        self.delivered.emit(delivery)

    def _end(self, error: BaseException | None = None) -> None:
        self._sending = False
        if self._again:
            self.send()

    def _sentence(self, delivery: OutboxResult) -> str:
        """What was archived; the warning about de-identification comes with the first one only."""
        warning = "" if self._warned else " " + WARNING
        self._warned = True
        if len(delivery.archived) == 1:
            return f"Signed report archived as {describe(delivery.archived[0], delivery.archive)}.{warning}"
        return f"{len(delivery.archived)} signed reports that waited were archived in {delivery.archive}.{warning}"


def describe(sent: ArchivedReport, archive: str) -> str:
    """Which case of which archive, with what."""
    count = sent.removed
    picture = ", with its image" if sent.with_image else ""
    removed = f"; {count} identifier{'' if count == 1 else 's'} removed" if count else ""
    known = " (the study was there already)" if sent.already_archived else ""
    return f"case {sent.case_id} of {archive}{known}{picture}{removed}"
