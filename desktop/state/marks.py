"""Keeps what readers put on a study's images (key images, measurements) in the workspace. Knows not what they mean."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from PySide6.QtCore import QObject

from desktop.background import Background, Lane, as_work
from engine.reports.workspace import Workspace

OnLoaded = Callable[[list[Any]], None]


class MarksState(QObject):
    """Lists of plain values by study and kind. `save` only notes the list; it is written in the background.

    Nothing is overwritten unseen: while a list is being read, `save` does nothing, and who gets it joins and saves.
    """

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._workspace: Workspace | None = None
        self._waiting: list[tuple[str, str, OnLoaded]] = []
        self._unsaved: dict[tuple[str, str], list[Any]] = {}
        self._reading: set[tuple[str, str]] = set()
        self._failed: dict[tuple[str, str], OnLoaded] = {}
        """Who waits for a list that could not be read."""

    def open(self, workspace: Workspace) -> None:
        self._workspace = workspace
        for study, kind, done in self._waiting:
            self.load(study, kind, done)
        self._waiting.clear()
        for study, kind in list(self._unsaved):
            self._write(study, kind)

    def load(self, study: str, kind: str, done: OnLoaded) -> None:
        """`done` gets the list on the UI thread, as soon as the workspace is open; what was not written yet counts."""
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
                partial(self._take, study, kind, done),
                lane=Lane.STORE,
                failed=partial(self._unreadable, study, kind, done),
            )

    def _take(self, study: str, kind: str, done: OnLoaded, marks: list[Any]) -> None:
        self._reading.discard((study, kind))
        done(marks)

    def _unreadable(self, study: str, kind: str, done: OnLoaded, error: BaseException) -> None:
        """It is read again when there is something to keep, which is joined with what is there."""
        self._failed[study, kind] = done

    def save(self, study: str, kind: str, marks: list[Any]) -> None:
        """Keep this list in the place of the one before; a study without a UID has no place to keep it."""
        if (study, kind) in self._failed:
            self.load(study, kind, self._failed.pop((study, kind)))
        elif study and (study, kind) not in self._reading:
            self._unsaved[study, kind] = marks
            self._write(study, kind)

    def close(self) -> None:
        """Write what is not written yet; the workers must have ended, and the workspace still be open."""
        workspace, self._workspace = self._workspace, None
        unsaved, self._unsaved = self._unsaved, {}
        if workspace is not None:
            with ExitStack() as parts:  # what fails keeps nothing else from being kept
                for (study, kind), marks in unsaved.items():
                    parts.callback(workspace.save_marks, study, kind, marks)

    def _write(self, study: str, kind: str) -> None:
        if self._workspace is not None:
            marks = self._unsaved[study, kind]
            self._background.start(
                as_work(self._workspace.save_marks, study, kind, marks),
                partial(self._written, study, kind, marks),
                lane=Lane.STORE,
            )

    def _written(self, study: str, kind: str, marks: list[Any], _: None) -> None:
        if self._unsaved.get((study, kind)) is marks:
            del self._unsaved[study, kind]
