"""What a search asks for: the form, the question made from it, and its summary above the hits. Starts nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from desktop.state.pictures.picture import Image, ScreenPicture
from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.facts.fact import FactKind, Facts, first_of
from engine.image.picture import series_frames, to_gray
from engine.image.pixels import read_frame
from engine.image.window import render
from engine.retrieval.age_range import age_range
from engine.retrieval.feedback import NO_FEEDBACK, Feedback
from engine.retrieval.query import Box, EmbeddedQuery
from engine.retrieval.search import Mode, Query, SearchOptions, SearchResult
from engine.store.case import Kind
from engine.store.filters import Filters
from engine.study import FrameRef, Series
from engine.text.words import counted

HITS = 20
"""The most hits of one search."""
EVEN = 0.5
"""The share of the text in a new question: as much as the image."""


@dataclass(frozen=True, slots=True)
class AnsweredQuery:
    """The query that a list of hits answers, recorded with it because the image on screen changes."""

    text: str
    frame: str
    """The image or case that was searched with, in words; "" for a search by text alone."""
    ref: FrameRef | None = None
    """That image."""
    roi: Box | None = None
    """The region of it that counts more than the rest."""

    def __str__(self) -> str:
        text = f"“{self.text}”" if self.text else ""
        return " + ".join(part for part in (text, self.frame) if part)


@dataclass(frozen=True, slots=True)
class SearchForm:
    """The values of the fields in the panel."""

    text: str = ""
    with_image: bool = True
    mode: Mode = "vector"
    modality: str = ""
    kind: Kind | None = None
    sex: str = ""
    age: str = ""
    """As typed; see `engine.retrieval.age_range.age_range`."""
    case: int | None = None
    """An archived case that is searched with instead of the current image."""
    text_share: float = EVEN
    """How much the text counts beside an image, 0 to 1."""

    @property
    def uses_image(self) -> bool:
        """Whether the current image or the case counts; exact words are looked for in reports alone."""
        return (self.with_image or self.case is not None) and self.mode != "lexical"

    @property
    def live(self) -> tuple[object, ...]:
        """What applies at once when it is changed, to the question that the hits answer."""
        return (self.mode, self.modality, self.kind, self.sex, self.age.strip(), self.text_share)

    def with_live(self, other: "SearchForm") -> "SearchForm":
        """This form with what applies at once of another."""
        return replace(
            self,
            mode=other.mode,
            modality=other.modality,
            kind=other.kind,
            sex=other.sex,
            age=other.age,
            text_share=other.text_share,
        )

    def filters(self) -> Filters:
        """The filters of the search.

        Raises:
            UserError: the age cannot be read.
        """
        return Filters(
            modalities=(self.modality,) if self.modality else (),
            sex=self.sex or None,
            age=age_range(self.age),
            kinds=(self.kind,) if self.kind else (),
        )

    def why_invalid(self) -> str:
        """Why no search can be made of it, whatever the image; "" if one can."""
        if self.mode == "lexical" and not self.text.strip():
            return "Type the words that the report must contain, or select By meaning."
        try:
            self.filters()
        except UserError as error:
            return str(error)
        return ""

    @property
    def filtered(self) -> bool:
        """Whether any filter is set."""
        return bool(self.modality or self.kind or self.sex or self.age.strip())

    def unfiltered(self) -> "SearchForm":
        """The same form without filters."""
        return replace(self, modality="", kind=None, sex="", age="")


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Everything a search needs, taken on the UI thread before it runs on a worker; it can be asked again."""

    archive: Archive
    bundle: Bundle
    form: SearchForm
    about: str
    """The series of the image, the case, or else the text: what corrections of facts are kept by."""
    study: str | None
    """StudyInstanceUID of the open study, which never finds itself."""
    patient: str | None
    """Patient ID of the open study, by which priors are recognized."""
    picture: ScreenPicture | None = None
    """None for a search by text or case; dropped once `query` was made of it."""
    summary: AnsweredQuery = field(default=AnsweredQuery("", ""))
    """Of the picture or the case, whether or not it is used."""
    header: Facts = field(default_factory=dict)
    """What the header says of the picture."""
    corrections: Mapping[FactKind, str] = field(default_factory=dict)
    """What the user says instead; "" removes a kind."""
    whole_series: bool = False
    """Ask the series of the picture as a whole, at the window of the picture."""
    feedback: Feedback = NO_FEEDBACK
    """Cases that the user marked as relevant or not."""
    query: Query | None = None
    """What was made of picture, case and text by an earlier run; None before."""
    embedded: EmbeddedQuery | None = None
    """What the models made of `query`; None before, and after a change of the mode."""

    @property
    def answered(self) -> AnsweredQuery:
        """The summary to show with the hits."""
        text = self.form.text.strip()
        return replace(self.summary, text=text) if self.form.uses_image else AnsweredQuery(text, "")

    def refined(self, form: SearchForm) -> "Question":
        """The same question with what applies at once of a form."""
        embedded = self.embedded if form.mode == self.form.mode else None
        return replace(self, form=self.form.with_live(form), embedded=embedded)

    def run(self, ask: Callable[..., SearchResult]) -> tuple["Question", SearchResult]:
        """The question as it can be asked again, and the answer of `ask`; for a worker."""
        made = self.query or self._make() if self.form.uses_image else self.query
        text = self.form.text.strip() or None
        query = made if made is not None and self.form.uses_image else Query(text=text)
        query = replace(query, corrections=self.corrections, text_share=self.form.text_share, feedback=self.feedback)
        options = SearchOptions(
            filters=self.form.filters(),
            k=HITS,
            mode=self.form.mode,
            exclude_study=self.study,
            patient=self.patient,
            priors_apart=True,
        )
        found = ask(self.archive, self.bundle, query, options, self.embedded)
        picture = None if made is not None else self.picture
        return replace(self, query=made, picture=picture, embedded=found.embedded), found

    def _make(self) -> Query:
        """The query of picture or case, and text."""
        text = self.form.text.strip() or None
        if self.form.case is not None:
            return Query(text=text, case=self.form.case, facts=self.archive.case(self.form.case).facts)
        if self.picture is None:
            return Query(text=text)
        gray = to_gray(self.picture.image())
        facts = first_of(self.header, self.bundle.facts_of_image(gray))
        frames = self._frames()
        return Query(None if frames else gray, text, facts, images=frames, roi=self.summary.roi)

    def _frames(self) -> list[Image]:
        """The frames of a series that is asked as a whole, uint8 [H, W]; none otherwise."""
        picture = self.picture
        if picture is None or not self.whole_series:
            return []
        return [to_gray(render(read_frame(ref), picture.requested_window)) for ref in series_frames(picture.series)]


def summary_of(picture: ScreenPicture, whole_series: bool = False, roi: Box | None = None) -> AnsweredQuery:
    """The summary of a picture, of its series as a whole, or of a region of it."""
    if whole_series:
        return AnsweredQuery("", series_summary(picture.series))
    region = f"{frame_summary(picture)}, ROI" if roi else frame_summary(picture)
    return AnsweredQuery("", region, picture.ref, roi)


def series_summary(series: Series) -> str:
    """A series that was asked as a whole, short enough for one line."""
    name = " ".join(part for part in (series.modality, series.description or series.body_part.lower()) if part)
    return f"{name or 'series'}, {len(series_frames(series))} of {counted(len(series.frames), 'image')}"


def frame_summary(picture: ScreenPicture) -> str:
    """The series, image number and window of a picture, short enough for one line."""
    window = picture.window
    return image_summary(picture) + (f", W {window.width:.0f} L {window.center:.0f}" if window else "")


def image_summary(picture: ScreenPicture) -> str:
    """The series and image number of a picture, whatever its window."""
    series = picture.series
    parts = [" ".join(part for part in (series.modality, series.description or series.body_part.lower()) if part)]
    parts = [part for part in parts if part] or ["image"]
    if len(series.frames) > 1:
        parts.append(f"image {picture.index + 1} of {len(series.frames)}")
    return ", ".join(parts)


def feedback_text(feedback: Feedback, new: int, hits: int) -> str:
    """What feedback did, in one line; "" without any."""
    parts = []
    if feedback.liked:
        parts.append(f"towards {counted(len(feedback.liked), 'relevant case')}")
    if feedback.unliked:
        parts.append(f"away from {counted(len(feedback.unliked), 'case')}, left out")
    return f"Query moved {' and '.join(parts)}: {new} of {counted(hits, 'hit')} new." if parts else ""
