"""What a search asks for: the form, the request made from it, and its summary above the hits. Starts nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from desktop.state.pictures.picture import Image, ScreenPicture
from engine.archive import Archive
from engine.bundle import Bundle
from engine.facts.fact import FactKind, Facts, first_of
from engine.image.picture import series_frames, to_gray
from engine.image.pixels import read_frame
from engine.image.window import render
from engine.retrieval.age_range import age_range
from engine.retrieval.search import Mode, Query, SearchOptions, SearchResult
from engine.store.case import Kind
from engine.store.filters import Filters
from engine.study import FrameRef, Series
from engine.text.words import counted

HITS = 20
"""The most hits of one search."""


@dataclass(frozen=True, slots=True)
class AnsweredQuery:
    """The query that a list of hits answers, recorded with it because the image on screen changes."""

    text: str
    frame: str
    """The image that was searched with, in words; "" for a search by text alone."""
    ref: FrameRef | None = None
    """That image."""

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

    @property
    def uses_image(self) -> bool:
        """Whether the current image counts; exact words are looked for in reports alone."""
        return self.with_image and self.mode != "lexical"

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

    @property
    def filtered(self) -> bool:
        """Whether any filter is set."""
        return bool(self.modality or self.kind or self.sex or self.age.strip())

    def unfiltered(self) -> "SearchForm":
        """The same form without filters."""
        return replace(self, modality="", kind=None, sex="", age="")


@dataclass(frozen=True, slots=True, eq=False)
class SearchRequest:
    """Everything a search needs, taken on the UI thread before it runs on a worker."""

    archive: Archive
    bundle: Bundle
    picture: ScreenPicture | None
    """None for a search by text alone."""
    form: SearchForm
    study: str | None
    """StudyInstanceUID of the open study, which never finds itself."""
    patient: str | None
    """Patient ID of the open study, by which priors are recognized."""
    header: Facts = field(default_factory=dict)
    """What the header says of the picture."""
    corrections: Mapping[FactKind, str] = field(default_factory=dict)
    """What the user says instead; "" removes a kind."""
    whole_series: bool = False
    """Ask the series of the picture as a whole, at the window of the picture."""

    @property
    def answered(self) -> AnsweredQuery:
        """The summary to show with the hits."""
        picture = self.picture
        if self.whole_series and picture is not None:
            return AnsweredQuery(self.form.text.strip(), series_summary(picture.series))
        frame = frame_summary(picture) if picture else ""
        return AnsweredQuery(self.form.text.strip(), frame, picture.ref if picture else None)

    def run(self, ask: Callable[..., SearchResult]) -> SearchResult:
        """The answer of `ask`; for a worker."""
        gray = None if self.picture is None else to_gray(self.picture.image())
        models = {} if gray is None else self.bundle.facts_of_image(gray)
        text = self.form.text.strip() or None
        frames = self._frames()
        return ask(
            self.archive,
            self.bundle,
            Query(None if frames else gray, text, first_of(self.header, models), self.corrections, frames),
            SearchOptions(
                filters=self.form.filters(),
                k=HITS,
                mode=self.form.mode,
                exclude_study=self.study,
                patient=self.patient,
            ),
        )

    def _frames(self) -> list[Image]:
        """The frames of a series that is asked as a whole, uint8 [H, W]; none otherwise."""
        picture = self.picture
        if picture is None or not self.whole_series:
            return []
        return [to_gray(render(read_frame(ref), picture.requested_window)) for ref in series_frames(picture.series)]


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
