"""Deletes a case, or all cases of its patient, in the background. Knows no widgets."""

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
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
        return self._search.selected is not None and self.can_delete

    @property
    def can_delete(self) -> bool:
        """Whether the archive can be changed now."""
        state = self._archive
        idle = state.importing is None and state.reindexing is None
        return state.archive is not None and not state.why_no_change and idle

    def ask(self, whole_patient: bool = False) -> None:
        """Ask whether to delete the selected case; nothing happens without one."""
        if self._search.selected is not None:
            self.ask_about(self._search.selected.case_id, whole_patient)

    def ask_about(self, case_id: int, whole_patient: bool = False) -> None:
        """Find out what would be deleted and ask; a case that is not archived is a problem."""
        archive = self._archive.archive
        if archive is not None:
            self._background.start(as_work(_found, archive, case_id, whole_patient), self._ask, key="deletion")

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
            f"Delete {counted(len(cases), 'case')} ({ids}) from {archive.name}? "
            "Nothing of them stays in the files of the archive; backups of before may hold them. This cannot be undone."
        )

    def _take(self, deleted: tuple[list[int], UserError | None]) -> None:
        cases, error = deleted
        self._search.forget(cases)
        self._archive.refresh()
        if error is None:
            self.message.emit(f"{counted(len(cases), 'case')} deleted.")
        else:
            self._background.problem.emit(error)


def _found(archive: Archive, case_id: int, whole_patient: bool) -> tuple[Archive, list[int]]:
    """The archive, and the case or all cases of its patient. UserError when it has no such case."""
    return archive, archive.cases_of_same_patient(case_id) if whole_patient else [archive.case(case_id).case_id]
