"""The hits of a search, their thumbnails, and the selected one with its case. Knows no widgets and asks nothing."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from desktop.background import Background
from desktop.state.pictures.picture import Image
from desktop.state.similar.hit_thumbnails import HitThumbnails
from desktop.state.similar.selected_case import SelectedCase
from engine.archive import Archive
from engine.retrieval.hit import Hit
from engine.retrieval.strength import Strength, strengths


class HitsState(QObject):
    """One list of hits of one archive."""

    hits_changed = Signal()
    selection_changed = Signal()
    thumbnail_changed = Signal(int)
    """Of this image id."""

    def __init__(
        self, background: Background, patient_data_visible: Callable[[], bool], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.hits: list[Hit] = []
        """Priors of the patient first, the newest study first; then the others, best first."""
        self.prior_count = 0
        """How many of the hits are priors."""
        self.strengths: list[Strength] = []
        """Of each hit."""
        self.selected: Hit | None = None
        self.selected_case = SelectedCase(background, patient_data_visible, self)
        """The case of the selected hit."""
        self._thumbnails = HitThumbnails(background, self)
        self._thumbnails.changed.connect(self.thumbnail_changed)
        self._source: Archive | None = None
        """The archive that the hits came from."""

    def caption(self, row: int) -> str:
        """The heading above a row; "" for none. Only a list with priors has headings."""
        if not self.prior_count or row not in (0, self.prior_count):
            return ""
        return "Other patients" if row else "Priors of this patient, newest first"

    def select(self, hit: Hit | None) -> None:
        """Select a hit and read its case."""
        if hit is not self.selected:
            self.selected = hit
            self.selected_case.show(self._source, hit)
            self.selection_changed.emit()

    def select_next(self, by: int) -> None:
        """Select the hit `by` rows further down, or the first or last one."""
        if self.hits:
            row = self.hits.index(self.selected) if self.selected in self.hits else 0
            self.select(self.hits[min(max(0, row + by), len(self.hits) - 1)])

    def thumbnail(self, hit: Hit) -> Image | None:
        """The thumbnail of a hit; None for a report only, and until it is read."""
        return self._thumbnails.get(hit.image_id)

    def _use(self, archive: Archive | None) -> None:
        self._source = archive
        self._thumbnails.use(archive)

    def _show_hits(self, priors: Sequence[Hit], others: Sequence[Hit], fused: bool = False) -> None:
        """Replace the hits; `fused` says that ranks were fused, so that scores have no scale."""
        self.hits, self.prior_count = [*priors, *others], len(priors)
        self.strengths = strengths(self.hits, fused)
        self.hits_changed.emit()
