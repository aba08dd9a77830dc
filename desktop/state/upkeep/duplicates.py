"""Finds near-duplicate cases of the open archive and merges those that are chosen. Knows no widgets."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, Work
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.search import SearchState
from desktop.state.upkeep.maintenance import BUSY, NO_ARCHIVE
from engine.archive import Archive
from engine.errors import UserError
from engine.progress import IsCancelled, Progress
from engine.retrieval.case_text import case_line
from engine.retrieval.duplicates import DuplicateGroup, find_duplicates
from engine.text.words import counted

T = TypeVar("T")


class DuplicatesState(QObject):
    """The groups of the last search for near-duplicates."""

    changed = Signal()

    def __init__(
        self, background: Background, archive: ArchiveState, search: SearchState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background, self._archive, self._search = background, archive, search
        self._of: Archive | None = None
        self._groups: list[DuplicateGroup] = []
        self.running = False
        self.line = ""
        """What the last search or merging found."""
        archive.changed.connect(self._on_archive)

    @property
    def groups(self) -> list[tuple[str, list[str], bool]]:
        """Of each group a title, a line for each case and for what speaks against merging, and whether nothing does."""
        return [(group.title, _lines(group), not group.obstacle) for group in self._groups]

    def why_not(self) -> str:
        """Why duplicates can neither be looked for nor merged now; "" when they can."""
        state = self._archive
        if state.archive is None:
            return NO_ARCHIVE
        return BUSY if state.importing is not None or state.reindexing is not None or self.running else ""

    def find(self) -> None:
        """Look for near-duplicates."""
        archive = self._archive.archive
        if self.why_not() or archive is None:
            return
        self._start(partial(_find, archive), self._take_groups, "Looking for near-duplicates")

    def question(self, numbers: Sequence[int]) -> str:
        """What is asked before these groups are merged; "" when none of them can be."""
        possible = self._possible(numbers)
        cases = sum(len(group.cases) for group in possible)
        into = f"{counted(cases, 'case')} into {len(possible):,}"
        return f"Merge {into}? No image and no text is lost, but this cannot be undone." if possible else ""

    def merge(self, numbers: Sequence[int]) -> None:
        """Merge these groups, each into its first case, where nothing speaks against it."""
        archive, possible = self._of, self._possible(numbers)
        if self.why_not() or archive is None or archive is not self._archive.archive or not possible:
            return
        self._start(partial(_merge, archive, possible), self._take_merged, "Merging near-duplicates")

    def _possible(self, numbers: Sequence[int]) -> list[DuplicateGroup]:
        return [self._groups[number] for number in numbers if not self._groups[number].obstacle]

    def _start(self, work: Work[T], take: Callable[[T], None], doing: str) -> None:
        self.running, self.line = True, ""
        self._background.start(
            work,
            take,
            title=doing,
            lane=Lane.LONG,
            failed=self._end,
            cancelled=self._end,
            stopped=take,
        )
        self.changed.emit()

    def _take_groups(self, found: tuple[Archive, list[DuplicateGroup]]) -> None:
        self._of, self._groups = found
        cases = sum(len(group.cases) for group in self._groups)
        self.line = f"{counted(len(self._groups), 'group')} with {counted(cases, 'case')}."
        if not self._groups:
            self.line = "No near-duplicates found."
        self._end()

    def _take_merged(self, done: tuple[list[DuplicateGroup], list[int], list[str]]) -> None:
        merged, gone, problems = done
        self._groups = [group for group in self._groups if group not in merged]
        self.line = " ".join([f"{counted(len(merged), 'group')} merged.", *problems])
        self._end()
        self._search.forget(gone)
        self._archive.refresh()

    def _end(self, error: BaseException | None = None) -> None:
        self.running = False
        self.changed.emit()

    def _on_archive(self) -> None:
        if self._of is not None and self._of is not self._archive.archive:
            self._of, self._groups, self.line = None, [], ""
        self.changed.emit()


def _lines(group: DuplicateGroup) -> list[str]:
    cases = [case_line(case) for case in group.cases]
    return [*cases, f"Cannot be merged: {group.obstacle}."] if group.obstacle else cases


def _find(archive: Archive, progress: Progress, cancelled: IsCancelled) -> tuple[Archive, list[DuplicateGroup]]:
    return archive, find_duplicates(archive, progress, cancelled)


def _merge(
    archive: Archive, groups: Sequence[DuplicateGroup], progress: Progress, cancelled: IsCancelled
) -> tuple[list[DuplicateGroup], list[int], list[str]]:
    """The groups that were merged, the cases that are gone, and why others were not merged."""
    merged, gone, problems = [], [], []
    for done, group in enumerate(groups):
        if cancelled():
            break
        progress(done, len(groups), "Merging")
        try:
            kept = archive.merge(group.case_ids)
        except UserError as error:  # the next group is merged all the same
            problems.append(str(error))
        else:
            merged.append(group)
            gone += [case_id for case_id in group.case_ids if case_id != kept]
    return merged, gone, problems
