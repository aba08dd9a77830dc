"""Teaches the models the reports of the open archive, in the background. Knows no widgets and no training."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from desktop.background import Background, Job, Lane, as_work
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.reindexing import ReindexState
from desktop.state.upkeep.model import ModelState
from desktop.state.upkeep.while_shown import WhileShown
from engine.adapt.adapt import AdaptOptions, AdaptResult, Plan, adapt, plan, require_heads
from engine.adapt.compare import Comparison
from engine.adapt.table import rows
from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.progress import IsCancelled, Progress
from engine.resources import user_folder
from engine.text.words import counted

Row = tuple[str, str, str, str, str]
"""What, before, after, the difference with its interval, chance."""


@dataclass(frozen=True, slots=True)
class Taught:
    """What a teaching found."""

    rows: list[Row]
    against: list[str]
    """Reasons against the new models; they were not written."""
    folder: Path | None
    """Of the new models; None if they were refused."""


class TeachingState(WhileShown):
    """Says what teaching would take, does it, and keeps the result until the models change. Loads nothing by itself."""

    def __init__(
        self,
        background: Background,
        archive: ArchiveState,
        model: ModelState,
        reindex: ReindexState,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._archive, self._model, self._reindex = background, archive, model, reindex
        self._plan: Plan | None = None
        self._obstacle = ""
        self._to_index: Path | None = None
        self.job: Job | None = None
        """The running teaching."""
        self.taught: Taught | None = None
        archive.changed.connect(self._on_archive)

    @property
    def invitation(self) -> str:
        """What teaching would take, or why it is not possible; "" while that is not known."""
        if self._archive.archive is None:
            return "Open an archive with images and reports first."
        if self._plan is None:
            return self._obstacle
        pairs = counted(self._plan.learned + self._plan.held_out, "image")
        minutes = counted(self._plan.minutes, "minute")
        return f"Your archive holds {pairs} with reports. Teach Kindred your reports: about {minutes}."

    @property
    def possible(self) -> bool:
        """Whether teaching can start now."""
        return self._plan is not None and self.job is None and self._archive.bundle is not None

    @property
    def line(self) -> str:
        """What is being done, or what came of it."""
        if self.job is not None:
            if self.job.stopping:
                return "Cancelling…"
            total = f" {self.job.done:,} of {self.job.total:,}" if self.job.total else "…"
            return f"{self.job.what or 'Starting'}{total}"
        if self.taught is None:
            return ""
        if self.taught.against:
            return f"The taught models are not better and were not kept: {'; '.join(self.taught.against)}."
        if self.taught.folder is not None and self.taught.folder == self._model.folder:
            return "The taught models are in use."
        return "The taught models are better on patients that were held out. The models in use are unchanged."

    @property
    def rows(self) -> list[Row]:
        """Before and after: of the teaching just done, or of that which made the models in use."""
        if self.taught is not None:
            return self.taught.rows
        bundle = self._archive.bundle
        return stored_rows(bundle.manifest.get("adapted") or {}) if bundle else []

    @property
    def can_use(self) -> bool:
        """Whether taught models wait to be used."""
        folder = self.taught.folder if self.taught else None
        return folder is not None and folder != self._model.folder and self.job is None

    def start(self) -> None:
        """Teach the models in use the reports of the archive; nothing changes but a new folder, if they are better."""
        archive, bundle = self._archive.archive, self._archive.bundle
        if not self.possible or archive is None or bundle is None:
            return
        self.taught = None
        self.job = self._background.start(
            partial(_teach, archive, bundle, _free_folder(archive.name)),
            self._take,
            title="Teaching Kindred your reports",
            lane=Lane.LONG,
            failed=self._end,
            cancelled=self._end,
        )
        self.job.progressed.connect(self.changed)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop teaching; nothing is kept."""
        if self.job is not None:
            self._background.cancel(self.job)

    def use(self) -> None:
        """Change to the taught models, and re-index the archive with them."""
        if self.can_use and self.taught is not None and self.taught.folder is not None:
            self._to_index = self.taught.folder
            self._model.use(self._to_index)

    def _take(self, found: tuple[AdaptResult, Path]) -> None:
        result, folder = found
        folder_or_none = folder if result.written else None
        self.taught = Taught(rows(result.own, result.others), result.against, folder_or_none)
        self._end()

    def _end(self, error: BaseException | None = None) -> None:
        self.job = None
        self.changed.emit()

    def _on_archive(self) -> None:
        if self._to_index is not None and self._to_index == self._model.folder:
            self._to_index = None
            if not self._reindex.why_not():
                self._reindex.start()
        self._read()

    def _read(self) -> None:
        archive, bundle = self._archive.archive, self._archive.bundle
        if not self._shown or archive is None or bundle is None or self._archive.importing is not None:
            self.changed.emit()
            return
        self._background.start(as_work(_plan, archive, bundle), self._take_plan, key="teaching plan")

    def _take_plan(self, found: Plan | UserError) -> None:
        self._plan = found if isinstance(found, Plan) else None
        self._obstacle = "" if isinstance(found, Plan) else str(found)
        self.changed.emit()


def _plan(archive: Archive, bundle: Bundle) -> Plan | UserError:
    """What teaching would take, or why it is not possible, which is no failure."""
    try:
        require_heads(bundle)
        return plan(archive)
    except UserError as error:
        return error


def _teach(
    archive: Archive, bundle: Bundle, out: Path, progress: Progress, cancelled: IsCancelled
) -> tuple[AdaptResult, Path]:
    return adapt(archive, bundle, AdaptOptions(out), progress, cancelled), out


def _free_folder(name: str) -> Path:
    """A folder of the user for the models of this archive; no earlier ones are replaced, so that all ways lead back."""
    number = 1
    while (folder := user_folder() / "models" / f"{name}-taught-{number}").exists():
        number += 1
    return folder


def stored_rows(adapted: dict[str, Any]) -> list[Row]:
    """The rows of a manifest; none when it is of other models or damaged."""
    try:
        others = adapted.get("others")
        return rows(Comparison.from_dict(adapted["own"]), Comparison.from_dict(others) if others else None)
    except (AttributeError, LookupError, TypeError, ValueError):
        return []
