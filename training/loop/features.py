"""What a batch is made of: pictures and texts, the work of frozen lower layers done once and kept.

A frozen lower stage gives the same answer every epoch, so it runs once for a fixed number of augmented views, and an
epoch costs only the layers that learn. Knows nothing of losses and of the training loop.
"""

import hashlib
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.preprocess import batch as to_batch
from engine.preprocess import to_square
from engine.tokenizer import Tokenizer
from training.arrays import Float32Array, IndexArray
from training.data.pairs import Gray, PictureFiles, augment
from training.loop.precision import autocast
from training.networks.towers import DualEncoder

log = logging.getLogger(__name__)
CHUNK = 32
CLEAN_SHARE = 0.25


class Pictures:
    """The pictures of a split as input of the layers that learn, clean or in a random view.

    With cut 0 every view is made anew. With frozen stages, view 0 is the clean picture and views 1 to `views` are
    augmented ones; their maps are kept as float16 in a file of `folder`, named by all that they depend on.
    intensity: see `data.augment`.
    """

    def __init__(
        self,
        images: Sequence[Gray],
        model: DualEncoder,
        cut: int,
        views: int,
        seed: int,
        folder: Path,
        intensity: bool = True,
    ) -> None:
        self.images, self.size, self.cut, self.views, self.seed = images, model.config.size, cut, views, seed
        self.intensity = intensity
        self.decoders = ThreadPoolExecutor() if isinstance(images, PictureFiles) else None
        self.maps = self._maps(model, folder) if cut else None

    def clean(self, chosen: IndexArray) -> Tensor:
        if self.maps is not None:
            return torch.from_numpy(self.maps[0, chosen])
        if self.decoders:
            return torch.from_numpy(to_batch(list(self.decoders.map(self.images.__getitem__, chosen)), self.size))
        return torch.from_numpy(to_batch([self.images[i] for i in chosen], self.size))

    def draw(self, chosen: IndexArray, rng: np.random.Generator) -> Tensor:
        """One random view of each chosen picture, of kept ones every fourth time the clean one.

        The clean view is what is served: a network that never saw it puts all clean pictures a little aside, which
        widens the gap to the texts.
        """
        if self.maps is not None and not self.views:
            return self.clean(chosen)
        if self.maps is not None:
            views = rng.integers(1, self.views + 1, len(chosen))
            return torch.from_numpy(self.maps[np.where(rng.random(len(chosen)) < CLEAN_SHARE, 0, views), chosen])
        if self.decoders:  # files are decoded side by side, so each view has a generator of its own
            return torch.from_numpy(np.stack(list(self.decoders.map(self._drawn, chosen, rng.spawn(len(chosen))))))
        return torch.from_numpy(np.stack([augment(self.images[i], self.size, rng, self.intensity) for i in chosen]))

    def _drawn(self, index: int, rng: np.random.Generator) -> Gray:
        return augment(self.images[index], self.size, rng, self.intensity)

    def embed(self, model: DualEncoder, inputs: Tensor) -> Tensor:
        """float [N, D] of what `clean` or `draw` returned."""
        return model.image_upper(inputs.float(), self.cut) if self.cut else model.image(inputs)

    def _view(self, view: int, index: int) -> Gray:
        if view == 0:
            return to_square(self.images[index], self.size)
        return augment(self.images[index], self.size, np.random.default_rng([self.seed, view, index]), self.intensity)

    def _maps(self, model: DualEncoder, folder: Path) -> NDArray[np.float16]:
        settings = model.config
        tower = f"{settings.image_tower} {settings.pixel_mean} {settings.pixel_std}"
        told = f"{self.size} {self.cut} {self.seed} {tower}{'' if self.intensity else ' crops only'}"
        digest = weights_digest(model.image_tower, told)
        for image in self.images:
            digest.update(image.tobytes())
        name = f"maps-{digest.hexdigest()[:16]}"
        kept = max(map(open_maps, folder.glob(f"{name}-*.npy")), key=len, default=None)  # the most views
        if kept is not None and len(kept) > self.views:  # a view does not depend on how many there are
            return kept
        path = folder / f"{name}-{self.views}.npy"
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        model.eval()
        device = next(model.parameters()).device
        target: np.memmap | None = None
        started = time.monotonic()
        if kept is not None:
            target = np.lib.format.open_memmap(part, "w+", np.float16, (self.views + 1, *kept.shape[1:]))
            target[: len(kept)] = kept
        for view in range(0 if kept is None else len(kept), self.views + 1):
            for first in range(0, len(self.images), CHUNK):
                pixels = np.stack([self._view(view, i) for i in range(first, min(first + CHUNK, len(self.images)))])
                with torch.inference_mode(), autocast(device):
                    maps = model.image_lower(torch.from_numpy(pixels).to(device), self.cut).float().cpu().numpy()
                if target is None:
                    shape = (self.views + 1, len(self.images), *maps.shape[1:])
                    target = np.lib.format.open_memmap(part, "w+", np.float16, shape)
                target[view, first : first + len(maps)] = maps
            log.info("views %d/%d of the pictures, %.0f s", view + 1, self.views + 1, time.monotonic() - started)
        assert target is not None
        target.flush()
        part.replace(path)
        return open_maps(path)


def write_whole(path: Path, array: NDArray[np.float16]) -> None:
    """A file that is there in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as stream:
        np.save(stream, array)
    part.replace(path)


def open_maps(path: Path) -> NDArray[np.float16]:
    maps: NDArray[np.float16] = np.load(path, mmap_mode="r")
    return maps


def weights_digest(tower: nn.Module, told: str) -> "hashlib._Hash":
    """SHA-256, still open, of a tower's weights and of what else is told of it."""
    digest = hashlib.sha256(told.encode())
    for value in tower.state_dict().values():
        digest.update(value.detach().cpu().numpy().tobytes())
    return digest


class Texts:
    """Texts as input of the layers that learn; what frozen layers make of them is kept as float16.

    Hidden states are kept in memory. When all layers are frozen, one pooled vector a text is kept instead, and in a
    file of `folder` as well, named by all that it depends on; words cannot be hidden from it any more.
    """

    def __init__(
        self, texts: Sequence[str], model: DualEncoder, tokenizer: Tokenizer, cut: int, folder: Path | None = None
    ) -> None:
        self.cut, self.pooled = cut, cut > 0 and cut == getattr(model.text_tower, "layers", 0)
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
        order = np.argsort([len(text) for text in texts], kind="stable")  # neighbours in length pad each other little
        made: dict[int, Tensor] = {}
        for first in range(0, len(texts), CHUNK):
            chosen = order[first : first + CHUNK]
            ids, mask = tokenizer.encode_batch([texts[i] for i in chosen], model.config.max_length)
            with torch.inference_mode():
                lower = model.text_lower(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device), cut)
            kept = lower.half().cpu() if cut else lower.cpu()
            lengths = mask.sum(1) if not self.pooled else [kept.shape[1]] * len(kept)
            made |= {int(i): row[: int(length)].clone() for i, row, length in zip(chosen, kept, lengths)}
        self.items = [made[i] for i in range(len(texts))]
        if path:
            write_whole(path, torch.stack(self.items).numpy())

    def batch(
        self, chosen: IndexArray, dropout: float = 0.0, rng: np.random.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """The chosen texts padded to the longest, and their mask int64 [N, L]; `dropout`: share of tokens hidden."""
        items = [self.items[i] for i in chosen]
        if self.pooled:
            return torch.stack([item.float() for item in items]), torch.ones(len(items), 1, dtype=torch.int64)
        inputs = nn.utils.rnn.pad_sequence(items, batch_first=True)
        lengths = torch.tensor([len(item) for item in items])
        places = torch.arange(inputs.shape[1])
        mask = (places < lengths[:, None]).long()
        if dropout and rng is not None:
            hidden = torch.from_numpy(rng.random(tuple(mask.shape)) < dropout)
            hidden &= (places > 0) & (places < lengths[:, None] - 1)  # [CLS] and [SEP] always stay
            mask = mask.masked_fill(hidden, 0)
        return inputs, mask

    def embed(
        self, model: DualEncoder, chosen: IndexArray, dropout: float = 0.0, rng: np.random.Generator | None = None
    ) -> Tensor:
        """float [N, D] of the chosen texts; neighbours in length share a chunk, so that little padding is computed."""
        device = next(model.parameters()).device
        order = np.argsort([len(self.items[i]) for i in chosen], kind="stable")
        rows = []
        for first in range(0, len(order), CHUNK):
            inputs, mask = self.batch(chosen[order[first : first + CHUNK]], dropout, rng)
            inputs = inputs.float() if self.cut else inputs
            rows.append(model.text_upper(inputs.to(device), mask.to(device), self.cut))
        return torch.cat(rows)[torch.from_numpy(np.argsort(order))]


class PairExamples:
    """The pairs of a split as the training loop wants them: a draw of some rows, and their embeddings.

    texts: for each pair the numbers of the texts that may stand for it; the first is its own.
    groups: the split_group of each pair, if pairs of one group are to be told as the same.
    case_modality: what else is written about a case is a third modality, in place of its own text where nothing is.
    """

    def __init__(
        self,
        pictures: Pictures,
        texts: Texts,
        text_of: Sequence[list[int]],
        word_dropout: float,
        other_texts: float,
        groups: Sequence[str] | None = None,
        case_modality: bool = False,
    ) -> None:
        self.pictures, self.texts, self.text_of = pictures, texts, text_of
        self.word_dropout, self.other_texts = word_dropout, other_texts
        self.own = np.array([numbers[0] for numbers in text_of])
        self.groups = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        self.case_modality = case_modality

    def __len__(self) -> int:
        return len(self.text_of)

    def embed(self, model: DualEncoder, chosen: IndexArray, rng: np.random.Generator) -> tuple[list[Tensor], Tensor]:
        """Embeddings by modality of one random view of each chosen pair; bool [N, N], see `same`."""
        drawn = self.draw_texts(chosen, self.other_texts, rng)
        device = next(model.parameters()).device
        views = self.pictures.draw(chosen, rng).to(device)
        found = [self.pictures.embed(model, views).float()]
        found.append(self.texts.embed(model, drawn, self.word_dropout, rng).float())
        if self.case_modality:
            found.append(self.texts.embed(model, self.draw_texts(chosen, 1.0, rng), self.word_dropout, rng).float())
        return found, self.same(chosen).to(device)

    def draw_texts(self, chosen: IndexArray, others: float, rng: np.random.Generator) -> IndexArray:
        """The number of a text for each chosen pair: with probability `others` not its own, where there is another."""
        drawn = self.own[chosen]
        for place, row in enumerate(chosen):
            more = self.text_of[int(row)][1:]
            if more and rng.random() < others:
                drawn[place] = more[rng.integers(len(more))]
        return drawn

    def same(self, chosen: IndexArray) -> Tensor:
        """bool [N, N], True where the own texts of two chosen pairs agree, or their groups where those were given."""
        own = self.own[chosen]
        agree = own[:, None] == own[None, :]
        if self.groups is not None:
            groups = self.groups[chosen]
            agree |= groups[:, None] == groups[None, :]
        return torch.from_numpy(agree)


@torch.no_grad()
def embed_all(model: DualEncoder, pictures: Pictures, texts: Texts) -> tuple[Float32Array, Float32Array]:
    """Embeddings of every clean picture and every text, float32 [N, D] and [T, D], in eval mode."""
    model.eval()
    device = next(model.parameters()).device
    image_rows = []
    for first in range(0, len(pictures.images), CHUNK):
        chosen = np.arange(first, min(first + CHUNK, len(pictures.images)))
        image_rows.append(pictures.embed(model, pictures.clean(chosen).to(device)).float().cpu().numpy())
    text_rows = texts.embed(model, np.arange(len(texts.items))).float().cpu().numpy()
    return np.concatenate(image_rows), text_rows
