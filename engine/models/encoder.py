"""Embeds images and texts into the shared space with ONNX models. Does not know bundles on disk or archives."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import preprocess
from engine.errors import UserError
from engine.models.heads import Heads, Parameters, project, width_of
from engine.models.recent_features import RecentFeatures
from engine.models.runtime import Model
from engine.tokenizer import Tokenizer

Embeddings = NDArray[np.float32]
BATCH = 16
"""Most rows of one model call: limits memory, and larger batches are not faster on a CPU."""


@dataclass(frozen=True, slots=True)
class OnnxEncoder:
    """The image tower and the text tower of one bundle."""

    image: Model
    text: Model
    tokenizer: Tokenizer
    size: int
    """Side of the image tower's square input, in pixels."""
    max_length: int
    """Maximum length of a text in tokens."""
    dim: int
    """Length D of an embedding."""
    heads: Heads | None
    """What projects the features of the graphs; None in an older bundle, whose graphs return embeddings."""
    recent: RecentFeatures = field(default_factory=RecentFeatures)

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> Embeddings:
        """Images uint8 [H, W] of any sizes -> float32 [N, D], rows of unit length; [0, D] for none."""
        if self.heads is None:
            starts = range(0, len(images), BATCH)
            return self._stack([self._embed(self.image, self._pixels(images, start)) for start in starts])
        return self._projected(self.heads.image, self.image_trunk(images)) if images else self._stack([])

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Texts -> float32 [N, D], rows of unit length; [0, D] for none.

        One text per call: padding would waste time on short texts, and int8 activations are scaled over a whole batch,
        so that the vector of a text would depend on the other texts.
        """
        if self.heads is None:
            return self._stack([self._embed(self.text, self._words(text)) for text in texts])
        return self._projected(self.heads.text, self.text_trunk(texts)) if texts else self._stack([])

    def image_trunk(self, images: Sequence[NDArray[np.uint8]]) -> Embeddings:
        """What the head is given: images uint8 [H, W] of any sizes -> float32 [N, F], not normalised.

        Raises:
            UserError: `images` is empty.
        """
        if not images:
            raise UserError("No image was given; give at least one.")
        return self.recent.of(images, self._trunk)

    def text_trunk(self, texts: Sequence[str]) -> Embeddings:
        """What the head is given: texts -> float32 [N, F], not normalised. Needs `heads` and at least one text."""
        return np.concatenate([self.text.run(["features"], self._words(text))[0] for text in texts])

    def image_features(self, images: Sequence[NDArray[np.uint8]]) -> Embeddings:
        """Features before the projection: images uint8 [H, W] of any sizes -> float32 [N, F], rows of unit length.

        Square roots of the positive features, so that a few strong ones do not dominate (Hellinger kernel, Arandjelovic
        and Zisserman 2012).

        Raises:
            UserError: `images` is empty.
        """
        return self._unit(np.sqrt(np.maximum(self.image_trunk(images), 0) + 1e-4))

    def _trunk(self, images: Sequence[NDArray[np.uint8]]) -> Embeddings:
        starts = range(0, len(images), BATCH)
        rows = [self.image.run(["features"], self._pixels(images, start))[0] for start in starts]
        return np.asarray(np.concatenate(rows), np.float32)

    def _pixels(self, images: Sequence[NDArray[np.uint8]], start: int) -> dict[str, NDArray[Any]]:
        return {"pixels": preprocess.batch(images[start : start + BATCH], self.size)}

    def _words(self, text: str) -> dict[str, NDArray[Any]]:
        ids, mask = self.tokenizer.encode_batch([text], self.max_length)
        return {"ids": ids, "mask": mask}

    def _embed(self, model: Model, inputs: dict[str, NDArray[Any]]) -> Embeddings:
        rows = model.run(["embedding"], inputs)[0]
        self._require(rows.ndim == 2 and rows.shape[1] == self.dim and bool(np.isfinite(rows).all()))
        return self._unit(rows)

    def _projected(self, head: Parameters, features: Embeddings) -> Embeddings:
        self._require(features.ndim == 2 and features.shape[1] == width_of(head))
        rows = project(head, features)
        self._require(rows.shape[1] == self.dim and bool(np.isfinite(rows).all()))
        return self._unit(rows)

    def _require(self, fits: bool) -> None:
        if not fits:
            raise UserError("The graphs of the bundle do not fit its manifest; export the bundle again.")

    def _unit(self, vectors: NDArray[Any]) -> Embeddings:
        vectors = vectors.astype(np.float32)
        # Rounding in int8 and fp16 graphs leaves lengths slightly different from 1.
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def _stack(self, rows: list[Embeddings]) -> Embeddings:
        return np.concatenate(rows) if rows else np.zeros((0, self.dim), np.float32)
