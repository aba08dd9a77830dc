"""Deletes the selected case, or all cases of its patient, in the background. Knows no widgets."""

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.search import SearchState
from engine.archive import Archive
from engine.errors import UserError
from engine.progress import IsCancelled, Progress
from engine.text.words import counted

SHOWN = 5
"""Case ids that the question names."""


class DeletionState(QObject):
    """Asks first, then deletes; what is deleted leaves the hits."""

    asked = Signal(str)
    """A question for the user; `confirm` answers yes."""
    message = Signal(str)
    """One sentence for the user."""

    def __init__(
        self, background: Background, archive: ArchiveState, search: SearchState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background, self._archive, self._search = background, archive, search
        self._asked: tuple[Archive, list[int]] | None = None

    @property
    def possible(self) -> bool:
        """Whether a case is selected in an archive that can be changed now."""
        state = self._archive
        busy = state.importing is not None or state.reindexing is not None
        return self._search.selected is not None and state.archive is not None and not busy

    def ask(self, whole_patient: bool = False) -> None:
        """Find out what would be deleted and ask; nothing happens without a selected case."""
        archive, hit = self._archive.archive, self._search.selected
        if archive is None or hit is None:
            return
        case_id = hit.case_id
        self._background.start(
            lambda _progress, _cancelled: (
                archive,
                archive.cases_of_same_patient(case_id) if whole_patient else [case_id],
            ),
            self._ask,
            key="deletion",
        )

    def confirm(self) -> None:
        """Delete what was asked about."""
        if self._asked is None:
            return
        archive, cases = self._asked
        self._asked = None

        def work(progress: Progress, cancelled: IsCancelled) -> tuple[list[int], UserError | None]:
            try:
                archive.delete(cases)
            except UserError as error:
                gone = [case for case in cases if archive.case_ids(1, after=case - 1) != [case]]
                if not gone:
                    raise
                return gone, error  # the cases are gone, but not all traces of them
            return cases, None

        title = f"Deleting {counted(len(cases), 'case')}"
        self._background.start(work, self._take, title=title, lane=Lane.LONG)

    def _ask(self, found: tuple[Archive, list[int]]) -> None:
        self._asked = found
        archive, cases = found
        ids = ", ".join([*map(str, cases[:SHOWN]), *["..."][: len(cases) > SHOWN]])
        self.asked.emit(
            f"Delete {counted(len(cases), 'case')} ({ids}) from {archive.folder.name}? "
            "Nothing of them stays in the files of the archive. This cannot be undone."
        )

    def _take(self, deleted: tuple[list[int], UserError | None]) -> None:
        cases, error = deleted
        self._search.forget(cases)
        self._archive.refresh()
        if error is None:
            self.message.emit(f"{counted(len(cases), 'case')} deleted.")
        else:
            self._background.problem.emit(error)
