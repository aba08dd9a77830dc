"""The protocols that search, import and drafting require of a bundle. Does not know implementations."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.facts.fact import Facts
from engine.models.captioner import Caption
from engine.models.confidence import DraftSettings
from engine.models.familiarity import FeatureEncoder
from engine.models.ranking import RankingSettings
from engine.progress import IsCancelled


class Encoder(FeatureEncoder, Protocol):
    """Embeds images and texts: the part of a bundle that search and import need."""

    @property
    def id(self) -> str:
        """Changes when, and only when, embeddings change."""

    @property
    def score_scale(self) -> Mapping[str, Any]:
        """{"image-image" | "image-report" | "report-report": {"mean", "std"}} of cosines between unrelated pairs."""

    @property
    def ranking(self) -> RankingSettings:
        """What facts weigh in a search, and which images count as the same."""

    def embed_images(self, images: Sequence[NDArray[np.uint8]], /) -> NDArray[np.float32]:
        """Images uint8 [H, W] -> float32 [N, D], rows of unit length."""

    def facts_of_image(self, image: NDArray[np.uint8], /) -> Facts:
        """What the models say of an image, uint8 [H, W]: nothing where they are unsure, or know no facts."""

    def embed_texts(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        """Texts -> float32 [N, D], rows of unit length."""


class Drafter(Encoder, Protocol):
    """Encodes and captions: the part of a bundle that drafting needs."""

    @property
    def draft_settings(self) -> DraftSettings:
        """When there is a draft, and the calibration of confidence."""

    def caption_embedding(self, embedding: NDArray[np.float32], /, *, beams: int, cancelled: IsCancelled) -> Caption:
        """A caption for a unit vector float32 [D] of the shared space."""

    def copies_training_text(self, sentence: str, /) -> bool:
        """Whether the sentence repeats 8 or more consecutive words of a training text."""
