"""Puts measurements, key images and words of other reports into the report on screen. Knows no widgets."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject

from desktop.background import Background
from desktop.state.formatting import format_date
from desktop.state.measure.measurements import MeasurementsState, state_of
from desktop.state.report.checking import CheckingState
from desktop.state.report.report import ReportState
from desktop.state.similar.search import SearchState
from desktop.state.studies.studies import StudiesState
from desktop.state.viewer.annotations import plane_text
from desktop.state.viewer.key_images import KeyImagesState, key_of
from desktop.state.viewer.viewport import ViewportState
from engine.dicom.identity import others_of_patient
from engine.errors import UserError
from engine.image.mpr import is_plane
from engine.measure.measurements import Measurement, read
from engine.measure.readings import phrase
from engine.reports.document import Document
from engine.reports.insertion import linked, replaced, taken_over
from engine.reports.links import Link
from engine.reports.stored_report import StoredReport
from engine.study import FrameRef, Series, Study
from engine.text.sentences import sentences

NOT_ON_SCREEN = "Show the image of this measurement to update it in the report."
NO_EARLIER_STUDY = "No open study of this patient is known to be earlier than this one. Open the earlier study."
NO_TEXT = "This arrow has no text to insert. Write one, or deselect the arrow to insert the image instead."
NO_PRIOR_REPORT = "The earlier study has no report in Kindred."


class InsertingState(QObject):
    """Everything goes to where the user last was in the text, or to its end."""

    def __init__(
        self,
        background: Background,
        report: ReportState,
        checking: CheckingState,
        studies: StudiesState,
        viewport: ViewportState,
        measurements: MeasurementsState,
        key_images: KeyImagesState,
        search: SearchState,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._report, self._studies, self._viewport = background, report, studies, viewport
        self._measurements, self._key_images, self._search = measurements, key_images, search
        checking.updating.connect(self.update)

    # -- measurements and key images

    def can_insert(self) -> bool:
        """Whether the image on screen is of the study of a report that can be changed."""
        page, picture, study = self._report.page, self._viewport.picture, self._viewport.study
        return (
            page is not None
            and not page.closed
            and picture is not None
            and study is not None
            and study.uid == page.study
            and (self._selected() is not None or self._key_images.can_mark())
        )

    def insert(self) -> None:
        """Put in the selected measurement or annotation, else the image on screen, which becomes a key image.

        Raises:
            UserError: the selected arrow has no text.
        """
        if not self.can_insert():
            return
        item = self._selected()
        if item is not None:
            if item.figure.annotation and not item.text:
                raise UserError(NO_TEXT)
            self._put(self._words(item), Link(0, 0, "measurement", item.id, state=state_of(item)))
            return
        picture = self._viewport.picture
        assert picture is not None
        if not self._key_images.shown_is_key:
            self._key_images.toggle()
        uid, frame = key_of(picture.ref)
        self._put(f"({self._image(picture.ref) or 'key image'})", Link(0, 0, "image", f"{uid}#{frame}"))

    def with_measurements(self, document: Document, at: int) -> Document:
        """With every measurement of the images on screen at a position, each linked."""
        shown = self._measurements.on(self._viewport)
        items = [one for one in shown if one.is_complete and not one.figure.annotation]
        for item in items:
            link = Link(0, 0, "measurement", item.id, state=state_of(item))
            words = self._words(item) + ("" if item is items[-1] else ";")
            document, at = linked(document, at, words, link)
        return document

    def update(self, number: int) -> None:
        """Replace the words of a measurement in the text by what it is now.

        Raises:
            UserError: it is on an image that is not on screen.
        """
        page = self._report.page
        if page is None or page.closed or number >= len(page.document.links):
            return
        link = page.document.links[number]
        item = next((one for one in self._measurements.of_study() if one.id == link.target), None)
        self._measurements.go_to(link.target)
        if item is None or self._viewport.picture is None or not item.belongs_to(self._viewport.picture.ref):
            raise UserError(NOT_ON_SCREEN)
        self._report.change(replaced(page.document, number, self._words(item), state_of(item)))

    def _selected(self) -> Measurement | None:
        """The selected measurement on the image on screen."""
        shown = self._measurements.on(self._viewport)
        return next((one for one in shown if one.id == self._measurements.selected and one.is_complete), None)

    def _words(self, item: Measurement) -> str:
        """Such as "length 23.0 mm, image 14/60"; of an annotation its text instead of the numbers."""
        picture = self._viewport.picture
        assert picture is not None
        if item.figure.annotation:
            return ", ".join(part for part in (item.text, self._image(picture.ref)) if part)
        label = item.figure.label
        name = label if label.startswith("Cobb") else label[0].lower() + label[1:]
        value = phrase(read(item, picture.ref, picture.pixels))
        return ", ".join(part for part in (f"{name} {value}".strip(), self._image(picture.ref)) if part)

    def _image(self, ref: FrameRef) -> str:
        """Number of the image among those of its series, with the series if the study has several.

        Of a plane of MPR what kind of slab it is, on which values depend; "" for a single plane.
        """
        study, series = self._viewport.study, self._viewport.series
        if study is None or series is None:
            return ""
        if is_plane(ref):
            return plane_text(series, ref).replace(" · ", " ") if ref.thickness is not None else ""
        return image_words(study, series, self._viewport.index)

    def _put(self, words: str, link: Link) -> None:
        page = self._report.page
        assert page is not None
        document, end = linked(page.document, page.position, words, link)
        self._report.change(document)
        page.cursor = end

    # -- words of other reports

    def can_take_over(self) -> bool:
        """Whether the selected case has a report, and there is a report of one's own that can be changed."""
        page, case = self._report.page, self._search.selected_case.case
        return page is not None and not page.closed and case is not None and case.report is not None

    def take_over(self, words: str = "") -> None:
        """Put in words of the selected case, marked with it; its whole report if none are given."""
        case, archive = self._search.selected_case.case, self._search.selected_case.archive_name
        if self.can_take_over() and case is not None and case.report is not None:
            hit = self._search.selected_case.hit
            source = f"case {case.case_id}{f' in {archive}' if archive else ''}"
            source += " of this patient" if hit is not None and hit.prior else ""
            self._take_over(words or case.report.text, source, case.case_id)

    def can_insert_from_prior(self) -> bool:
        """Whether a report can be changed and another study of its patient is open, whether it is earlier or not."""
        page, own = self._report.page, self._studies.study
        if page is None or page.closed or own is None:
            return False
        return bool(others_of_patient(own, self._studies.studies))

    def earlier_studies(self) -> list[Study]:
        """The open studies of the patient that are known to be earlier than the selected one, the latest first."""
        own = self._studies.study
        if own is None:
            return []
        before = [study for study in others_of_patient(own, self._studies.studies) if study.is_before(own)]
        return sorted(before, key=lambda study: (study.date, study.time), reverse=True)

    def required_earlier_studies(self) -> list[Study]:
        """The same, at least one.

        Raises:
            UserError: none is open.
        """
        found = self.earlier_studies()
        if not found:
            raise UserError(NO_EARLIER_STUDY)
        return found

    def prior_dates(self) -> list[str]:
        """Dates of the earlier open studies, the latest first."""
        return [format_date(study.date) for study in self.earlier_studies()]

    def read_prior(self, study: Study, done: Callable[[list[str]], None]) -> None:
        """Pass the sentences of the report of an earlier study to `done`."""
        self._report.read(study.uid, partial(self._take_prior, study, done))

    def _take_prior(self, study: Study, done: Callable[[list[str]], None], stored: StoredReport | None) -> None:
        if study not in self.earlier_studies():  # another study was selected meanwhile
            return
        found = sentences(stored.full_text) if stored is not None else []
        if found:
            done(found)
        else:
            self._background.problem.emit(UserError(NO_PRIOR_REPORT))

    def take_over_prior(self, study: Study, words: str) -> None:
        """Put in words of the report of an earlier study, marked with its date; nothing if it is not that any more."""
        if study not in self.earlier_studies():
            return
        self._take_over(words, f"the study of {format_date(study.date) or 'unknown date'}")

    def _take_over(self, words: str, source: str, case_id: int | None = None) -> None:
        page = self._report.page
        if page is None or page.closed:
            return
        document, end = taken_over(page.document, page.position, sentences(words), source, case_id)
        self._report.change(document)
        page.cursor = end


def image_words(study: Study, series: Series, index: int) -> str:
    """Such as "image 14/60", or "series 3, image 14/60" in a study of several series; "" for the only image."""
    several = len(study.series) > 1 and series.number is not None
    parts = (f"series {series.number}" if several else "", f"image {index + 1}/{len(series.frames)}")
    return ", ".join(part for part in parts[: 1 if len(series.frames) == 1 else 2] if part)
