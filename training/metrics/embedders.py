"""One interface for everything that computes embeddings: a checkpoint or an exported bundle. Knows no metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from engine.bundle import Bundle
from engine.errors import UserError
from engine.preprocess import batch as to_batch
from engine.tokenizer import Tokenizer
from training.arrays import Float32Array
from training.data.pairs import Gray, Pairs
from training.metrics.gap import centred
from training.metrics.retrieval import ScoreScale
from training.networks import checkpoint
from training.networks.towers import DualEncoder

Means = tuple[Float32Array, Float32Array]
CHUNK = 32


class Embedder(Protocol):
    """A model that embeds images and texts, by PyTorch or by the runtime of the application."""

    means: Means | None
    """TRAIN means of images and texts, if known."""
    score_scale: ScoreScale | None
    """Measured on val with the model, if known."""

    def images(self, images: Sequence[Gray]) -> Float32Array:
        """uint8 [H, W] of any sizes -> float32 [N, D], unit rows."""

    def texts(self, texts: Sequence[str]) -> Float32Array:
        """Texts -> float32 [N, D], unit rows."""


class FromCheckpoint:
    """Embeddings computed by PyTorch, from best.pt of an encoders run."""

    def __init__(self, path: Path) -> None:
        saved = checkpoint.load(path)
        model = checkpoint.build(saved)
        if not isinstance(model, DualEncoder):
            raise UserError(f"{path} is a {saved.kind} checkpoint; give an encoders checkpoint.")
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model, self.tokenizer = model.to(self.device), Tokenizer.from_str(saved.tokenizer_json)
        self.tokenizer_json = saved.tokenizer_json
        self.score_scale: ScoreScale | None = saved.extra.get("calibration") or None
        means = [saved.extra.get(name) for name in ("image_mean", "text_mean")]
        self.means: Means | None = None
        if means[0] is not None and means[1] is not None:
            self.means = np.asarray(means[0], np.float32), np.asarray(means[1], np.float32)

    @torch.inference_mode()
    def images(self, images: Sequence[Gray]) -> Float32Array:
        """uint8 [H, W] of any sizes -> float32 [N, D], unit rows."""
        size = self.model.config.size
        parts = [
            self.model.image(torch.from_numpy(to_batch(images[i : i + CHUNK], size)).to(self.device))
            .float()
            .cpu()
            .numpy()
            for i in range(0, len(images), CHUNK)
        ]
        return np.concatenate(parts or [np.zeros((0, self.model.config.dim), np.float32)])

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Float32Array:
        """Texts -> float32 [N, D], unit rows; texts of similar length are batched together to save padding."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        result = np.zeros((len(texts), self.model.config.dim), np.float32)
        for first in range(0, len(order), CHUNK):
            chosen = order[first : first + CHUNK]
            ids, mask = self.tokenizer.encode_batch([texts[i] for i in chosen], self.model.config.max_length)
            rows = self.model.text(torch.from_numpy(ids).to(self.device), torch.from_numpy(mask).to(self.device))
            result[chosen] = rows.float().cpu().numpy()
        return result


class FromBundle:
    """Embeddings computed by the runtime of the application, including quantisation."""

    def __init__(self, folder: Path | None, variant: str | None = None) -> None:
        self.bundle = Bundle.open(folder, variant)
        self.means: Means | None = None
        self.score_scale: ScoreScale | None = self.bundle.score_scale

    def images(self, images: Sequence[Gray]) -> Float32Array:
        """uint8 [H, W] of any sizes -> float32 [N, D], unit rows."""
        return self.bundle.embed_images(images)

    def texts(self, texts: Sequence[str]) -> Float32Array:
        """Texts -> float32 [N, D], unit rows."""
        return self.bundle.embed_texts(texts)


@dataclass(frozen=True)
class Embedded:
    """Embeddings of a pool: images float32 [N, D], unique texts float32 [T, D]."""

    images: Float32Array
    texts: Float32Array
    score_scale: ScoreScale | None

    def centred(self, means: Means) -> "Embedded":
        """Each modality minus its TRAIN mean; this changes the scale of the scores, so the score scale is dropped."""
        images, texts = (centred(rows, mean).astype(np.float32) for rows, mean in zip((self.images, self.texts), means))
        return Embedded(images, texts, None)


def train_means(model: Embedder, training: Pairs) -> Means:
    """Means [D] of both modalities over the pairs of the train split."""
    texts = list(dict.fromkeys(row.text for row in training.rows))
    number = {text: i for i, text in enumerate(texts)}
    rows = model.texts(texts)[[number[row.text] for row in training.rows]]
    return model.images(training.images).mean(0), rows.mean(0)
