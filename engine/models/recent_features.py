"""Keeps the features of the pictures asked for last. Does not know models or what features are used for.

One question asks the same picture three times: for its vector, its facts and its familiarity.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Rows = NDArray[np.float32]
KEPT = 256
"""Pictures; 1,280 features of each take 1.3 MB."""


class RecentFeatures:
    """The rows of the last KEPT pictures, found by their pixels. For any number of threads."""

    def __init__(self) -> None:
        self._rows: OrderedDict[bytes, Rows] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, images: Sequence[Image], compute: Callable[[Sequence[Image]], Rows]) -> Rows:
        """The rows of at least one picture uint8 [H, W] -> float32 [N, F]; `compute` is asked for those not kept."""
        keys = [_key(image) for image in images]
        with self._lock:
            known = {key: self._rows[key] for key in keys if key in self._rows}
        missing = {key: image for key, image in zip(keys, images) if key not in known}
        if missing:
            known.update(zip(missing, compute(list(missing.values()))))
        with self._lock:
            for key in keys:
                self._rows[key] = known[key]
                self._rows.move_to_end(key)
            while len(self._rows) > KEPT:
                self._rows.popitem(last=False)
        return np.stack([known[key] for key in keys])


def _key(image: Image) -> bytes:
    digest = hashlib.blake2b(f"{image.dtype} {image.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()
