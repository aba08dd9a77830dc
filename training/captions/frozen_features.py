"""Features of frozen towers, computed once and cached on disk. Does not know the decoder.

The features before the projections are cached: encoders with the same frozen towers share them, and another projection
costs one matrix product.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.preprocess import batch as to_batch
from engine.store.safety.whole_file import flush
from training.arrays import Float32Array
from training.data.augment import augment
from training.data.pairs import Gray, Pairs
from training.loop.features import ImageBatches, Views
from training.loop.precision import autocast
from training.metrics.embedders import FromCheckpoint
from training.networks import checkpoint
from training.networks.towers import unit

log = logging.getLogger(__name__)
CHUNK = 32


class FrozenFeatures:
    """Embeddings of one encoders checkpoint, with the towers' features cached in `folder` under a hash of their inputs.

    If the image tower was frozen as a whole, the training of the encoders has already cached its features in `folder`,
    and those are used.

    Args:
        path: the encoders checkpoint.
        folder: the cache.
        half: run the towers in bfloat16.
    """

    def __init__(self, path: Path, folder: Path, half: bool) -> None:
        self.encoders, self.folder, self.half = FromCheckpoint(path), folder, half
        model, config = self.encoders.model, self.encoders.model.config
        self.text_key = f"{tower_digest(model.text_tower)} {config.max_length} {half} {self.encoders.tokenizer_json}"
        sizes = f"{config.image_tower} {config.size} {config.pixel_mean} {config.pixel_std}"
        self.image_key = f"{tower_digest(model.image_tower)} {sizes} {half}"
        loaded = checkpoint.load(path)
        recipe = loaded.extra.get("settings", {})
        self.stream = loaded.streams  # the encoders streamed their images, so their readers should as well
        frozen = recipe.get("towers", {}).get("frozen_image_stages", 0)
        stages: Any = getattr(model.image_tower, "stages", ())
        self.frozen_whole = frozen if frozen == len(stages) else 0
        self.crops, self.crop_seed = (recipe.get("train", {}).get(name, 0) for name in ("crops", "crop_seed"))

    def texts(self, texts: Sequence[str]) -> Float32Array:
        """float32 [N, D], unit rows."""
        features = self.features([self.text_key, *texts], lambda: self._text_features(texts))
        return self.projected(self.encoders.model.text_projection, features)

    def images(self, pairs: Pairs, views: Sequence[int] = ()) -> Float32Array:
        """float32 [(1 + views) * N, D], unit rows: the clean images, followed by each of the augmented views."""
        projection = self.encoders.model.image_projection
        return np.concatenate([self.projected(projection, rows) for rows in self._views(pairs, (0, *views))])

    def _views(self, pairs: Pairs, views: Sequence[int]) -> Iterator[Float32Array]:
        model, size = self.encoders.model, self.encoders.model.config.size
        if self.frozen_whole and max(views) <= self.crops:
            cached = Views(self.frozen_whole, max(views), self.crop_seed)
            found = ImageBatches(pairs.images, model, cached, self.folder)
            assert found.maps is not None
            yield from (np.asarray(found.maps[view], np.float32) for view in views)
            return
        names = [hashlib.sha256(image.tobytes()).hexdigest() for image in pairs.images]
        for view in views:

            def compute(view: int = view) -> Float32Array:
                if not view:
                    return self._image_features(pairs.images)
                rngs = (np.random.default_rng([1, view, i]) for i in range(len(pairs.images)))
                return self._image_features(augment(im, size, rng) for im, rng in zip(pairs.images, rngs))

            yield self.features([self.image_key, f"view {view}", *names], compute)

    def features(self, inputs: Sequence[str], compute: Callable[[], Float32Array]) -> Float32Array:
        """float32 [N, width] from the cache, or computed if the inputs are new."""
        path = self.folder / f"towers-{hashlib.sha256(chr(10).join(inputs).encode()).hexdigest()[:16]}.npy"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            log.info("computing features of %d inputs", len(inputs) - 1)
            with autocast(self.encoders.device, self.half):
                rows = compute()
            part = path.with_suffix(".part")
            with part.open("wb") as stream:
                np.save(stream, rows)
            flush(part)
            part.replace(path)
        return np.asarray(np.load(path), np.float32)

    @torch.inference_mode()
    def projected(self, projection: nn.Module, features: Float32Array) -> Float32Array:
        """float32 [N, D], unit rows, of features [N, width]."""
        rows: Tensor = projection(torch.from_numpy(features).to(self.encoders.device))
        return np.asarray(unit(rows).float().cpu().numpy())

    @torch.inference_mode()
    def _text_features(self, texts: Sequence[str]) -> Float32Array:
        """float32 [N, width]; texts of similar length are batched together to save padding."""
        model, tokenizer, device = self.encoders.model, self.encoders.tokenizer, self.encoders.device
        tower: Any = model.text_tower
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        rows: list[Float32Array] = [np.zeros(0, np.float32)] * len(texts)
        for first in range(0, len(order), CHUNK):
            chosen = order[first : first + CHUNK]
            ids, mask = (
                torch.from_numpy(part).to(device)
                for part in tokenizer.encode_batch([texts[i] for i in chosen], model.config.max_length)
            )
            found = tower.upper(model.text_lower(ids, mask, 0), mask, 0).float().cpu().numpy()
            for index, row in zip(chosen, found):
                rows[index] = row
        return np.stack(rows)

    @torch.inference_mode()
    def _image_features(self, images: Iterable[Gray]) -> Float32Array:
        model = self.encoders.model
        tower: Any = model.image_tower
        parts, remaining = [], iter(images)
        while chunk := list(islice(remaining, CHUNK)):
            pixels = torch.from_numpy(to_batch(chunk, model.config.size))
            lower = model.image_lower(pixels.to(self.encoders.device), 0)
            parts.append(tower.upper(lower, 0).float().cpu().numpy())
        return np.concatenate(parts)


class NoFeatures:
    """Zeros in the place of embeddings, for a decoder that learns the wording of texts and nothing else."""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def texts(self, texts: Sequence[str]) -> Float32Array:
        """float32 [N, D]."""
        return np.zeros((len(texts), self.dim), np.float32)

    def images(self, pairs: Pairs, views: Sequence[int] = ()) -> Float32Array:
        """float32 [(1 + views) * N, D]."""
        return np.zeros(((1 + len(views)) * len(pairs.rows), self.dim), np.float32)


def tower_digest(tower: nn.Module) -> str:
    """SHA-256 of a tower's weights and buffers, with their names."""
    found = hashlib.sha256()
    for name, value in tower.state_dict().items():
        found.update(name.encode())
        found.update(value.detach().cpu().numpy().tobytes())
    return found.hexdigest()
