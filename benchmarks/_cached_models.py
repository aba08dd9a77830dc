"""A bundle whose vectors are kept in a file, so that a measurement over thousands of images can be run again.

Stands in for `engine.bundle.Bundle` wherever the engine asks for a Drafter. Does not know what is measured.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.bundle import Bundle

Vectors = NDArray[np.float32]


class CachedModels:
    """Embeds each image and text once; the rest is the bundle's. Not for several threads."""

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        self._bundle = bundle
        self._file = folder / f"drafts-{bundle.id}.npz"
        self._rows: dict[str, Vectors] = {}
        if self._file.is_file():
            with np.load(self._file) as kept:
                for kind in kept["kinds"].tolist():
                    self._rows.update(zip(kept[f"keys_{kind}"].tolist(), kept[f"rows_{kind}"]))

    def __getattr__(self, name: str) -> Any:
        """Whatever is not cached is the bundle's."""
        return getattr(self._bundle, name)

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> Vectors:
        """As `Bundle.embed_images`."""
        keys = [f"image:{_digest(one.tobytes() + str(one.shape).encode())}" for one in images]
        return self._cached(keys, images, self._bundle.embed_images)

    def image_features(self, images: Sequence[NDArray[np.uint8]]) -> Vectors:
        """As `Bundle.image_features`."""
        keys = [f"features:{_digest(one.tobytes() + str(one.shape).encode())}" for one in images]
        return self._cached(keys, images, self._bundle.image_features)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """As `Bundle.embed_texts`."""
        return self._cached([f"text:{_digest(one.encode())}" for one in texts], texts, self._bundle.embed_texts)

    def _cached(self, keys: Sequence[str], values: Sequence[Any], compute: Callable[[Sequence[Any]], Any]) -> Vectors:
        missing = {key: value for key, value in zip(keys, values, strict=True) if key not in self._rows}
        if missing:
            self._rows.update(zip(missing, compute(list(missing.values()))))
        return np.stack([self._rows[key] for key in keys])

    def save(self) -> None:
        """Write the file; call it after every few hundred new vectors."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        kinds = sorted({key.split(":")[0] for key in self._rows})
        content: dict[str, Any] = {"kinds": np.array(kinds)}
        for kind in kinds:
            chosen = [key for key in self._rows if key.startswith(f"{kind}:")]
            content[f"keys_{kind}"] = np.array(chosen)
            content[f"rows_{kind}"] = np.stack([self._rows[key] for key in chosen])
        part = self._file.with_suffix(".part.npz")
        np.savez(part, **content)
        part.replace(self._file)


def _digest(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()[:20]
