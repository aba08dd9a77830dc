"""What is searched for, and what the models make of it. Knows no ranking.

Embedding takes most of the time of a search, so what the models made of a query is kept: a search that changes only
filters, corrections, the share of the text or feedback is given it instead of asking the models again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.facts.fact import FactKind, Facts, corrected
from engine.facts.query_words import facts_of_query, understand
from engine.models.burned_in import without_text
from engine.models.familiarity import FAMILIAR, FamiliarityResult, check_familiarity
from engine.models.roles import Encoder
from engine.models.text_detector import text_detector
from engine.retrieval.feedback import NO_FEEDBACK, Feedback
from engine.retrieval.fusion import QueryVectors
from engine.retrieval.same_picture import Look, look

ROI_SHARE = 0.7
"""How much the crop of a region of interest counts, beside the whole image."""
ROI_CONTEXT = 0.25
"""What a crop shows around its region, in sides of the region: a finding is told by what is beside it."""

Box = tuple[int, int, int, int]
"""Top, left, bottom, right of a rectangle in pixels, the last two excluded."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for: an image, the frames of a series or an archived case; text; or both (composed)."""

    image: NDArray[np.uint8] | None = None
    """uint8 [H, W], the displayed frame at its displayed window."""
    text: str | None = None
    facts: Facts = field(default_factory=dict)
    """Of the image, as far as its header or the models say them; those of the text are understood here."""
    corrections: Mapping[FactKind, str] = field(default_factory=dict)
    """What the user says instead, of image and text; "" removes a kind."""
    images: Sequence[NDArray[np.uint8]] = ()
    """Instead of `image`: frames of a series that is asked as a whole; a case counts by the frame it is nearest to."""
    case: int | None = None
    """Instead of an image: an archived case, by the vectors of its images and its report, which is not found itself."""
    roi: Box | None = None
    """A region of `image` that counts more than the rest."""
    text_share: float = 0.5
    """How much the text counts beside an image, 0 to 1."""
    feedback: Feedback = NO_FEEDBACK
    """Cases that the query moves towards, and away from."""

    @property
    def frames(self) -> Sequence[NDArray[np.uint8]]:
        """The images of the query."""
        return self.images or ([] if self.image is None else [self.image])

    @property
    def known(self) -> Facts:
        """The facts that the cases are weighed by: those of image and text, corrected."""
        return corrected(facts_of_query(self.facts, self.text), self.corrections)


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedQuery:
    """What the models of one bundle make of the images and the text of a query."""

    bundle_id: str
    images: tuple[NDArray[np.float32], ...]
    """Of each frame, or of each image of the case, float32 [D] of unit length."""
    text: NDArray[np.float32] | None
    """float32 [D] of unit length: of the text without what it negates, or of the report of the case."""
    absent: frozenset[str]
    """Findings that the text excludes."""
    familiarity: FamiliarityResult = FAMILIAR
    looks: tuple[Look, ...] = ()
    """Of each frame, to recognize the same picture; none of a case."""

    def vectors(self, text_share: float) -> list[QueryVectors]:
        """The vectors to rank by, one for each image; a part whose share is 0 is left out."""
        if self.text is None or (self.images and text_share <= 0):
            return [QueryVectors(image) for image in self.images]
        images = () if text_share >= 1 else self.images
        return [QueryVectors(image, self.text, text_share) for image in images] or [QueryVectors(text=self.text)]


def embedded(archive: Archive, bundle: Encoder, query: Query) -> EmbeddedQuery:
    """Ask the models, or the archive for the vectors of a case.

    Text burned into a frame is blacked out first, as in the archive: with its text, one figure in eleven of the sample
    archive that has some finds another one first.

    Raises:
        UserError: the archive has no such case, another bundle made its vectors, or the detector of text is damaged.
    """
    asked = understand(query.text or "")
    text = None if query.text is None else bundle.embed_texts([asked.text])[0]
    if query.case is not None:
        images, report = _of_case(archive, bundle.id, query.case)
        return EmbeddedQuery(bundle.id, images, report if text is None else text, asked.negated)
    frames = [without_text(frame, text_detector())[0] for frame in query.frames]
    images = tuple(bundle.embed_images([frame])[0] for frame in frames)
    if query.roi is not None and query.image is not None:
        part = bundle.embed_images([with_context(frames[0], query.roi)])[0]
        images = (mixed(images[0], part, ROI_SHARE),)
    familiarity = check_familiarity(bundle, query.frames[len(query.frames) // 2]) if query.frames else FAMILIAR
    return EmbeddedQuery(bundle.id, images, text, asked.negated, familiarity, tuple(map(look, frames)))


def with_context(image: NDArray[np.uint8], roi: Box) -> NDArray[np.uint8]:
    """A region of an image uint8 [H, W] with ROI_CONTEXT around it, as far as the image goes."""
    top, left, bottom, right = roi
    down, across = round(ROI_CONTEXT * (bottom - top)), round(ROI_CONTEXT * (right - left))
    return image[max(0, top - down) : bottom + down, max(0, left - across) : right + across]


def mixed(one: NDArray[np.float32], other: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """The unit vector float32 [D] between two unit vectors; `share` is that of the other, 0 to 1."""
    total = (1 - share) * one + share * other
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32)


def _of_case(
    archive: Archive, bundle_id: str, case_id: int
) -> tuple[tuple[NDArray[np.float32], ...], NDArray[np.float32] | None]:
    """The vectors of the images of a case, and that of its report."""
    archive.case(case_id)  # raises where there is no such case
    images, reports = (archive.index.of_cases([case_id], kind, bundle_id)[1] for kind in ("image", "report"))
    return tuple(images), reports[0] if len(reports) else None
