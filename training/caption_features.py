"""What frozen towers find in texts and pictures, computed once and kept on disk. Knows no decoder.

Kept is what comes before the projections: encoders that share their frozen towers and differ in the projections alone
share all of this work, and another projection costs one matrix product.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.preprocess import batch as to_batch
from training import data
from training.embedders import FromCheckpoint
from training.towers import unit

log = logging.getLogger(__name__)
Rows = NDArray[np.float32]
CHUNK = 32


class Kept:
    """Embeddings by one encoders checkpoint; the towers' part of the work lies in `folder` under a hash of its inputs.

    half: run the towers in bfloat16.
    """

    def __init__(self, encoders: FromCheckpoint, folder: Path, half: bool) -> None:
        self.encoders, self.folder, self.half = encoders, folder, half
        model, config = encoders.model, encoders.model.config
        self.text_key = f"{tower_digest(model.text_tower)} {config.max_length} {half} {encoders.tokenizer_json}"
        sizes = f"{config.image_tower} {config.size} {config.pixel_mean} {config.pixel_std}"
        self.image_key = f"{tower_digest(model.image_tower)} {sizes} {half}"

    def texts(self, texts: Sequence[str]) -> Rows:
        """float32 [N, D], unit rows."""
        features = self.features([self.text_key, *texts], lambda: self._of_texts(texts))
        return self.projected(self.encoders.model.text_projection, features)

    def pictures(self, pairs: data.Pairs, view: int = 0) -> Rows:
        """float32 [N, D], unit rows of the pictures as they are (view 0), or of the augmented view of that number."""
        size = self.encoders.model.config.size

        def make() -> Rows:
            images: Sequence[data.Gray] = pairs.images
            if view:
                images = [data.augment(im, size, np.random.default_rng([1, view, i])) for i, im in enumerate(images)]
            return self._of_pictures(images)

        names = [hashlib.sha256(image.tobytes()).hexdigest() for image in pairs.images]
        features = self.features([self.image_key, f"view {view}", *names], make)
        return self.projected(self.encoders.model.image_projection, features)

    def features(self, inputs: Sequence[str], make: Callable[[], Rows]) -> Rows:
        """float32 [N, width] kept for these inputs, made where they are new."""
        path = self.folder / f"towers-{hashlib.sha256(chr(10).join(inputs).encode()).hexdigest()[:16]}.npy"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            log.info("running a tower on %d inputs", len(inputs) - 1)
            with torch.autocast(self.encoders.device, torch.bfloat16, enabled=self.half):
                rows = make()
            part = path.with_suffix(".part")
            with part.open("wb") as stream:
                np.save(stream, rows)
            part.replace(path)
        return np.asarray(np.load(path), np.float32)

    @torch.inference_mode()
    def projected(self, projection: nn.Module, features: Rows) -> Rows:
        rows: Tensor = projection(torch.from_numpy(features).to(self.encoders.device))
        return np.asarray(unit(rows).float().cpu().numpy())

    @torch.inference_mode()
    def _of_texts(self, texts: Sequence[str]) -> Rows:
        """Texts of like length go together, so that little is padded."""
        model, tokenizer, device = self.encoders.model, self.encoders.tokenizer, self.encoders.device
        tower: Any = model.text_tower
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        rows: list[Rows] = [np.zeros(0, np.float32)] * len(texts)
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
    def _of_pictures(self, pictures: Sequence[data.Gray]) -> Rows:
        model = self.encoders.model
        tower: Any = model.image_tower
        parts = []
        for first in range(0, len(pictures), CHUNK):
            pixels = torch.from_numpy(to_batch(pictures[first : first + CHUNK], model.config.size))
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
