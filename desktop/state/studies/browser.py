"""Rows of the study browser: patients, their studies, their series and documents. Pure functions; knows no widgets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from desktop.state.formatting import format_date, patient_facts, readable_name, series_title
from desktop.state.studies.studies import belongs, by_patient, identify, patient_of
from engine.dicom.documents.document import StudyDocument
from engine.study import Series, Study
from engine.text.words import counted


@dataclass(frozen=True, slots=True, eq=False)
class BrowserRow:
    """A patient, one of their studies, or one of its series or documents."""

    study: Study
    """For a patient's row, the first of their studies."""
    series: Series | None = None
    document: StudyDocument | None = None
    patient_studies: int = 0
    """Number of studies in a patient's row; 0 in other rows."""

    @property
    def series_id(self) -> str:
        """Id of the series; "" in other rows."""
        return identify(self.study, self.series)

    @property
    def name(self) -> tuple[str, ...]:
        """Identifies the row while more of it becomes known."""
        if self.document is not None:
            return ("document", self.document.key, "")
        return patient_of(self.study) if self.patient_studies else (self.study.uid, self.series_id)


def rows_of(studies: Sequence[Study], documents: Sequence[StudyDocument] = ()) -> list[BrowserRow]:
    """All rows, for studies ordered by patient. Documents whose study is not open have a study without series."""
    own: dict[str, list[StudyDocument]] = {}
    others: list[Study] = []
    for document in sorted(documents, key=lambda one: (one.number is None, one.number or 0, one.date, one.key)):
        study = next((one for one in (*studies, *others) if belongs(document, one)), None)
        if study is None:  # under a key of its own, since another patient may have the UID
            uid = document.study.uid
            study = replace(document.study, uid=f"{document.key} of {uid}", stated_uid=uid)
            others.append(study)
        own.setdefault(study.uid, []).append(document)
    studies = by_patient([*studies, *others]) if others else studies
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
        rows += [BrowserRow(study, document=document) for document in own.get(study.uid, ())]
    return rows


def row_text(row: BrowserRow, patient_data_visible: bool) -> tuple[str, str]:
    """Title and details of a row."""
    if row.patient_studies:
        facts = patient_facts(row.study.patient) if patient_data_visible else ""
        name = readable_name(row.study.patient.name) if patient_data_visible else "Patient data hidden"
        patient_id = row.study.patient.id if patient_data_visible else ""
        details = join_parts(facts, counted(row.patient_studies, "study", "studies"), patient_id)
        return name or "Unnamed patient", details
    if row.document is not None:
        kind = row.document.kind[0].upper() + row.document.kind[1:]
        title = row.document.title if patient_data_visible else ""
        return title or kind, join_parts(kind if title else "", format_date(row.document.date))
    if row.series is None:
        series = row.study.series
        kinds = ", ".join(dict.fromkeys(one.modality for one in series if one.modality))
        images = counted(sum(len(one.frames) for one in series), "image") if series else ""
        progress = " so far" if any(one.growing for one in series) else ""
        title = join_parts(format_date(row.study.date), row.study.description.strip())
        return title or "No study description", join_parts(
            kinds, counted(len(series), "series", "series") if series else "No images open", images + progress
        )
    series_ = row.series
    part = series_.body_part.capitalize() if series_.body_part and series_.description else ""
    images = counted(len(series_.frames), "image") + (" so far" if series_.growing else "")
    return series_title(series_), join_parts(series_.modality or "?", images, part)


def study_label(study: Study, active: Study | None, patient_data_visible: bool) -> str:
    """Label of a study in a list: the patient first, because the end may be cut off, then its description.

    While patient data is hidden, says only whether the patient is another one than that of the active study.
    """
    other = active is not None and patient_of(study) != patient_of(active)
    name = readable_name(study.patient.name) or study.patient.id if patient_data_visible else ""
    return join_parts(name or ("another patient" if other else ""), study.description.strip())


def join_parts(*parts: str) -> str:
    """The parts that are not empty, with dots between them."""
    return " · ".join(part for part in parts if part)
