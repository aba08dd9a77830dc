"""The picture of the shared space around the query of the hits. Made only while it is shown; knows no widgets."""

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.similar.comparison import ComparisonState
from desktop.state.similar.search import SearchState
from engine.retrieval.around import around
from engine.retrieval.space import Dot


class SpaceState(QObject):
    """The dots of the hits and of other cases; a newer search supersedes them."""

    changed = Signal()

    def __init__(
        self, background: Background, search: SearchState, comparison: ComparisonState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background, self._search, self._comparison = background, search, comparison
        self.visible = False
        self.dots: list[Dot] = []
        search.hits_changed.connect(self._on_hits)
        search.selection_changed.connect(self.changed)

    @property
    def why_empty(self) -> str:
        """Why there is no picture; "" when there is one, or it is being made."""
        asked = self._search.question
        if asked is None or not self._search.hits:
            return "Search first: the map shows the hits around the query."
        return "" if asked.embedded is not None else "Exact words have no map; search by meaning."

    @property
    def selected(self) -> int | None:
        """The case of the selected hit."""
        return self._search.selected.case_id if self._search.selected else None

    def toggle(self) -> None:
        """Show the picture, or the list again."""
        self.visible = not self.visible
        self._on_hits()

    def describe(self, dot: Dot) -> str:
        """What a dot is, in one line."""
        hit = next((hit for hit in self._search.hits if hit.case_id == dot.case_id), None)
        if hit is None:
            return f"Case {dot.case_id}: not among the hits"
        word = self._search.strengths[self._search.hits.index(hit)].word.lower()
        about = ", ".join(part for part in (hit.kind, hit.modality, word) if part)
        return f"Case {dot.case_id} ({about}): {' '.join(hit.text.split())[:120] or 'No report'}"

    def choose(self, dot: Dot) -> None:
        """Select the hit of a dot; another case is shown beside the current image."""
        hit = next((hit for hit in self._search.hits if hit.case_id == dot.case_id), None)
        if hit is None:
            self._comparison.show_case(dot.case_id)
        else:
            self._search.select(hit)

    def open(self, dot: Dot) -> None:
        """Show the case of a dot beside the current image."""
        self.choose(dot)
        if dot.hit:
            self._comparison.start()

    def _on_hits(self) -> None:
        asked = self._search.question
        self.dots = []
        self._background.drop("space")
        if self.visible and asked is not None and asked.embedded is not None:
            share, fused = asked.form.text_share, asked.form.mode == "hybrid"
            self._background.start(
                as_work(around, asked.archive, asked.bundle, asked.embedded, share, list(self._search.hits), fused),
                self._take,
                key="space",
                lane=Lane.THUMBNAIL,
                urgent=True,
            )
        self.changed.emit()

    def _take(self, dots: list[Dot]) -> None:
        self.dots = dots
        self.changed.emit()
