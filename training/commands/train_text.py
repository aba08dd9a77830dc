"""Pretrain the text tower on reports without images: `python -m training text --config FILE`.

Each text is split into two parts, and InfoNCE trains the tower to match the parts that belong together. The result is a
transformers folder, to be named as `text` in the recipe of an encoders run. Does not know images.
"""

import hashlib
import logging
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.store.safety.whole_file import flush_folder
from engine.tokenizer import Tokenizer
from training.arrays import IndexArray
from training.data.pairs import corpus
from training.loop import config
from training.loop.command import arguments
from training.loop.features import CHUNK
from training.loop.losses import Objective
from training.loop.trainer import Metrics, Trainer
from training.metrics.ranking import recall_at
from training.networks import sources
from training.networks.towers import text_tower, unit

log = logging.getLogger(__name__)
HELD_OUT = 0.03
"""Share of the texts that is validated on."""
MIN_WORDS = 8
"""Texts of fewer words are left out."""


class TextEncoder(nn.Module):
    """A text tower alone: texts -> float [N, width], unit rows."""

    def __init__(self, name: str, max_length: int, layers: int | None, frozen_layers: int) -> None:
        super().__init__()
        # No maximum length here: the texts of a later encoders run are longer than these halves.
        model: Any = sources.text_model(name, None, None, layers)
        self.tower = text_tower(model.config.to_dict(), model)
        self.tokenizer = Tokenizer.from_str(sources.tokenizer_json(name))
        self.max_length = max_length
        for part in self.tower.parts(frozen_layers):
            part.requires_grad_(False)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Returns float [N, width], unit rows."""
        ids, mask = self.tokenizer.encode_batch(list(texts), self.max_length)
        device = next(self.parameters()).device
        return unit(self.tower.upper(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device), 0))


class HalfTextExamples:
    """Texts for the training loop: two parts of each as the two modalities.

    dropout: share of the words that are left out of each part.
    """

    def __init__(self, texts: Sequence[str], dropout: float) -> None:
        self.texts, self.dropout = list(texts), dropout

    def __len__(self) -> int:
        return len(self.texts)

    def embed(self, model: Any, chosen: IndexArray, rng: np.random.Generator) -> tuple[list[Tensor], None]:
        """Embeddings of both parts, float [N, width] each."""
        parts = [halves(self.texts[int(i)], self.dropout, rng) for i in chosen]
        return [model([part[side] for part in parts]).float() for side in (0, 1)], None


def halves(text: str, dropout: float, rng: np.random.Generator) -> tuple[str, str]:
    """Two parts of a text in random order: half of its sentences each, or of its words if it has one sentence."""
    pieces = re.split(r"(?<=[.;!?])\s+", text.strip())
    if len(pieces) < 2:
        pieces = text.split()
    side = rng.permutation(len(pieces)) < len(pieces) / 2
    parts = [[piece for piece, used in zip(pieces, chosen) if used] for chosen in (side, ~side)]
    first, second = (drop_words(" ".join(part), dropout, rng) for part in parts)
    return first, second


def drop_words(text: str, dropout: float, rng: np.random.Generator) -> str:
    """The text without a random share of its words, but never empty."""
    words = text.split()
    kept = [word for word, dropped in zip(words, rng.random(len(words)) < dropout) if not dropped]
    return " ".join(kept or words)


def held_out(text: str) -> bool:
    """Decided by a hash of the text alone, so that the same texts are held out in every run."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32 < HELD_OUT


def train(settings: config.EncoderSettings, root: Path, out: Path, resume: bool = False) -> Path:
    """Train a text tower; the transformers folder of its best epoch.

    Args:
        root: the folder that the text files are relative to.
        out: folder for `model`, last.pt and log.jsonl.

    Raises:
        UserError: a text file is missing, or fewer than two texts are long enough.
    """
    torch.set_num_threads(settings.train.threads)
    every = dict.fromkeys(" ".join(text.split()) for name in settings.data.texts for text in corpus(root / name))
    texts = [text for text in every if len(text.split()) >= MIN_WORDS]
    towers = settings.towers
    torch.manual_seed(settings.train.seed)
    model = TextEncoder(towers.text, towers.max_length, towers.text_layers or None, towers.frozen_text_layers)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    examples = HalfTextExamples([text for text in texts if not held_out(text)], settings.train.word_dropout)
    rng = np.random.default_rng(0)
    val = [halves(text, 0.0, rng) for text in texts if held_out(text)]
    folder = out / "model"
    trainer = Trainer(
        model,
        Objective(settings.loss).to(next(model.parameters()).device),
        examples,
        settings.train,
        validate=lambda: matched_halves(model, val),
        save_best=lambda _: save(model, towers.text, folder),
        folder=out,
        identity=settings.identity(len(examples)),
        defaults=config.DEFAULTS,
    )
    before = matched_halves(model, val)
    log.info("%d texts to train on, %d to validate on; before training: %s", len(examples), len(val), before)
    trainer.run(resume)
    return folder


@torch.no_grad()
def matched_halves(model: TextEncoder, val: Sequence[tuple[str, str]]) -> Metrics:
    """How often the other part of a held-out text is the nearest (score), or among the ten nearest (r10)."""
    model.eval()
    sides = [
        np.concatenate([model([p[side] for p in val[i : i + CHUNK]]).cpu().numpy() for i in range(0, len(val), CHUNK)])
        for side in (0, 1)
    ]
    similarities, positives = sides[0] @ sides[1].T, np.eye(len(val), dtype=bool)
    return {"score": recall_at(similarities, positives, 1), "r10": recall_at(similarities, positives, 10)}


def save(model: TextEncoder, source: str, folder: Path) -> None:
    """Write the tower and its tokenizer as a transformers folder; an earlier one is replaced when this is complete."""
    from transformers import AutoTokenizer

    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    tower: Any = model.tower.model
    tower.save_pretrained(part)
    AutoTokenizer.from_pretrained(sources.text_folder(source)).save_pretrained(part)
    flush_folder(part)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    options = arguments("text", "Pretrain the text tower on reports without images.", argv)
    folder = train(config.read(options.config), options.data, options.out, options.resume)
    log.info("wrote the text tower to %s", folder)
    return 0
