"""What the caption decoder learns from, read and embedded once per encoders. Knows no decoder and no training loop."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.tokenizer import Tokenizer
from training import caption_data, data
from training.caption_data import Example
from training.caption_texts import about_the_picture
from training.embedders import FromCheckpoint
from training.train_encoders import corpus

log = logging.getLogger(__name__)
Rows = NDArray[np.float32]


@dataclass(frozen=True)
class DataSettings:
    pairs: list[str] = field(default_factory=lambda: ["pairs/pairs.csv"])
    texts: list[str] = field(default_factory=list)
    pairs_share: float = 0.4
    views: int = 0
    noise_low: float = 0.3
    noise_high: float = 1.2
    about_picture: bool = True


@dataclass(frozen=True)
class Material:
    """Everything that a decoder learns from and is measured on.

    conditions: float32 [R, D], first the unique texts, then the pictures view by view.
    """

    tokenizer: Tokenizer
    tokenizer_json: str
    word_vectors: Rows | None
    paired: list[Example]
    alone: list[Example]
    conditions: Rows
    texts: list[str]
    """Unique training texts as they were written, those of the pairs first."""
    pair_texts: list[str]
    """The training text of each pair."""
    val_images: Rows
    val_texts: list[str]
    val_groups: list[str]


class Kept:
    """Embeddings of one encoders checkpoint, kept in a folder under a hash of all that they depend on."""

    def __init__(self, encoders: FromCheckpoint, digest: str, folder: Path, half: bool) -> None:
        self.encoders, self.digest, self.folder, self.half = encoders, digest, folder, half

    def rows(self, names: Sequence[str], make: Callable[[], Rows]) -> Rows:
        """The rows kept for `names` (texts, or names of pictures and views), made where they are new."""
        key = hashlib.sha256("\n".join([self.digest, *names]).encode()).hexdigest()[:16]
        path = self.folder / f"captions-{key}.npy"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            log.info("embedding %d", len(names))
            with torch.autocast(self.encoders.device, torch.bfloat16, enabled=self.half):
                np.save(path, make())
        return np.asarray(np.load(path), np.float32)

    def texts(self, texts: Sequence[str]) -> Rows:
        return self.rows([f"text {text}" for text in texts], lambda: self.encoders.texts(texts))

    def pictures(self, pairs: data.Pairs, view: int = 0) -> Rows:
        """Embeddings of the pictures as they are (view 0), or of the augmented view of that number."""
        size = self.encoders.model.config.size

        def make() -> Rows:
            images: Sequence[data.Gray] = pairs.images
            if view:
                images = [data.augment(im, size, np.random.default_rng([1, view, i])) for i, im in enumerate(images)]
            return self.encoders.images(images)

        return self.rows([f"view {view}", *(str(row.path.name) for row in pairs.rows)], make)


def gather(
    encoders_path: Path, mode: str, settings: DataSettings, dim: int, max_tokens: int, root: Path, cache: Path,
    half: bool = True,
) -> Material:  # fmt: skip
    """Read the manifests below `root`, and embed what `mode` ("text", "pairs" or "both") learns from.

    Args:
        dim: width of the decoder, for its word vectors.
        max_tokens: longest text in tokens.
        cache: folder of kept embeddings.
        half: embed in bfloat16.
    """
    encoders = FromCheckpoint(encoders_path)
    kept = Kept(encoders, digest(encoders_path), cache, half)
    sets = [data.read_pairs([root / name]) for name in settings.pairs]
    training = [part.split("train") for part in sets]
    rows = [row for part in training for row in part.rows]
    alone = [] if mode == "pairs" else [text for name in settings.texts for text in corpus(root / name)]
    unique = list(dict.fromkeys([*(row.text for row in rows), *(" ".join(text.split()) for text in alone)]))
    val = sets[0].split("val")
    views = 0 if mode == "text" else settings.views + 1
    parts = [kept.texts(unique)]
    parts += [np.concatenate([kept.pictures(part, view) for part in training]) for view in range(views)]
    number = {text: index for index, text in enumerate(unique)}
    shown = [about_the_picture(text) if settings.about_picture else text for text in unique]
    ids = caption_data.encode(shown, encoders.tokenizer, max_tokens)
    paired = []
    for index, row in enumerate(rows):
        text = number[row.text]
        pictures = [len(unique) + index + view * len(rows) for view in range(views)]
        if shown[text]:
            paired.append(Example(ids[text], (*([text] if mode != "pairs" else []), *pictures)))
    count = len({row.text for row in rows})
    return Material(
        encoders.tokenizer, encoders.tokenizer_json, word_vectors(encoders, dim), paired,
        [Example(ids[index], (index,)) for index in range(count, len(unique)) if shown[index]],
        np.concatenate(parts), unique, [row.text for row in rows], kept.pictures(val),
        [row.text for row in val.rows], [row.group for row in val.rows],
    )  # fmt: skip


def word_vectors(encoders: FromCheckpoint, dim: int) -> Rows | None:
    """The text tower's own word vectors on their `dim` main axes, float32 [V, dim]; None where a tower has none such.

    Words that the tower finds alike then start alike, which a decoder with few texts could hardly learn.
    """
    tower: Any = encoders.model.text_tower
    embeddings = getattr(getattr(tower.model, "embeddings", None), "word_embeddings", None)
    if embeddings is None or embeddings.weight.shape[0] != encoders.tokenizer.size:
        return None
    rows = embeddings.weight.detach().float().cpu().numpy()
    rows = rows - rows.mean(0)
    if rows.shape[1] < dim:
        return None
    _, _, axes = np.linalg.svd(rows, full_matrices=False)
    flat = rows @ axes[:dim].T
    return np.asarray(flat * (0.03 / flat.std()), np.float32)


def digest(path: Path) -> str:
    """SHA-256 of the encoders checkpoint: a decoder reads the space of that one and of no other."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
