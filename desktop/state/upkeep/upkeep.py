"""The states of the Archive and Model screens. Makes them, and does nothing else."""

from pathlib import Path

from PySide6.QtCore import QObject

from desktop.background import Background
from desktop.state.settings import SettingsState
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.reindexing import ReindexState
from desktop.state.similar.search import SearchState
from desktop.state.upkeep.backups import BackupsState
from desktop.state.upkeep.duplicates import DuplicatesState
from desktop.state.upkeep.importing import ImportingState
from desktop.state.upkeep.maintenance import MaintenanceState
from desktop.state.upkeep.model import ModelState
from desktop.state.upkeep.statistics import StatisticsState
from desktop.state.upkeep.teaching import TeachingState


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
        self.model = ModelState(background, archive, settings, self)
        self.teaching = TeachingState(background, archive, self.model, reindex, self)
