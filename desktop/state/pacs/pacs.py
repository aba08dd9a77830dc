"""The states of PACS: their addresses, and the priors that they have of the patient on screen."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from desktop.background import Background
from desktop.state.pacs.addresses import PacsAddressesState
from desktop.state.pacs.priors import PacsPriorsState
from desktop.state.studies.studies import StudiesState
from desktop.state.viewer.layout import LayoutState
from engine.study import Series, Study


class PacsStates(QObject):
    """Off until an address was added."""

    def __init__(
        self,
        background: Background,
        studies: StudiesState,
        layout: LayoutState,
        show: Callable[[Study, Series, int], None],
        folder: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        """See PacsPriorsState for the arguments."""
        super().__init__(parent)
        self.addresses = PacsAddressesState(
            background, lambda: {one.stated_uid or one.uid for one in studies.studies}, folder, self
        )
        self.priors = PacsPriorsState(background, self.addresses, studies, layout, show, folder, self)
