"""The rows of the study browser: patients, their studies, their series. Pure functions; knows no widgets."""

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.state.formatting import format_date, patient_facts, readable_name, series_title
from desktop.state.studies.studies import identify, patient_of
from engine.study import Series, Study


@dataclass(frozen=True, slots=True, eq=False)
class BrowserRow:
    """A patient's heading, one of their studies, or a series of that."""

    study: Study
    """A patient's row carries the first of their studies."""
    series: Series | None = None
    patient_studies: int = 0
    """How many studies the patient of this row has; 0 where the row is no patient's."""

    @property
    def series_id(self) -> str:
        return identify(self.study, self.series)

    @property
    def name(self) -> tuple[str, ...]:
        """What stays the same while more of the row becomes known."""
        return patient_of(self.study) if self.patient_studies else (self.study.uid, self.series_id)


def rows_of(studies: Sequence[Study]) -> list[BrowserRow]:
    """All rows, for studies that stand by patient."""
    counts: dict[tuple[str, ...], int] = {}
    for study in studies:
        counts[patient_of(study)] = counts.get(patient_of(study), 0) + 1
    rows: list[BrowserRow] = []
    before: tuple[str, ...] = ()
    for study in studies:
        patient = patient_of(study)
        if patient != before:
            rows.append(BrowserRow(study, patient_studies=counts[patient]))
        before = patient
        rows.append(BrowserRow(study))
        rows += [BrowserRow(study, series) for series in study.series]
    return rows


def lines(row: BrowserRow, identity: bool) -> tuple[str, str]:
    """Title, and what is said about it; `identity`: whether the patient may be named."""
    if row.patient_studies:
        facts = patient_facts(row.study.patient) if identity else ""
        name = readable_name(row.study.patient.name) if identity else "Identity hidden"
        known_as = row.study.patient.id if identity else ""
        about = joined(facts, _counted(row.patient_studies, "study", "studies"), known_as)
        return name or "Unnamed patient", about
    if row.series is None:
        series = row.study.series
        kinds = ", ".join(dict.fromkeys(one.modality for one in series if one.modality))
        images = _counted(sum(len(one.frames) for one in series), "image", "images")
        reading = " so far" if any(one.growing for one in series) else ""
        title = joined(format_date(row.study.date), row.study.description.strip())
        return title or "Study without description", joined(
            kinds, _counted(len(series), "series", "series"), images + reading
        )
    series_ = row.series
    part = series_.body_part.capitalize() if series_.body_part and series_.description else ""
    images = _counted(len(series_.frames), "image", "images") + (" so far" if series_.growing else "")
    return series_title(series_), joined(series_.modality or "?", images, part)


def about_study(study: Study, beside: Study | None, identity: bool) -> str:
    """What tells a study from the others in a list: whose it is, which is what may not be cut, and its description.

    identity: whether the patient may be named; else it is said that it is another one than that of `beside`.
    """
    other = beside is not None and patient_of(study) != patient_of(beside)
    named = readable_name(study.patient.name) or study.patient.id if identity else ""
    return joined(named or ("another patient" if other else ""), study.description.strip())


def joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
