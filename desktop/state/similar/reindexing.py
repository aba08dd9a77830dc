"""Re-indexes the open archive with the current models, in the background. Knows no widgets and no embeddings."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.similar.archive import ArchiveState
from engine.archive import Archive
from engine.errors import UserError
from engine.importing.reindex import ReindexProgress, reindex, reindex_progress
from engine.text.words import counted


class ReindexState(QObject):
    """Offers to re-index once for each archive and models that do not match, and does it when asked.

    Until the last embedding is written, the archive is searched with the models it was indexed with, if they are on
    this computer.
    """

    offered = Signal(str)
    """One sentence for the user, with what to do."""
    message = Signal(str)
    """One sentence for the user."""

    def __init__(self, background: Background, archive: ArchiveState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background, self._archive = background, archive
        self._offered: tuple[str, str] | None = None
        archive.changed.connect(self._on_archive)

    def why_not(self) -> str:
        """Why the archive cannot be re-indexed now; "" when it can."""
        state = self._archive
        if not state.outdated:
            return "The archive is already indexed with the current models."
        if state.why_no_change:
            return state.why_no_change
        if state.reindexing is not None:
            return "The archive is being re-indexed. Wait until it is finished, or cancel it."
        return "An import is running. Wait until it is finished, or cancel it." if state.importing else ""

    def start(self) -> None:
        """Re-index the archive with the current models, continuing one that was cancelled.

        Raises:
            UserError: there is nothing to re-index, or an import or another re-indexing is running.
        """
        archive, bundle, reason = self._archive.archive, self._archive.current_bundle, self.why_not()
        if reason or archive is None or bundle is None:
            raise UserError(reason)
        self._archive.reindexing = self._background.start(
            partial(reindex, archive, bundle),
            self._take,
            title=f"Re-indexing {archive.name}",
            redacted_title="Re-indexing an archive",
            lane=Lane.LONG,
            failed=self._end,
            cancelled=self._end,
        )
        self._archive.changed.emit()

    def _on_archive(self) -> None:
        state = self._archive
        bundle = state.current_bundle
        if not state.outdated or state.archive is None or bundle is None or state.reindexing is not None:
            return
        if not state.stats.get("embeddings"):
            self.start()  # an empty archive is re-indexed at once
            return
        pair = (str(state.archive.place), bundle.id)
        if pair != self._offered:
            self._offered = pair
            self._background.start(as_work(_progress, state.archive, bundle.id), self._offer, key="reindex offer")

    def _offer(self, found: tuple[Archive, ReindexProgress]) -> None:
        archive, progress = found
        state = self._archive
        if archive is not state.archive or not state.outdated or state.reindexing is not None:
            return
        done = f" ({progress.done:,} done already)" if progress.done else ""
        self.offered.emit(
            f"{archive.name} was indexed with other models. To search it with the current ones, choose "
            f"Archive > Re-index archive with current models: {counted(progress.total, 'embedding')}{done}."
        )

    def _take(self, progress: ReindexProgress) -> None:
        self._archive.reindexing = None
        self._archive.refresh()
        if progress.complete and progress.total:
            self.message.emit(
                f"The archive was re-indexed with the current models: {counted(progress.total, 'embedding')}."
            )

    def _end(self, error: BaseException | None = None) -> None:
        """The embeddings written so far are kept for the next time."""
        self._archive.reindexing = None
        self._archive.refresh()
        self._archive.changed.emit()


def _progress(archive: Archive, bundle_id: str) -> tuple[Archive, ReindexProgress]:
    return archive, reindex_progress(archive, bundle_id)
