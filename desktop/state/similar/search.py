"""The question put to the archive and the hits it gave. Knows no widgets and does no ranking."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job, Lane, as_work
from desktop.state.changes import ChangeNotifier
from desktop.state.pictures.picture import Image, ScreenPicture
from desktop.state.redaction import redacted
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.selected_case import SelectedCase
from desktop.state.viewer.viewport import ViewportState
from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.image.picture import to_gray
from engine.retrieval.age_range import age_range
from engine.retrieval.hit import Hit
from engine.retrieval.search import Mode, Query, SearchOptions, SearchResult, search
from engine.store.case import Kind
from engine.store.filters import Filters
from engine.study import FrameRef

HITS = 20
MODES = ("vector", "lexical", "hybrid")


@dataclass(frozen=True, slots=True)
class AnsweredQuery:
    """What a list of hits answers: recorded with it, because the screen moves on."""

    text: str
    frame: str
    """Which displayed frame at which window, or "" for words alone."""
    ref: FrameRef | None = None
    """That frame."""

    def __str__(self) -> str:
        words = f"“{self.text}”" if self.text else ""
        return " + ".join(part for part in (words, self.frame) if part)


@dataclass(frozen=True, slots=True)
class SearchForm:
    """What the panel is set to."""

    text: str = ""
    with_image: bool = True
    mode: Mode = "vector"
    modality: str = ""
    kind: Kind | None = None
    sex: str = ""
    age: str = ""
    """As it was typed; see `engine.retrieval.age_range.age_range`."""

    def filters(self) -> Filters:
        """Raises UserError for an age that cannot be read."""
        return Filters(
            modalities=(self.modality,) if self.modality else (),
            sex=self.sex or None,
            age=age_range(self.age),
            kinds=(self.kind,) if self.kind else (),
        )

    @property
    def filtered(self) -> bool:
        return bool(self.modality or self.kind or self.sex or self.age.strip())

    def unfiltered(self) -> "SearchForm":
        return replace(self, modality="", kind=None, sex="", age="")


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    archive: Archive
    bundle: Bundle
    picture: ScreenPicture | None
    form: SearchForm
    study: str | None
    patient: str | None
    asked: AnsweredQuery = field(default=AnsweredQuery("", ""))


class SearchState(QObject):
    """Similar cases: one question at a time, the latest wins."""

    changed = Signal()
    """The form, the hits, or what is under way."""
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
        self._error: BaseException | None = None
        self.notice = ""
        """What the reader should know of the picture that was asked with."""
        self.selected: Hit | None = None
        self.selected_case = SelectedCase(background, lambda: viewport.patient_data_visible, self)
        """The selected hit in full."""
        self._job: Job | None = None
        self._thumbnails: dict[int, Image | None] = {}
        self._searched: Archive | None = None
        """The archive that was asked last."""
        self._source: Archive | None = None
        """The archive that the hits are of."""
        archive.changed.connect(self._on_archive)
        viewport.redaction_changed.connect(self.changed)
        ChangeNotifier(viewport.picture_changed, self.changed, self._about_picture, self)

    def _about_picture(self) -> tuple[bool, bool]:
        """Whether there is one and whether the hits answer it counts: a scroll is told once, not at every image."""
        return self._viewport.picture is not None, self.elsewhere

    @property
    def failure(self) -> str:
        """Why the last search gave nothing."""
        return redacted(self._error, self._viewport.patient_data_visible)

    @property
    def searching(self) -> bool:
        return self._job is not None

    @property
    def elsewhere(self) -> bool:
        """The hits answer another image than the one on screen."""
        shown = self._viewport.picture
        return bool(self.answered and self.answered.ref and (shown is None or shown.ref != self.answered.ref))

    def set_form(self, form: SearchForm) -> None:
        if form != self.form:
            self.form = form
            self.changed.emit()

    def why_not(self) -> str:
        """What is missing before a search can start; "" when nothing is."""
        if self._archive.archive is None:
            return "Open an archive to search in: menu Archive, or drop its folder here."
        if not self._archive.stats.get("cases", 0):
            return "The archive is empty. Import studies or reports first: menu Archive."
        if self._archive.bundle is None:
            return self._archive.bundle_failure or "The models are loading …"
        if not self.form.text.strip() and self._viewport.picture is None:
            return "Open a study, or type words to search for."
        if not self.form.text.strip() and not self.form.with_image:
            return "Type words to search for, or include the current image."
        if self.form.mode == "lexical" and not self.form.text.strip():
            return "Type the words that the report must contain, or match by meaning."
        try:
            self.form.filters()
        except UserError as error:
            return str(error)
        return ""

    def why_none(self) -> str:
        """What to do when nothing was found; "" when something was, or nothing was asked."""
        if self.answered is None or self.hits:
            return ""
        advice = []
        if self.form.mode == "lexical":
            advice.append("match by meaning instead of exact words")
        if self.form.filtered:
            advice.append("clear the filters")
        if self.form.text.strip():
            advice.append("try other words")
        return f"Nothing found for {self.answered}. You can {', or '.join(advice or ['import more cases'])}."

    def clear_filters(self) -> None:
        """Ask again without filters if nothing was found with them; else only clear them."""
        again = self.answered is not None and not self.hits
        self.set_form(self.form.unfiltered())
        if again:
            self.search()

    def search(self) -> None:
        """Ask the archive with the words of the form and, if it says so, the displayed frame at its window."""
        archive, bundle, picture = self._archive.archive, self._archive.bundle, self._viewport.picture
        if self.why_not() or archive is None or bundle is None:
            self.changed.emit()
            return
        text = self.form.text.strip()
        shown = picture if self.form.with_image else None
        study = self._viewport.study
        request = _Request(
            archive,
            bundle,
            shown,
            self.form,
            study.uid if study else None,
            study.patient.id or None if study else None,
            AnsweredQuery(text, describe(shown) if shown else "", shown.ref if shown else None),
        )
        self._job = self._background.start(
            as_work(_search, self._ask, request),
            partial(self._take, request),
            title="Searching",
            key="search",
            lane=Lane.MODEL,
            urgent=True,
            failed=self._fail,
            shows_failure=True,
            cancelled=self._stopped,
        )
        self._error, self._searched = None, archive
        self.changed.emit()

    def search_image(self) -> None:
        """Search by the current image alone."""
        self.set_form(replace(self.form, text="", with_image=True, mode="vector"))
        self.search()

    def select(self, hit: Hit | None) -> None:
        if hit is not self.selected:
            self.selected = hit
            self.selected_case.show(self._source, hit)
            self.selection_changed.emit()

    def select_next(self, by: int) -> None:
        """Choose a hit further down or up; the first and the last stay."""
        if self.hits:
            place = self.hits.index(self.selected) if self.selected in self.hits else 0
            self.select(self.hits[min(max(0, place + by), len(self.hits) - 1)])

    def thumbnail(self, hit: Hit) -> Image | None:
        """The hit's picture if it has one; asked for in the background the first time."""
        image_id, archive = hit.image_id, self._source
        if image_id is None or archive is None:
            return None
        if image_id not in self._thumbnails:
            self._thumbnails[image_id] = None
            self._background.start(
                as_work(archive.image, image_id),
                partial(self._take_thumbnail, archive, image_id),
                lane=Lane.THUMBNAIL,
                urgent=True,
            )
        return self._thumbnails[image_id]

    def _take(self, request: _Request, found: SearchResult) -> None:
        self._job = None
        if request.archive is not self._source:
            self._thumbnails.clear()
        self._source = request.archive
        self.hits, self.answered, self.notice = found.hits, request.asked, found.familiarity.notice
        self.hits_changed.emit()
        self.select(self.hits[0] if self.hits else None)
        self.changed.emit()

    def _fail(self, error: BaseException) -> None:
        self._job, self._error = None, error
        self.hits, self.answered = [], None
        self.hits_changed.emit()
        self.select(None)
        self.changed.emit()

    def _stopped(self) -> None:
        self._job = None
        self.changed.emit()

    def _take_thumbnail(self, archive: Archive, image_id: int, image: Image) -> None:
        if archive is self._source:
            self._thumbnails[image_id] = image
            self.thumbnail_changed.emit(image_id)

    def _on_archive(self) -> None:
        """Hits of another archive must not stay on the screen, or come to it, and nor must what failed there."""
        if self._searched is not None and self._archive.archive is not self._searched:
            self._background.drop("search")
            self._job, self._searched, self._source, self.hits, self.answered = None, None, None, [], None
            self._error, self.notice = None, ""
            self._thumbnails.clear()
            self.hits_changed.emit()
            self.select(None)
        self.changed.emit()


def describe(picture: ScreenPicture) -> str:
    """Which frame at which window, in words short enough for one line."""
    series = picture.series
    parts = [" ".join(part for part in (series.modality, series.description or series.body_part.lower()) if part)]
    parts = [part for part in parts if part] or ["image"]
    if len(series.frames) > 1:
        parts.append(f"image {picture.index + 1} of {len(series.frames)}")
    if picture.window:
        parts.append(f"W {picture.window.width:.0f} L {picture.window.center:.0f}")
    return ", ".join(parts)


def _search(ask: Callable[..., SearchResult], request: _Request) -> SearchResult:
    gray = None if request.picture is None else to_gray(request.picture.image())
    return ask(
        request.archive,
        request.bundle,
        Query(image=gray, text=request.form.text.strip() or None),
        SearchOptions(
            filters=request.form.filters(),
            k=HITS,
            mode=request.form.mode,
            exclude_study=request.study,
            patient=request.patient,
        ),
    )
