"""Training and validation data of the caption decoder, read and embedded once per encoders checkpoint.

Does not know the decoder or the training loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.tokenizer import Tokenizer
from training.arrays import Float32Array
from training.captions import examples
from training.captions.examples import Example
from training.captions.frozen_features import FrozenFeatures, NoFeatures
from training.captions.texts import about_the_image
from training.data.pairs import corpus, read_manifest, read_pairs
from training.metrics.embedders import FromCheckpoint
from training.metrics.gap import centred
from training.networks.bundle_towers import BundleTextTower
from training.networks.sources import minilm_word_vectors


@dataclass(frozen=True)
class CaptionDataSettings:
    """[data] of a captioner's configuration; paths are relative to the data folder."""

    pairs: list[str] = field(default_factory=lambda: ["pairs/pairs.csv"])
    """Manifests of pairs; the first one's val split is validated on."""
    texts: list[str] = field(default_factory=list)
    """CSV or CSV.gz files of texts without images."""
    most_texts: int = 0
    """Texts without images to embed, a fixed random sample; 0 embeds all."""
    pairs_share: float = 0.4
    """Share of the examples that have an image."""
    views: int = 0
    """Augmented views of each image besides the clean one."""
    noise_low: float = 0.3
    """Shortest noise added to an embedding."""
    noise_high: float = 1.2
    """Longest noise added to an embedding."""
    centre: bool = False
    """Subtract each modality's mean from its embeddings."""
    about_picture: bool = True
    """Train only on sentences about the image, without history and figure marks."""


@dataclass(frozen=True)
class Material:
    """Everything that a decoder is trained and measured on."""

    tokenizer: Tokenizer
    tokenizer_json: str
    word_vectors: Float32Array | None
    """float32 [V, dim], initial token embeddings, see `word_vectors`."""
    paired: list[Example]
    unpaired: list[Example]
    conditions: Float32Array
    """float32 [R, D], unit rows: first the unique texts, then the images view by view."""
    texts: list[str]
    """Unique training texts in their original wording, those of the pairs first."""
    pair_texts: list[str]
    """The training text of each pair."""
    val_images: Float32Array
    """float32 [V, D], unit rows."""
    val_texts: list[str]
    val_groups: list[str]
    val_patients: list[str]
    image_mean: Float32Array
    """float32 [D] over the training pairs."""
    text_mean: Float32Array
    """float32 [D] over the training pairs."""
    val_text_rows: Float32Array
    """float32 [V, D] of `val_texts`, to measure the space; never trained on."""
    known_texts: list[str]
    """Every text that the decoder, or one it starts from, may have been trained on; copies are detected by these."""

    def text_rows(self) -> Float32Array:
        """float32 [T, D] of the unique texts of the pairs, the first T of `texts`."""
        return self.conditions[: len(dict.fromkeys(self.pair_texts))]

    def image_rows(self) -> Float32Array:
        """float32 [P, D] of the images of the pairs, without augmented views."""
        return self.conditions[len(self.texts) : len(self.texts) + len(self.pair_texts)]

    def for_mode(self, mode: str) -> "Material":
        """The material of one mode: "text" (text embeddings only), "pairs" (image embeddings only), "both", "language".

        "language" has all texts and zeros as conditions. A decoder trained on it has learned the wording of reports but
        not yet the meaning of embeddings.
        """
        if mode == "language":
            paired, unpaired = ([replace(one, rows=(0,)) for one in part] for part in (self.paired, self.unpaired))
            unseen = np.zeros((1, self.conditions.shape[1]), np.float32)
            return replace(self, paired=paired, unpaired=unpaired, conditions=unseen, val_images=self.val_images * 0)
        texts, all_rows = len(self.texts), len(self.conditions)
        first, last = {"text": (0, texts), "pairs": (texts, all_rows), "both": (0, all_rows)}[mode]
        paired = [replace(one, rows=tuple(row for row in one.rows if first <= row < last)) for one in self.paired]
        return replace(self, paired=paired, unpaired=[] if mode == "pairs" else self.unpaired)

    def centred(self) -> "Material":
        """All rows minus the mean of their modality, normalised again, which closes the remaining gap."""
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
    root: Path,
    cache: Path,
    *,
    dim: int,
    max_tokens: int,
    half: bool = True,
    language: bool = False,
) -> Material:
    """Read the manifests below `root` and embed everything that any mode is trained on.

    Args:
        cache: folder of cached features.
        dim: width of the decoder, for its word vectors.
        max_tokens: longest text in tokens.
        half: run the towers in bfloat16.
        language: embed nothing; the rows are zeros.
    """
    frozen = FrozenFeatures(encoders_path, cache, half)
    encoders = frozen.encoders
    features = NoFeatures(encoders.model.config.dim) if language else frozen
    sets = [read_pairs([root / name], frozen.stream or language) for name in settings.pairs]
    training = [part.split("train") for part in sets]
    rows = [row for part in training for row in part.rows]
    pair_texts = list(dict.fromkeys(row.text for row in rows))
    all_unpaired = other_texts(settings.texts, root, pair_texts)
    sample = sorted(np.random.default_rng(0).permutation(len(all_unpaired))[: settings.most_texts or None].tolist())
    unpaired_texts = [all_unpaired[index] for index in sample]
    unique = [*pair_texts, *unpaired_texts]
    val = sets[0].split("val")

    parts = [features.texts(pair_texts), *([features.texts(unpaired_texts)] if unpaired_texts else [])]
    views = range(1, settings.views + 1)
    by_part = [np.split(features.images(part, views), settings.views + 1) for part in training]
    parts += [rows_of_view for view in zip(*by_part) for rows_of_view in view]
    conditions = np.concatenate(parts)

    number = {text: index for index, text in enumerate(unique)}
    targets = [about_the_image(text) if settings.about_picture else text for text in unique]
    ids = examples.encode(targets, encoders.tokenizer, max_tokens)
    paired = []
    for index, row in enumerate(rows):
        text = number[row.text]
        images = [len(unique) + index + view * len(rows) for view in range(settings.views + 1)]
        if targets[text]:
            paired.append(Example(ids[text], (text, *images)))
    return Material(
        tokenizer=encoders.tokenizer,
        tokenizer_json=encoders.tokenizer_json,
        word_vectors=word_vectors(encoders, dim),
        paired=paired,
        unpaired=[Example(ids[index], (index,)) for index in range(len(pair_texts), len(unique)) if targets[index]],
        conditions=conditions,
        texts=unique,
        pair_texts=[row.text for row in rows],
        val_images=features.images(val),
        val_texts=[row.text for row in val.rows],
        val_groups=[row.group for row in val.rows],
        val_patients=[row.patient for row in val.rows],
        image_mean=conditions[len(unique) : len(unique) + len(rows)].mean(0),
        text_mean=conditions[[number[row.text] for row in rows]].mean(0),
        val_text_rows=features.texts([row.text for row in val.rows]),
        known_texts=[*pair_texts, *all_unpaired],
    )


def other_texts(corpora: Sequence[str], root: Path, pair_texts: list[str]) -> list[str]:
    """The texts without images that no pair has, each once."""
    known = set(pair_texts)
    texts = (" ".join(text.split()) for name in corpora for text in corpus(root / name))
    return [text for text in dict.fromkeys(texts) if text not in known]


def training_texts(pairs: Sequence[str], texts: Sequence[str], root: Path) -> list[str]:
    """Every text that a decoder may have been trained on, given these manifests and text files, each once."""
    rows = [row for name in pairs for row in read_manifest(root / name)[0] if row.split == "train"]
    pair_texts = list(dict.fromkeys(row.text for row in rows))
    return [*pair_texts, *other_texts(texts, root, pair_texts)]


def word_vectors(encoders: FromCheckpoint, dim: int) -> Float32Array | None:
    """The text tower's word vectors on their first `dim` principal axes, float32 [V, dim]; None if it has none.

    They give similar words similar initial embeddings, which a decoder could hardly learn from few texts. Those of a
    bundle's graph are rounded; it is a MiniLM, whose published vectors of the same tokens are used.
    """
    tower: Any = encoders.model.text_tower
    if isinstance(tower, BundleTextTower):
        rows = minilm_word_vectors(encoders.tokenizer_json)
    else:
        embeddings = getattr(getattr(tower.model, "embeddings", None), "word_embeddings", None)
        rows = None if embeddings is None else embeddings.weight.detach().float().cpu().numpy()
    if rows is None or rows.shape[0] != encoders.tokenizer.size or rows.shape[1] < dim:
        return None
    rows = rows - rows.mean(0)
    _, _, axes = np.linalg.svd(rows, full_matrices=False)
    flat = rows @ axes[:dim].T
    return np.asarray(flat * (0.03 / flat.std()), np.float32)
