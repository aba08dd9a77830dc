"""Searches the archive for similar cases and holds the hits. Knows no widgets and does no ranking."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job, Lane, as_work
from desktop.state.changes import ChangeNotifier
from desktop.state.pictures.picture import Image
from desktop.state.redaction import redacted
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.hit_thumbnails import HitThumbnails
from desktop.state.similar.query import AnsweredQuery, SearchForm, SearchRequest
from desktop.state.similar.selected_case import SelectedCase
from desktop.state.viewer.viewport import ViewportState
from engine.archive import Archive
from engine.errors import UserError
from engine.facts.fact import FactKind, Facts
from engine.facts.from_header import facts_of_frame
from engine.retrieval.hit import Hit
from engine.retrieval.search import SearchResult, search
from engine.study import Series


class SearchState(QObject):
    """One search at a time; a newer one supersedes it."""

    changed = Signal()
    """The form, the hits, or whether a search is running."""
    hits_changed = Signal()
    selection_changed = Signal()
    thumbnail_changed = Signal(int)
    """Of this image id."""

    def __init__(
        self,
        background: Background,
        archive: ArchiveState,
        viewport: ViewportState,
        ask: Callable[..., SearchResult] = search,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._archive, self._viewport, self._ask = background, archive, viewport, ask
        self.form = SearchForm()
        self.hits: list[Hit] = []
        self.answered: AnsweredQuery | None = None
        """What the hits answer; None before the first search and after a failed one."""
        self.facts: Facts = {}
        """What the hits were weighed by, with the corrections."""
        self._about = ""
        """The series of the image that the hits answer, or their text."""
        self._corrections: dict[str, dict[FactKind, str]] = {}
        """By what they are about."""
        self._whole_series = False
        """Whether the latest search asked a series as a whole."""
        self._error: BaseException | None = None
        self.notice = ""
        """A warning about the image that was searched with; "" for none."""
        self.selected: Hit | None = None
        self.selected_case = SelectedCase(background, lambda: viewport.patient_data_visible, self)
        """The case of the selected hit."""
        self._job: Job | None = None
        self._thumbnails = HitThumbnails(background, self)
        self._thumbnails.changed.connect(self.thumbnail_changed)
        self._searched: Archive | None = None
        """The archive of the latest search, which may still be running."""
        self._source: Archive | None = None
        """The archive that the hits came from."""
        archive.changed.connect(self._on_archive)
        viewport.redaction_changed.connect(self.changed)
        ChangeNotifier(viewport.picture_changed, self.changed, self._image_state, self)

    def _image_state(self) -> tuple[bool, bool]:
        """What the panel depends on; the image itself does not count, so that a scroll emits at most once."""
        return self._viewport.picture is not None, self.image_differs

    @property
    def failure(self) -> str:
        """Why the last search failed; "" when it did not."""
        return redacted(self._error, self._viewport.patient_data_visible)

    @property
    def corrections(self) -> dict[FactKind, str]:
        """What the user says of the query of the hits instead of header, text and models; "" removes a kind."""
        return self._corrections.get(self._about, {})

    def corrections_of(self, series: Series) -> Mapping[FactKind, str]:
        """What the user says of the images of a series instead of header and models; "" removes a kind."""
        return dict(self._corrections.get(series.key, {}))

    @property
    def searching(self) -> bool:
        """Whether a search is running."""
        return self._job is not None

    @property
    def image_differs(self) -> bool:
        """Whether the hits answer another image than the current one."""
        shown = self._viewport.picture
        return bool(self.answered and self.answered.ref and (shown is None or shown.ref != self.answered.ref))

    def set_form(self, form: SearchForm) -> None:
        """Take the values of the fields in the panel."""
        if form != self.form:
            self.form = form
            self.changed.emit()

    def why_not(self) -> str:
        """Why no search can start; "" when one can."""
        if self._archive.archive is None:
            return "Open an archive to search: menu Archive, or drop its folder here."
        if not self._archive.stats.get("cases", 0):
            return "The archive is empty. Import studies or reports first: menu Archive."
        if self._archive.bundle is None:
            return self._archive.bundle_failure or "The models are loading…"
        if not self.form.text.strip() and self._viewport.picture is None:
            return "Open a study, or type text to search for."
        if not self.form.text.strip() and not self.form.with_image:
            return "Type text to search for, or include the current image."
        if self.form.mode == "lexical" and not self.form.text.strip():
            return "Type the words that the report must contain, or select By meaning."
        try:
            self.form.filters()
        except UserError as error:
            return str(error)
        return ""

    def why_none(self) -> str:
        """What to try when the search found nothing; "" when it found something, or there was none."""
        if self.answered is None or self.hits:
            return ""
        advice = []
        if self.form.mode == "lexical":
            advice.append("search by meaning")
        if self.form.filtered:
            advice.append("clear the filters")
        if self.form.text.strip():
            advice.append("use other words")
        return f"No cases found for {self.answered}. Try to {_alternatives(advice or ['import more cases'])}."

    def clear_filters(self) -> None:
        """Clear the filters, and search again if nothing was found with them."""
        again = self.answered is not None and not self.hits
        self.set_form(self.form.unfiltered())
        if again:
            self.search(self._whole_series)

    def search(self, whole_series: bool = False) -> None:
        """Search by the text of the form, the current image at its window (or all its series), or both."""
        archive, bundle = self._archive.archive, self._archive.bundle
        if self.why_not() or archive is None or bundle is None:
            self.changed.emit()
            return
        study = self._viewport.study
        picture = self._viewport.picture if self.form.uses_image else None
        about = self._asks_about()
        request = SearchRequest(
            archive,
            bundle,
            picture=picture,
            form=self.form,
            study=study.uid if study else None,
            patient=study.patient.id or None if study else None,
            header=facts_of_frame(study, picture.series, picture.ref) if study and picture else {},
            corrections=dict(self._corrections.get(about, {})),
            whole_series=whole_series,
        )
        self._job = self._background.start(
            as_work(request.run, self._ask),
            partial(self._take, request, about),
            title="Searching",
            key="search",
            lane=Lane.MODEL,
            urgent=True,
            failed=self._fail,
            shows_failure=True,
            cancelled=self._end,
        )
        self._error, self._searched, self._whole_series = None, archive, whole_series
        self.changed.emit()

    def search_image(self) -> None:
        """Search by the current image alone."""
        self.set_form(replace(self.form, text="", with_image=True, mode="vector"))
        self.search()

    def correct(self, kind: FactKind, value: str | None) -> None:
        """Say a fact of the query of the hits: "" for none of its kind, None for what was found.

        Search again, unless another image is shown or another text was typed meanwhile.
        """
        corrections = self._corrections.setdefault(self._about, {})
        corrections.pop(kind, None)
        if value is not None:
            corrections[kind] = value
        if self._asks_about() == self._about:
            self.search(self._whole_series)

    def search_series(self) -> None:
        """Search by the series of the current image as a whole."""
        self.set_form(replace(self.form, text="", with_image=True, mode="vector"))
        self.search(whole_series=True)

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

    def forget(self, cases: Collection[int]) -> None:
        """Remove the hits of cases that were deleted."""
        self.hits = [hit for hit in self.hits if hit.case_id not in cases]
        self.hits_changed.emit()
        self.select(self.hits[0] if self.hits else None)
        self.changed.emit()

    def thumbnail(self, hit: Hit) -> Image | None:
        """The thumbnail of a hit; None for a report only, and until it is read."""
        return self._thumbnails.get(hit.image_id)

    def _asks_about(self) -> str:
        """The series of the image that a search would ask, or else its text."""
        picture = self._viewport.picture if self.form.uses_image else None
        return picture.series.key if picture else self.form.text.strip()

    def _take(self, request: SearchRequest, about: str, found: SearchResult) -> None:
        self._job, self.facts, self._about = None, found.facts, about
        self._use(request.archive)
        self.hits, self.answered, self.notice = found.hits, request.answered, found.familiarity.notice
        self.hits_changed.emit()
        self.select(self.hits[0] if self.hits else None)
        self.changed.emit()

    def _fail(self, error: BaseException) -> None:
        self._job, self._error = None, error
        self.hits, self.answered = [], None
        self.hits_changed.emit()
        self.select(None)
        self.changed.emit()

    def _end(self) -> None:
        self._job = None
        self.changed.emit()

    def _use(self, archive: Archive | None) -> None:
        self._source = archive
        self._thumbnails.use(archive)

    def _on_archive(self) -> None:
        """Remove the hits or the failure of another archive, and cancel a search that is running there."""
        if self._searched is not None and self._archive.archive is not self._searched:
            self._background.drop("search")
            self._job, self._searched, self.hits, self.answered = None, None, [], None
            self._error, self.notice = None, ""
            self._use(None)
            self.hits_changed.emit()
            self.select(None)
        self.changed.emit()


def _alternatives(actions: list[str]) -> str:
    """As "a", "a or b", or "a, b, or c"."""
    if len(actions) < 3:
        return " or ".join(actions)
    return f"{', '.join(actions[:-1])}, or {actions[-1]}"
