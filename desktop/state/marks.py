"""Saves marks on images (key images, measurements) in the workspace. Does not know what they mean."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from PySide6.QtCore import QObject

from desktop.background import Background, Lane, as_work
from engine.reports.workspace import Workspace

OnLoaded = Callable[[list[Any]], None]


class MarksState(QObject):
    """Lists of JSON values by study and kind, read and written in the background.

    No stored list is overwritten before it was read: while it is being read `save` does nothing, and the `done` of
    `load` has to merge the stored list with its own and save the result.
    """

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._workspace: Workspace | None = None
        self._waiting: list[tuple[str, str, OnLoaded]] = []
        self._unsaved: dict[tuple[str, str], list[Any]] = {}
        self._reading: set[tuple[str, str]] = set()
        self._failed: dict[tuple[str, str], OnLoaded] = {}
        """The `done` of lists that could not be read."""

    def open(self, workspace: Workspace) -> None:
        """Use this workspace: start the reads and writes that were waiting for it."""
        self._workspace = workspace
        for study, kind, done in self._waiting:
            self.load(study, kind, done)
        self._waiting.clear()
        for study, kind in list(self._unsaved):
            self._write(study, kind)

    def load(self, study: str, kind: str, done: OnLoaded) -> None:
        """Pass the list, written yet or not, to `done` on the UI thread, as soon as the workspace is open."""
        if (study, kind) in self._unsaved:
            done(self._unsaved[study, kind])
            return
        self._reading.add((study, kind))
        if self._workspace is None:
            self._waiting.append((study, kind, done))
        else:
            work = as_work(self._workspace.load_marks, study, kind)
            self._background.start(
                work,
                partial(self._take_loaded, study, kind, done),
                lane=Lane.STORE,
                failed=partial(self._fail_loading, study, kind, done),
            )

    def _take_loaded(self, study: str, kind: str, done: OnLoaded, marks: list[Any]) -> None:
        self._reading.discard((study, kind))
        done(marks)

    def _fail_loading(self, study: str, kind: str, done: OnLoaded, error: BaseException) -> None:
        """Remember to read the list again before anything is saved over it."""
        self._failed[study, kind] = done

    def save(self, study: str, kind: str, marks: list[Any]) -> None:
        """Replace the stored list; does nothing for a study without a UID."""
        if (study, kind) in self._failed:
            self.load(study, kind, self._failed.pop((study, kind)))
        elif study and (study, kind) not in self._reading:
            self._unsaved[study, kind] = marks
            self._write(study, kind)

    def close(self) -> None:
        """Write unsaved lists; the workers must have ended, and the workspace must still be open."""
        workspace, self._workspace = self._workspace, None
        unsaved, self._unsaved = self._unsaved, {}
        if workspace is not None:
            with ExitStack() as parts:  # one failure must not keep the other lists from being written
                for (study, kind), marks in unsaved.items():
                    parts.callback(workspace.save_marks, study, kind, marks)

    def _write(self, study: str, kind: str) -> None:
        if self._workspace is not None:
            marks = self._unsaved[study, kind]
            self._background.start(
                as_work(self._workspace.save_marks, study, kind, marks),
                partial(self._take_saved, study, kind, marks),
                lane=Lane.STORE,
            )

    def _take_saved(self, study: str, kind: str, marks: list[Any], _: None) -> None:
        if self._unsaved.get((study, kind)) is marks:
            del self._unsaved[study, kind]
