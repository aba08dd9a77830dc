"""Moves the open archive to the models that were chosen, in the background. Knows no widgets and no vectors."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.similar.archive import ArchiveState
from engine.archive import Archive
from engine.errors import UserError
from engine.importing.reindex import ReindexProgress, reindex, reindex_progress


class ReindexState(QObject):
    """Offers the move once for each archive and model that do not fit, and does it when asked.

    Until the last vector is made the archive answers with its old models, if they are on this machine.
    """

    offered = Signal(str)
    """One sentence for the reader, with what to do."""
    message = Signal(str)
    """One sentence for the reader."""

    def __init__(self, background: Background, archive: ArchiveState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background, self._archive = background, archive
        self._offered: tuple[str, str] | None = None
        archive.changed.connect(self._look)

    def why_not(self) -> str:
        """What stands against a move; "" when nothing does."""
        state = self._archive
        if not state.outdated:
            return "The archive fits the models; there is nothing to move."
        if state.reindexing is not None:
            return "The archive is on its way to other models already; wait for it or stop it first."
        return "An import is running; wait for it or stop it first." if state.importing else ""

    def start(self) -> None:
        """Embed everything in the archive with the chosen models; goes on where an earlier move was stopped.

        Raises:
            UserError: there is nothing to move, or something else is under way.
        """
        archive, chosen, reason = self._archive.archive, self._archive.selected_bundle, self.why_not()
        if reason or archive is None or chosen is None:
            raise UserError(reason)
        self._archive.reindexing = self._background.start(
            partial(reindex, archive, chosen),
            self._take,
            title=f"Moving {archive.folder.name} to other models",
            redacted_title="Moving an archive to other models",
            lane=Lane.LONG,
            failed=self._stop,
            cancelled=self._stop,
        )
        self._archive.changed.emit()

    def _look(self) -> None:
        state = self._archive
        if not state.outdated or state.archive is None or state.selected_bundle is None or state.reindexing is not None:
            return
        if not state.stats.get("embeddings"):
            self.start()  # nothing to wait for
            return
        pair = (str(state.archive.folder), state.selected_bundle.id)
        if pair != self._offered:
            self._offered = pair
            self._background.start(
                as_work(_progress, state.archive, state.selected_bundle.id), self._offer, key="move offer"
            )

    def _offer(self, found: tuple[Archive, ReindexProgress]) -> None:
        archive, move = found
        if archive is not self._archive.archive or not self._archive.outdated:
            return
        begun = f" ({move.done:,} are made already)" if move.done else ""
        self.offered.emit(
            f"The vectors of {archive.folder.name} were made by other models than the ones in use. To search it with "
            f"these, move it (menu Archive): {move.total:,} vectors are made in the background{begun}."
        )

    def _take(self, move: ReindexProgress) -> None:
        self._archive.reindexing = None
        self._archive.refresh()
        if move.complete and move.total:
            self.message.emit(f"The archive was moved to the new models: {move.total:,} vectors.")

    def _stop(self, error: BaseException | None = None) -> None:
        """What was made so far is kept for the next time."""
        self._archive.reindexing = None
        self._archive.refresh()
        self._archive.changed.emit()


def _progress(archive: Archive, bundle_id: str) -> tuple[Archive, ReindexProgress]:
    return archive, reindex_progress(archive, bundle_id)
