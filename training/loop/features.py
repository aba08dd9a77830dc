"""Batches of images and texts, with the output of frozen lower layers computed once and cached.

A frozen lower stage gives the same output in every epoch, so it runs once on a fixed number of augmented views, and an
epoch costs only the layers that learn. Does not know the losses or the training loop.
"""

import hashlib
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.preprocess import batch as to_batch
from engine.preprocess import to_square
from engine.store.safety.whole_file import flush
from engine.tokenizer import Tokenizer
from training.arrays import Float32Array, IndexArray
from training.data.augment import VERSION, augment
from training.data.pairs import Gray
from training.loop.precision import autocast
from training.networks.towers import WHOLE, DualEncoder

log = logging.getLogger(__name__)
CHUNK = 32
CLEAN_SHARE = 0.25
"""How often the clean view is drawn. The clean view is the one used in production: a network that
never saw it shifts all clean images slightly, which widens the gap to the texts."""


@dataclass(frozen=True)
class Views:
    """Which views of its images a split is embedded from."""

    cut: int = 0
    """Frozen image stages, whose output is cached; 0 augments anew at each draw."""
    augmented: int = 0
    """Cached augmented views per image besides the clean one, which is view 0."""
    seed: int = 1
    intensity: bool = True
    """Vary brightness, contrast and gamma, not only the crop; see `training.data.augment`."""
    windows: bool = False
    """Show them at other windows and exposures as well; each image according to its modality."""


class ImageBatches:
    """The images of a split as input of the layers that learn, clean or in a random view.

    With frozen stages their feature maps are cached as float16 in a file of `folder`, whose name is a hash of
    everything they depend on.
    """

    def __init__(
        self,
        images: Sequence[Gray],
        model: DualEncoder,
        views: Views,
        folder: Path,
        modalities: Sequence[str] | None = None,
    ) -> None:
        self.images, self.size, self.views = images, model.config.size, views
        self.modalities = list(modalities or [""] * len(images))
        self.workers = ThreadPoolExecutor()
        self.maps = self._cached_maps(model, folder) if views.cut else None

    def clean(self, chosen: IndexArray) -> Tensor:
        """The clean view of the chosen images: uint8 [N, S, S], or float16 feature maps of the frozen stages."""
        if self.maps is not None:
            return torch.from_numpy(self.maps[0, chosen])
        return torch.from_numpy(to_batch(list(self.workers.map(self.images.__getitem__, chosen)), self.size))

    def pick(self, count: int, rng: np.random.Generator, unlike: IndexArray | None = None) -> IndexArray:
        """One random view of each chosen image, shaped as in `clean`; `views`: the numbers of cached ones [N]."""
        last = self.views.augmented
        if self.maps is None or not last:
            return np.zeros(count, np.intp)
        views = rng.integers(1, last + 1, count)
        found = np.where(rng.random(count) < CLEAN_SHARE, 0, views)
        if unlike is None:
            return found
        return np.where(found == unlike, (found + rng.integers(1, last + 1, count)) % (last + 1), found)

    def draw(self, chosen: IndexArray, rng: np.random.Generator, views: IndexArray | None = None) -> Tensor:
        """One random view of each chosen image, shaped as in `clean`; `views`: the numbers of cached ones."""
        if self.maps is not None:
            return torch.from_numpy(self.maps[self.pick(len(chosen), rng) if views is None else views, chosen])
        generators = rng.spawn(len(chosen))  # views are drawn in parallel, so each has a generator of its own
        return torch.from_numpy(np.stack(list(self.workers.map(self._draw_one, chosen, generators))))

    def embed(self, model: DualEncoder, inputs: Tensor) -> Tensor:
        """Returns float [N, D] of what `clean` or `draw` returned."""
        return model.image_upper(inputs.float(), self.views.cut) if self.views.cut else model.image(inputs)

    def _draw_one(self, index: int, rng: np.random.Generator) -> Gray:
        return self._view(0, index) if rng.random() < CLEAN_SHARE else self._augment(index, rng)

    def _augment(self, index: int, rng: np.random.Generator) -> Gray:
        modality = self.modalities[index] if self.views.windows else None
        return augment(self.images[index], self.size, rng, self.views.intensity, modality)

    def _view(self, view: int, index: int) -> Gray:
        if view == 0:
            return to_square(self.images[index], self.size)
        return self._augment(index, np.random.default_rng([self.views.seed, view, index]))

    def _cached_maps(self, model: DualEncoder, folder: Path) -> NDArray[np.float16]:
        """float16 [views, N, ...] from the cache; missing views are computed and the file is written again."""
        views = self.views
        tower = f"{model.config.image_tower} {model.config.pixel_mean} {model.config.pixel_std}"
        inputs = f"{self.size} {views.cut} {views.seed} {tower}{'' if views.intensity else ' crops only'}"
        inputs += VERSION
        if views.windows:
            inputs += f" windows {self.modalities}"
        digest = weights_digest(model.image_tower, inputs)
        for image in self.images:
            digest.update(image.tobytes())
        name = f"maps-{digest.hexdigest()[:16]}"
        cached = max(map(open_maps, folder.glob(f"{name}-*.npy")), key=len, default=None)  # the most views
        if cached is not None and len(cached) > views.augmented:  # a view does not depend on how many there are
            return cached
        path = folder / f"{name}-{views.augmented}.npy"
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        model.eval()
        device = next(model.parameters()).device
        target: np.memmap | None = None
        started = time.monotonic()
        if cached is not None:
            target = np.lib.format.open_memmap(part, "w+", np.float16, (views.augmented + 1, *cached.shape[1:]))
            target[: len(cached)] = cached
        for view in range(0 if cached is None else len(cached), views.augmented + 1):
            for first in range(0, len(self.images), CHUNK):
                pixels = np.stack([self._view(view, i) for i in range(first, min(first + CHUNK, len(self.images)))])
                with torch.inference_mode(), autocast(device):
                    maps = model.image_lower(torch.from_numpy(pixels).to(device), views.cut).float().cpu().numpy()
                if target is None:
                    shape = (views.augmented + 1, len(self.images), *maps.shape[1:])
                    target = np.lib.format.open_memmap(part, "w+", np.float16, shape)
                target[view, first : first + len(maps)] = maps
            log.info(
                "cached views %d/%d of the images, %.0f s", view + 1, views.augmented + 1, time.monotonic() - started
            )
        assert target is not None
        target.flush()
        flush(part)
        part.replace(path)
        return open_maps(path)


def write_atomically(path: Path, array: NDArray[np.float16]) -> None:
    """Write an array so that a killed process never leaves half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as stream:
        np.save(stream, array)
    flush(part)
    part.replace(path)


def open_maps(path: Path) -> NDArray[np.float16]:
    """Memory-mapped feature maps [views, N, ...]."""
    maps: NDArray[np.float16] = np.load(path, mmap_mode="r")
    return maps


def weights_digest(tower: nn.Module, inputs: str) -> "hashlib._Hash":
    """SHA-256, not finalized, of `inputs` and of a tower's weights and buffers."""
    digest = hashlib.sha256(inputs.encode())
    for value in tower.state_dict().values():
        digest.update(value.detach().cpu().numpy().tobytes())
    return digest


class TextBatches:
    """Texts as input of the layers that learn; the output of frozen layers is cached as float16.

    Hidden states are held in memory. If all layers are frozen, one pooled vector per text is cached instead, and also
    in a file of `folder` whose name is a hash of everything it depends on. Tokens of a pooled text cannot be masked.
    """

    def __init__(
        self, texts: Sequence[str], model: DualEncoder, tokenizer: Tokenizer, cut: int, folder: Path | None = None
    ) -> None:
        self.cut, self.pooled = cut, cut != 0 and cut in (WHOLE, getattr(model.text_tower, "layers", 0))
        self.items: list[Tensor] = []  # int64 [L] ids, float16 [L, width] hidden states or float16 [width] features
        path: Path | None = None
        if self.pooled and folder is not None:
            digest = weights_digest(model.text_tower, f"{model.config.text_tower} {model.config.max_length} {cut}")
            digest.update("\0".join([tokenizer.to_str(), *texts]).encode())
            path = folder / f"texts-{digest.hexdigest()[:16]}.npy"
            if path.exists():
                self.items = list(torch.from_numpy(np.load(path)))
                return
        model.eval()
        device = next(model.parameters()).device
        order = np.argsort([len(text) for text in texts], kind="stable")  # similar lengths need little padding
        computed: dict[int, Tensor] = {}
        for first in range(0, len(texts), CHUNK):
            chosen = order[first : first + CHUNK]
            ids, mask = tokenizer.encode_batch([texts[i] for i in chosen], model.config.max_length)
            with torch.inference_mode():
                lower = model.text_lower(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device), cut)
            rows = lower.half().cpu() if cut else lower.cpu()
            lengths = mask.sum(1) if not self.pooled else [rows.shape[1]] * len(rows)
            computed |= {int(i): row[: int(length)].clone() for i, row, length in zip(chosen, rows, lengths)}
        self.items = [computed[i] for i in range(len(texts))]
        if path:
            write_atomically(path, torch.stack(self.items).numpy())

    def batch(
        self, chosen: IndexArray, dropout: float = 0.0, rng: np.random.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """The chosen texts padded to the longest, and their mask int64 [N, L]; `dropout`: share of tokens masked."""
        items = [self.items[i] for i in chosen]
        if self.pooled:
            return torch.stack([item.float() for item in items]), torch.ones(len(items), 1, dtype=torch.int64)
        inputs = nn.utils.rnn.pad_sequence(items, batch_first=True)
        lengths = torch.tensor([len(item) for item in items])
        positions = torch.arange(inputs.shape[1])
        mask = (positions < lengths[:, None]).long()
        if dropout and rng is not None:
            dropped = torch.from_numpy(rng.random(tuple(mask.shape)) < dropout)
            dropped &= (positions > 0) & (positions < lengths[:, None] - 1)  # never [CLS] and [SEP]
            mask = mask.masked_fill(dropped, 0)
        return inputs, mask

    def embed(
        self, model: DualEncoder, chosen: IndexArray, dropout: float = 0.0, rng: np.random.Generator | None = None
    ) -> Tensor:
        """Returns float [N, D] of the chosen texts, computed in chunks of similar length to save padding."""
        device = next(model.parameters()).device
        order = np.argsort([len(self.items[i]) for i in chosen], kind="stable")
        rows = []
        for first in range(0, len(order), CHUNK):
            inputs, mask = self.batch(chosen[order[first : first + CHUNK]], dropout, rng)
            inputs = inputs.float() if self.cut else inputs
            rows.append(model.text_upper(inputs.to(device), mask.to(device), self.cut))
        return torch.cat(rows)[torch.from_numpy(np.argsort(order))]


def embed_all(model: DualEncoder, images: ImageBatches, texts: TextBatches) -> tuple[Float32Array, Float32Array]:
    """Embeddings of all clean images and all texts, float32 [N, D] and [T, D], in eval mode."""
    return embed_images(model, images), embed_texts(model, texts)


@torch.no_grad()
def embed_images(model: DualEncoder, images: ImageBatches) -> Float32Array:
    """Embeddings of all clean images, float32 [N, D], in eval mode."""
    model.eval()
    device = next(model.parameters()).device
    image_rows = []
    for first in range(0, len(images.images), CHUNK):
        chosen = np.arange(first, min(first + CHUNK, len(images.images)))
        image_rows.append(images.embed(model, images.clean(chosen).to(device)).float().cpu().numpy())
    return np.concatenate(image_rows)


@torch.no_grad()
def embed_texts(model: DualEncoder, texts: TextBatches) -> Float32Array:
    """Embeddings of all texts, float32 [T, D], in eval mode."""
    model.eval()
    rows: Float32Array = texts.embed(model, np.arange(len(texts.items))).float().cpu().numpy()
    return rows
