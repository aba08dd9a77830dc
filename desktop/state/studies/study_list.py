"""Which open studies the study browser lists, and in which order. Knows no widgets and no database."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from desktop.state.formatting import format_date, patient_facts, readable_name, series_title
from desktop.state.settings import SettingsState
from desktop.state.studies.browser import BrowserRow, rows_of
from desktop.state.studies.studies import StudiesState, by_patient, identify
from engine.study import Study
from engine.text.name_words import flat

ORDERS = {
    "opened": "Order of opening",
    "date": "Date, latest first",
    "name": "Patient name",
    "id": "Patient ID",
    "report": "Report, unsigned first",
}
"""What studies are sorted by, as settings store it, and as the screen says it; the first is the default."""
TO_DO = ("drafted", "edited", "", "waiting", "signed")
"""States of reports in the order of "report"; "" is none."""

StatusOf = Callable[[str], str]
"""State of the report of a Study Instance UID; "" for none."""


class StudyListState(QObject):
    """The rows of the study browser."""

    changed = Signal()

    def __init__(
        self,
        studies: StudiesState,
        settings: SettingsState,
        names_visible: Callable[[], bool],
        status_of: StatusOf,
        parent: QObject | None = None,
    ) -> None:
        """`names_visible` says whether patient data is shown: hidden data is not searched."""
        super().__init__(parent)
        self._studies, self._settings = studies, settings
        self._names_visible, self._status_of = names_visible, status_of
        self.typed = ""
        self.rows: list[BrowserRow] = []
        self._order = self.order
        studies.changed.connect(self.update)
        settings.changed.connect(self._on_settings)

    @property
    def order(self) -> str:
        """A key of ORDERS."""
        stored = self._settings.now.study_order
        return stored if stored in ORDERS else next(iter(ORDERS))

    def sort(self, order: str) -> None:
        """List the studies in another order, now and in later sessions."""
        self._settings.change(study_order=order)

    def search(self, typed: str) -> None:
        """List only what has each of these words."""
        if typed != self.typed:
            self.typed = typed
            self.update()

    @property
    def searching(self) -> bool:
        """Whether rows may be left out."""
        return bool(self.typed.strip())

    def update(self) -> None:
        """List again, after studies, states of reports or the visibility of patient data have changed."""
        studies = ordered(self._studies.studies, self.order, self._status_of)
        rows = rows_of(studies, tuple(self._studies.documents.values()))
        self.rows = matching(rows, self.typed, self._names_visible()) if self.searching else rows
        self.changed.emit()

    def step(self, by: int) -> None:
        """Select the next (1) or previous (-1) of the listed series; the first if that on screen is not listed."""
        every = [row.series_id for row in self.rows if row.series is not None]
        if every:
            selected = identify(self._studies.study, self._studies.series)
            here = every.index(selected) + by if selected in every else 0
            self._studies.select(every[min(len(every) - 1, max(0, here))])

    def counts(self) -> tuple[int, int]:
        """How many studies are listed, and how many are open."""
        return len({row.study.uid for row in self.rows}), len(self._studies.studies)

    def _on_settings(self) -> None:
        if self.order != self._order:
            self._order = self.order
            self.update()


def ordered(studies: Sequence[Study], order: str, status_of: StatusOf) -> list[Study]:
    """Studies by patient: the patients by the first of their studies in this order, which are the latest first."""
    keys: dict[str, Callable[[Study], object]] = {
        "date": lambda study: (study.date, study.time),
        "name": lambda study: (not study.patient.name, flat(readable_name(study.patient.name))),
        "id": lambda study: (not study.patient.id, flat(study.patient.id)),
        "report": lambda study: TO_DO.index(status_of(study.uid)),
    }
    if order not in keys:
        return list(studies)
    return by_patient(sorted(studies, key=keys[order], reverse=order == "date"))  # type: ignore[arg-type]


def matching(rows: Sequence[BrowserRow], typed: str, names: bool) -> list[BrowserRow]:
    """The rows that have each typed word, in themselves or in their headings, and the headings above them.

    Case and accents do not matter. Names, IDs and accession numbers are searched only with `names`.
    """
    words = flat(typed).split()
    found: list[BrowserRow] = []
    patient: BrowserRow | None = None
    study: BrowserRow | None = None
    for row in rows:
        if row.patient_studies:
            patient, study = row, None
            continue
        heading = row.series is None and row.document is None
        study = row if heading else study
        text = flat(f"{_heading(row.study, names)} {'' if heading else _own(row)}")
        if all(word in text for word in words):
            found += [above for above in (patient, study) if above is not None and above not in found]
            found += [] if heading else [row]
    return found


def _heading(study: Study, names: bool) -> str:
    patient = study.patient
    known = f"{readable_name(patient.name)} {patient.name} {patient.id} {patient_facts(patient)} {study.accession}"
    return f"{format_date(study.date)} {study.date} {study.description} {known if names else ''}"


def _own(row: BrowserRow) -> str:
    """What a series or document is found by."""
    if row.document is not None:
        return f"{row.document.kind} {row.document.title} {format_date(row.document.date)}"
    series = row.series
    return f"{series_title(series)} {series.modality} {series.body_part}" if series else ""
