"""What frozen towers find in texts and pictures, computed once and kept on disk. Knows no decoder.

Kept is what comes before the projections: encoders that share their frozen towers and differ in the projections alone
share all of this work, and another projection costs one matrix product.
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
from training.arrays import Float32Array
from training.data.pairs import Gray, Pairs, augment
from training.loop.features import Pictures
from training.loop.precision import autocast
from training.metrics.embedders import FromCheckpoint
from training.networks import checkpoint
from training.networks.towers import unit

log = logging.getLogger(__name__)
CHUNK = 32


class FrozenFeatures:
    """Embeddings by one encoders checkpoint; the towers' part of the work lies in `folder` under a hash of its inputs.

    half: run the towers in bfloat16. stream: the encoders' recipe streams pictures, so what reads them for this should
    as well. Where the image tower was frozen whole, the encoders' training has left what it
    finds in `folder`, and that is read.
    """

    def __init__(self, path: Path, folder: Path, half: bool) -> None:
        self.encoders, self.folder, self.half = FromCheckpoint(path), folder, half
        model, config = self.encoders.model, self.encoders.model.config
        self.text_key = f"{tower_digest(model.text_tower)} {config.max_length} {half} {self.encoders.tokenizer_json}"
        sizes = f"{config.image_tower} {config.size} {config.pixel_mean} {config.pixel_std}"
        self.image_key = f"{tower_digest(model.image_tower)} {sizes} {half}"
        loaded = checkpoint.load(path)
        recipe, self.stream = loaded.extra.get("settings", {}), loaded.streams
        frozen = recipe.get("towers", {}).get("frozen_image_stages", 0)
        stages: Any = getattr(model.image_tower, "stages", ())
        self.frozen_whole = frozen if frozen == len(stages) else 0
        self.crops, self.crop_seed = (recipe.get("train", {}).get(name, 0) for name in ("crops", "crop_seed"))

    def texts(self, texts: Sequence[str]) -> Float32Array:
        """float32 [N, D], unit rows."""
        features = self.features([self.text_key, *texts], lambda: self._of_texts(texts))
        return self.projected(self.encoders.model.text_projection, features)

    def pictures(self, pairs: Pairs, views: Sequence[int] = ()) -> Float32Array:
        """float32 [N, D], unit rows of the pictures as they are, followed by those of the augmented views 1, 2, ..."""
        projection = self.encoders.model.image_projection
        return np.concatenate([self.projected(projection, rows) for rows in self._views(pairs, (0, *views))])

    def _views(self, pairs: Pairs, views: Sequence[int]) -> Iterator[Float32Array]:
        model, size = self.encoders.model, self.encoders.model.config.size
        if self.frozen_whole and max(views) <= self.crops:
            of_training = self.crops if pairs.rows[0].split == "train" else 0
            found = Pictures(pairs.images, model, self.frozen_whole, of_training, self.crop_seed, self.folder)
            assert found.maps is not None
            yield from (np.asarray(found.maps[view], np.float32) for view in views)
            return
        names = [hashlib.sha256(image.tobytes()).hexdigest() for image in pairs.images]
        for view in views:

            def make(view: int = view) -> Float32Array:
                if not view:
                    return self._of_pictures(pairs.images)
                rngs = (np.random.default_rng([1, view, i]) for i in range(len(pairs.images)))
                return self._of_pictures(augment(im, size, rng) for im, rng in zip(pairs.images, rngs))

            yield self.features([self.image_key, f"view {view}", *names], make)

    def features(self, inputs: Sequence[str], make: Callable[[], Float32Array]) -> Float32Array:
        """float32 [N, width] kept for these inputs, made where they are new."""
        path = self.folder / f"towers-{hashlib.sha256(chr(10).join(inputs).encode()).hexdigest()[:16]}.npy"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            log.info("running a tower on %d inputs", len(inputs) - 1)
            with autocast(self.encoders.device, self.half):
                rows = make()
            part = path.with_suffix(".part")
            with part.open("wb") as stream:
                np.save(stream, rows)
            part.replace(path)
        return np.asarray(np.load(path), np.float32)

    @torch.inference_mode()
    def projected(self, projection: nn.Module, features: Float32Array) -> Float32Array:
        rows: Tensor = projection(torch.from_numpy(features).to(self.encoders.device))
        return np.asarray(unit(rows).float().cpu().numpy())

    @torch.inference_mode()
    def _of_texts(self, texts: Sequence[str]) -> Float32Array:
        """Texts of like length go together, so that little is padded."""
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
            for place, row in zip(chosen, found):
                rows[place] = row
        return np.stack(rows)

    @torch.inference_mode()
    def _of_pictures(self, pictures: Iterable[Gray]) -> Float32Array:
        model = self.encoders.model
        tower: Any = model.image_tower
        parts, left = [], iter(pictures)
        while chunk := list(islice(left, CHUNK)):
            pixels = torch.from_numpy(to_batch(chunk, model.config.size))
            lower = model.image_lower(pixels.to(self.encoders.device), 0)
            parts.append(tower.upper(lower, 0).float().cpu().numpy())
        return np.concatenate(parts)


def tower_digest(tower: nn.Module) -> str:
    """SHA-256 of a tower's weights and buffers."""
    found = hashlib.sha256()
    for name, value in tower.state_dict().items():
        found.update(name.encode())
        found.update(value.detach().cpu().numpy().tobytes())
    return found.hexdigest()
