"""Finds the prior of the current series, among the open studies or else in the archive, and shows it beside it.

Knows no widgets and no ranking.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.comparison import ComparisonState
from desktop.state.studies.priors import contradicts, facts_of_series, first_index, priors_of
from desktop.state.studies.studies import StudiesState
from desktop.state.viewer.layout import LayoutState
from engine.archive import Archive
from engine.facts.fact import Facts
from engine.study import Series, Study

NONE = "No prior of this patient with the same modality and region is open or in the archive."


class PriorState(QObject):
    """One prior at a time; asking again shows the one before it."""

    message = Signal(str)

    def __init__(
        self,
        background: Background,
        studies: StudiesState,
        layout: LayoutState,
        archive: ArchiveState,
        comparison: ComparisonState,
        show: Callable[[Study, Series, int], None],
        parent: QObject | None = None,
    ) -> None:
        """`show` hangs a series from one of its frames beside the current image."""
        super().__init__(parent)
        self._background, self._studies, self._layout = background, studies, layout
        self._archive, self._comparison, self._show = archive, comparison, show

    @property
    def possible(self) -> bool:
        """Whether there is a current series of a known patient."""
        study = self._layout.of_study.study
        return study is not None and bool(study.patient.id or study.patient.name)

    def start(self) -> None:
        """Show the latest prior, or the one before the prior that is shown; after the earliest, the latest again."""
        current = self._layout.of_study
        study, series = current.study, current.series
        if study is None or series is None:
            return
        open_priors = priors_of(study, series, self._studies.studies)
        if open_priors:
            shown = [viewport.series for viewport in self._layout.viewports if viewport is not current]
            place = next((number for number, (_, one) in enumerate(open_priors) if one in shown), -1)
            prior_study, prior = open_priors[(place + 1) % len(open_priors)]
            self._show(prior_study, prior, first_index(series, current.index, prior))
            return
        archive = self._archive.archive
        if archive is None:
            self.message.emit(NONE)
            return
        self._background.start(
            as_work(_archived_priors, archive, study, facts_of_series(study, series)),
            self._take,
            key="prior",
            lane=Lane.THUMBNAIL,
            urgent=True,
        )

    def _take(self, cases: list[int]) -> None:
        if not cases:
            self.message.emit(NONE)
            return
        shown = self._comparison.case_id
        place = cases.index(shown) if shown in cases else -1
        self._comparison.show_case(cases[(place + 1) % len(cases)])


def _archived_priors(archive: Archive, study: Study, facts: Facts) -> list[int]:
    """The cases of the patient with images that do not contradict these facts and are not known to be later.

    The newest study first, unknown dates last.
    """
    found = []
    for case_id in archive.cases_before(study.uid, study.patient.id, study.date):
        case = archive.case(case_id)
        if case.images and not contradicts(facts, case.facts):
            found.append(case_id)
    return found
