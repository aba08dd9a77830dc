"""The states of the Archive and Model screens, of backups and passphrases. Makes them, and passes errors to them."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from desktop.background import Background
from desktop.errors import Message
from desktop.state.settings import SettingsState
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.reindexing import ReindexState
from desktop.state.similar.search import SearchState
from desktop.state.upkeep.backups import BackupsState
from desktop.state.upkeep.duplicates import DuplicatesState
from desktop.state.upkeep.importing import ImportingState
from desktop.state.upkeep.maintenance import MaintenanceState
from desktop.state.upkeep.model import ModelState
from desktop.state.upkeep.opening import OpeningState
from desktop.state.upkeep.statistics import StatisticsState
from desktop.state.upkeep.teaching import TeachingState
from desktop.state.upkeep.unlocking import UnlockingState
from engine.errors import DamagedError, LockedError


class Upkeep(QObject):
    """What an archive and its models need besides being searched."""

    def __init__(
        self,
        background: Background,
        archive: ArchiveState,
        search: SearchState,
        reindex: ReindexState,
        settings: SettingsState,
        workspace: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.importing = ImportingState(background, archive, parent=self)
        self.statistics = StatisticsState(background, archive, self)
        self.maintenance = MaintenanceState(background, archive, self)
        self.duplicates = DuplicatesState(background, archive, search, self)
        self.backups = BackupsState(background, archive, workspace, self)
        self.opening = OpeningState(background, archive, settings, self)
        self.unlocking = UnlockingState(background, archive, workspace, self)
        self.model = ModelState(background, archive, settings, self)
        self.teaching = TeachingState(background, archive, self.model, reindex, self)

    def link(self, show: Callable[[Message], None], open_workspace: Callable[[], None]) -> None:
        """Connect what shows messages, and what opens the reports once they are unlocked."""
        self.backups.message.connect(show)
        self.unlocking.message.connect(show)
        self.opening.message.connect(show)
        self.unlocking.workspace_unlocked.connect(open_workspace)

    def help_with(self, error: BaseException) -> bool:
        """Offer what helps against an error; whether that takes the place of its message."""
        if isinstance(error, DamagedError):
            self.backups.offer(error)
        if isinstance(error, LockedError):
            self.unlocking.ask(error)
        return isinstance(error, LockedError)
