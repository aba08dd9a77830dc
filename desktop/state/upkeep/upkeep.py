"""The states of the Archive screen. Makes them, and does nothing else."""

from PySide6.QtCore import QObject

from desktop.background import Background
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.search import SearchState
from desktop.state.upkeep.duplicates import DuplicatesState
from desktop.state.upkeep.importing import ImportingState
from desktop.state.upkeep.maintenance import MaintenanceState
from desktop.state.upkeep.statistics import StatisticsState


class Upkeep(QObject):
    """What an archive needs besides being searched."""

    def __init__(
        self, background: Background, archive: ArchiveState, search: SearchState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.importing = ImportingState(background, archive, parent=self)
        self.statistics = StatisticsState(background, archive, self)
        self.maintenance = MaintenanceState(background, archive, self)
        self.duplicates = DuplicatesState(background, archive, search, self)
