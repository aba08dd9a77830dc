"""What the caption decoder learns from, read and embedded once per encoders. Knows no decoder and no training loop."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.tokenizer import Tokenizer
from training.arrays import Float32Array
from training.captions import examples
from training.captions.examples import Example
from training.captions.frozen_features import FrozenFeatures
from training.captions.texts import about_the_picture
from training.data.pairs import corpus, read_manifest, read_pairs
from training.metrics.embedders import FromCheckpoint
from training.metrics.gap import centred


@dataclass(frozen=True)
class CaptionDataSettings:
    pairs: list[str] = field(default_factory=lambda: ["pairs/pairs.csv"])
    texts: list[str] = field(default_factory=list)
    most_texts: int = 0  # without pictures that are embedded, a fixed draw of them; 0: all
    pairs_share: float = 0.4
    views: int = 0
    noise_low: float = 0.3
    noise_high: float = 1.2
    centre: bool = False
    about_picture: bool = True


@dataclass(frozen=True)
class Material:
    """Everything that a decoder learns from and is measured on.

    conditions: float32 [R, D], first the unique texts, then the pictures view by view. image_mean, text_mean: float32
    [D], over the training pairs.
    """

    tokenizer: Tokenizer
    tokenizer_json: str
    word_vectors: Float32Array | None
    paired: list[Example]
    alone: list[Example]
    conditions: Float32Array
    texts: list[str]
    """Unique training texts as they were written, those of the pairs first."""
    pair_texts: list[str]
    """The training text of each pair."""
    val_images: Float32Array
    val_texts: list[str]
    val_groups: list[str]
    val_patients: list[str]
    image_mean: Float32Array
    text_mean: Float32Array
    val_text_rows: Float32Array
    """float32 [V, D] of `val_texts`, to measure the space with; nothing learns from it."""
    known_texts: list[str]
    """Every text that a decoder may have learned, also one it starts from: what a copy is told by."""

    def text_rows(self) -> Float32Array:
        """float32 [T, D] of the unique texts of the pairs, the first T of `texts`."""
        return self.conditions[: len(dict.fromkeys(self.pair_texts))]

    def picture_rows(self) -> Float32Array:
        """float32 [P, D] of the pairs' pictures, augmented views left out."""
        return self.conditions[len(self.texts) : len(self.texts) + len(self.pair_texts)]

    def for_mode(self, mode: str) -> "Material":
        """What one mode learns from: "text", "pairs" (no text leads to a caption), "both", or "language".

        "language" has the texts of all and no condition: every row is 0. A decoder that starts from it knows how
        reports are worded and has yet to learn what an embedding means.
        """
        if mode == "language":
            paired, alone = ([replace(one, rows=(0,)) for one in part] for part in (self.paired, self.alone))
            unseen = np.zeros((1, self.conditions.shape[1]), np.float32)
            return replace(self, paired=paired, alone=alone, conditions=unseen, val_images=self.val_images * 0)
        texts, all_rows = len(self.texts), len(self.conditions)
        first, last = {"text": (0, texts), "pairs": (texts, all_rows), "both": (0, all_rows)}[mode]
        paired = [replace(one, rows=tuple(row for row in one.rows if first <= row < last)) for one in self.paired]
        return replace(self, paired=paired, alone=[] if mode == "pairs" else self.alone)

    def centred(self) -> "Material":
        """All rows less the mean of their kind, and of unit length again: that closes what is left of the gap."""
        texts = len(self.texts)
        rows = [
            centred(part, mean)
            for part, mean in ((self.conditions[:texts], self.text_mean), (self.conditions[texts:], self.image_mean))
        ]
        images = centred(self.val_images, self.image_mean).astype(np.float32)
        return replace(self, conditions=np.concatenate(rows).astype(np.float32), val_images=images)


def gather(
    encoders_path: Path,
    settings: CaptionDataSettings,
    dim: int,
    max_tokens: int,
    root: Path,
    cache: Path,
    half: bool = True,
) -> Material:
    """Read the manifests below `root` and embed all that any mode learns from; pictures as the encoders' recipe says.

    Args:
        dim: width of the decoder, for its word vectors.
        max_tokens: longest text in tokens.
        cache: folder of kept features.
        half: run the towers in bfloat16.
    """
    kept = FrozenFeatures(encoders_path, cache, half)
    encoders = kept.encoders
    sets = [read_pairs([root / name], kept.stream) for name in settings.pairs]
    training = [part.split("train") for part in sets]
    rows = [row for part in training for row in part.rows]
    of_pairs = list(dict.fromkeys(row.text for row in rows))
    alone = other_texts(settings.texts, root, of_pairs)
    drawn = sorted(np.random.default_rng(0).permutation(len(alone))[: settings.most_texts or None].tolist())
    others = [alone[place] for place in drawn]
    unique = [*of_pairs, *others]
    val = sets[0].split("val")
    parts = [kept.texts(of_pairs), *([kept.texts(others)] if others else [])]
    views = range(1, settings.views + 1)
    by_part = [np.split(kept.pictures(part, views), settings.views + 1) for part in training]
    parts += [rows_of_view for view in zip(*by_part) for rows_of_view in view]
    number = {text: index for index, text in enumerate(unique)}
    shown = [about_the_picture(text) if settings.about_picture else text for text in unique]
    ids = examples.encode(shown, encoders.tokenizer, max_tokens)
    paired = []
    for index, row in enumerate(rows):
        text = number[row.text]
        pictures = [len(unique) + index + view * len(rows) for view in range(settings.views + 1)]
        if shown[text]:
            paired.append(Example(ids[text], (text, *pictures)))
    conditions = np.concatenate(parts)
    return Material(
        encoders.tokenizer,
        encoders.tokenizer_json,
        word_vectors(encoders, dim),
        paired,
        [Example(ids[index], (index,)) for index in range(len(of_pairs), len(unique)) if shown[index]],
        conditions,
        unique,
        [row.text for row in rows],
        kept.pictures(val),
        [row.text for row in val.rows],
        [row.group for row in val.rows],
        [row.patient for row in val.rows],
        conditions[len(unique) : len(unique) + len(rows)].mean(0),
        conditions[[number[row.text] for row in rows]].mean(0),
        kept.texts([row.text for row in val.rows]),
        [*of_pairs, *alone],
    )


def other_texts(corpora: Sequence[str], root: Path, of_pairs: list[str]) -> list[str]:
    """The texts without pictures that are none of those of the pairs, each once."""
    known = set(of_pairs)
    alone = (" ".join(text.split()) for name in corpora for text in corpus(root / name))
    return [text for text in dict.fromkeys(alone) if text not in known]


def training_texts(pairs: Sequence[str], texts: Sequence[str], root: Path) -> list[str]:
    """Every text that a decoder may have learned from these manifests and corpora, each once."""
    rows = [row for name in pairs for row in read_manifest(root / name)[0] if row.split == "train"]
    of_pairs = list(dict.fromkeys(row.text for row in rows))
    return [*of_pairs, *other_texts(texts, root, of_pairs)]


def word_vectors(encoders: FromCheckpoint, dim: int) -> Float32Array | None:
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
