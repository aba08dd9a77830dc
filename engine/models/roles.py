"""The protocols that search, import and drafting need of a bundle. Knows no implementation."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.models.captioner import Caption
from engine.models.confidence import DraftSettings
from engine.models.familiarity import FeatureEncoder
from engine.progress import IsCancelled


class Encoder(FeatureEncoder, Protocol):
    """What search, import and draft need of a bundle."""

    @property
    def id(self) -> str: ...

    @property
    def score_scale(self) -> Mapping[str, Any]: ...

    def embed_images(self, images: Sequence[NDArray[np.uint8]], /) -> NDArray[np.float32]: ...

    def embed_texts(self, texts: Sequence[str], /) -> NDArray[np.float32]: ...


class Drafter(Encoder, Protocol):
    """What drafting needs of a bundle besides embeddings."""

    @property
    def evidence_threshold(self) -> float: ...

    @property
    def draft_settings(self) -> DraftSettings: ...

    def caption_embedding(
        self, embedding: NDArray[np.float32], /, *, beams: int, cancelled: IsCancelled
    ) -> Caption: ...

    def copies_training_text(self, sentence: str, /) -> bool: ...
