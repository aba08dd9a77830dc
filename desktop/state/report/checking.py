"""The checks of the report on screen: what they are told, what they found, and settling it. Knows no widgets."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.coalesce import Coalescer
from desktop.state.measure.measurements import MeasurementsState
from desktop.state.report.report import ReportState
from desktop.state.similar.archive import ArchiveState
from desktop.state.studies.studies import StudiesState
from engine.archive import Archive
from engine.facts.fact import FactKind
from engine.reports.checks.check import Check, Known
from engine.reports.checks.known import known_of
from engine.reports.checks.run import checks
from engine.reports.document import Document
from engine.reports.insertion import confirmed
from engine.study import Series, Study

WAIT_MS = 400
"""Milliseconds from the first key until the checks are shown again."""


class CheckingState(QObject):
    """Checks the report of the selected study while it can be changed."""

    changed = Signal()
    updating = Signal(int)
    """The measurement of the link with this number is to be put in again."""

    def __init__(
        self,
        background: Background,
        report: ReportState,
        studies: StudiesState,
        archive: ArchiveState,
        measurements: MeasurementsState,
        corrections: Callable[[Series], Mapping[FactKind, str]] = lambda _: {},
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._report, self._studies, self._archive = background, report, studies, archive
        self._measurements, self._corrections = measurements, corrections
        self._archived: dict[str, bool] = {}
        """Whether a case of the patient is archived that may be earlier, by Study Instance UID; of the open archive."""
        self._asked: tuple[Archive | None, str] = (None, "")
        self._made: tuple[Document, Known, Mapping[str, str] | None, tuple[Check, ...]] | None = None
        self._shown: tuple[Check, ...] = ()
        self._soon = Coalescer(self.show, self, WAIT_MS)
        report.check = self.of
        for changed in (report.changed, report.page_changed, measurements.changed, archive.changed, studies.changed):
            changed.connect(self._soon.request)
        studies.selected.connect(self._ask_archive)
        archive.changed.connect(self._ask_archive)

    @property
    def checks(self) -> tuple[Check, ...]:
        """What is to be looked at in the report on screen; nothing in a signed one."""
        page = self._report.page
        return () if page is None or page.closed else self.of(page.document)

    @property
    def listed(self) -> tuple[Check, ...]:
        """The checks as the panel lists them: empty fields, which the text shows, are one line."""
        every = self.checks
        fields = [check for check in every if check.kind == "field"]
        if len(fields) < 2:
            return every
        message = f"{len(fields)} fields are to be filled."
        first = replace(fields[0], message=message, blocks=any(check.blocks for check in fields))
        return (*(check for check in every if check.kind != "field"), first)

    @property
    def known(self) -> Known:
        """What is known of the selected study."""
        study = self._studies.study
        if study is None:
            return Known()
        return known_of(study, self._studies.studies, self._archived.get(study.uid), self._corrections)

    def of(self, document: Document) -> tuple[Check, ...]:
        """What is to be looked at in a report of the selected study."""
        study, known = self._studies.study, self.known
        measured = self._measurements.states_of(study.uid) if study is not None else None
        if self._made is None or self._made[:3] != (document, known, measured):
            self._made = (document, known, measured, checks(document, known, measured))
        return self._made[3]

    def go_to(self, check: Check) -> None:
        """Select the place of a check in the text."""
        page = self._report.page
        if page is not None and check.span[1] <= len(page.text):
            self._report.editing.emit(*check.span)

    def settle(self, check: Check) -> None:
        """Confirm what was taken over, or update a measurement; nothing for a check that only editing settles."""
        page = self._report.page
        if page is None or page.closed or check not in self.checks:
            return
        if check.action == "confirm":
            self._report.change(confirmed(page.document, check.target))
        elif check.action == "update":
            self.updating.emit(check.target)

    def show(self) -> None:
        """Announce now what the checks found, if that is new, without waiting for a pause in typing."""
        now = self.checks
        if now != self._shown:
            self._shown = now
            self.changed.emit()

    def _ask_archive(self) -> None:
        """Ask the open archive in the background whether it has another case of the patient."""
        study, archive = self._studies.study, self._archive.archive
        if study is None or archive is None or self._asked == (archive, study.uid):
            if archive is None:
                self._archived.clear()
            return
        if archive is not self._asked[0]:
            self._archived.clear()
        self._asked = (archive, study.uid)
        self._background.start(
            as_work(_has_another, archive, study),
            partial(self._take_archived, archive, study.uid),
            key="earlier cases",
            lane=Lane.THUMBNAIL,
            shows_failure=True,
        )

    def _take_archived(self, archive: Archive, study: str, another: bool) -> None:
        if archive is self._archive.archive:
            self._archived[study] = another
            self._soon.request()


def _has_another(archive: Archive, study: Study) -> bool:
    """Whether the archive has another case of the patient that is not known to be later."""
    return bool(archive.cases_before(study.uid, study.patient.id, study.date))
