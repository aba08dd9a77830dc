"""The states of the reports of all open studies, for the study browser. Knows no widgets and no text of a report."""

from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.report.report_page import ReportPage
from desktop.state.report.report_store import ReportStore
from desktop.state.studies.studies import StudiesState
from engine.reports.stored_report import Status
from engine.reports.workspace import Workspace


class ReportStatuses(QObject):
    """Read once for each open study, and kept up to date by what is saved, signed and archived here."""

    changed = Signal()

    def __init__(
        self, background: Background, store: ReportStore, studies: StudiesState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background, self._studies = background, studies
        self._read: Callable[[Collection[str]], dict[str, Status]] | None = None
        self._known: dict[str, Status] = {}
        store.opened.connect(self._open)
        for one in (store.loaded, store.saved):
            one.connect(self._take_page)
        studies.changed.connect(self._read_new)

    def of(self, study_uid: str) -> Status:
        """The state of the report of a study; "" for none, and until it is known."""
        return self._known.get(study_uid, "")

    def read_again(self) -> None:
        """Read the states of all open studies, after reports were archived."""
        self._start([study.uid for study in self._studies.studies])

    def _open(self, workspace: Workspace) -> None:
        self._read = workspace.statuses
        self._read_new()

    def _read_new(self) -> None:
        self._start([study.uid for study in self._studies.studies if study.uid not in self._known])

    def _start(self, studies: Sequence[str]) -> None:
        if studies and self._read is not None:
            self._background.start(
                as_work(self._read, studies),
                lambda found: self._add({uid: found.get(uid, "") for uid in studies}),
                lane=Lane.STORE,
            )

    def _take_page(self, page: ReportPage) -> None:
        self._add({page.study: page.stored.status if page.stored else ""})

    def _add(self, found: dict[str, Status]) -> None:
        if any(self._known.get(uid) != status for uid, status in found.items()):
            self._known |= found
            self.changed.emit()
