"""Teach the text tower how radiologists write, from texts without pictures: `python -m training text --config FILE`.

Each text is cut into two parts, and InfoNCE lets the tower find which parts belong together. What comes out is a
transformers folder; name it as `text` in the recipe of an encoders run. Knows nothing of pictures.
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
FEWEST_WORDS = 8  # of a text that can be cut into two parts


class TextEncoder(nn.Module):
    """A text tower alone: int64 [N, L] ids and mask -> float [N, width], unit rows."""

    def __init__(self, name: str, max_length: int, layers: int | None, frozen_layers: int) -> None:
        super().__init__()
        words: Any = sources.text_model(name, None, None, layers)  # its texts will be longer than these halves
        self.tower = text_tower(words.config.to_dict(), words)
        self.tokenizer = Tokenizer.from_str(sources.tokenizer_json(name))
        self.max_length = max_length
        for part in self.tower.parts(frozen_layers):
            part.requires_grad_(False)

    def forward(self, texts: Sequence[str]) -> Tensor:
        ids, mask = self.tokenizer.encode_batch(list(texts), self.max_length)
        device = next(self.parameters()).device
        return unit(self.tower.upper(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device), 0))


class Halves:
    """Texts as the training loop wants them: of each, two parts that share no sentence, or no word where it has one.

    dropout: share of the words of a part that are left out as well.
    """

    def __init__(self, texts: Sequence[str], dropout: float) -> None:
        self.texts, self.dropout = list(texts), dropout

    def __len__(self) -> int:
        return len(self.texts)

    def embed(self, model: Any, chosen: IndexArray, rng: np.random.Generator) -> tuple[list[Tensor], None]:
        parts = [halves(self.texts[int(i)], self.dropout, rng) for i in chosen]
        return [model([part[side] for part in parts]).float() for side in (0, 1)], None


def halves(text: str, dropout: float, rng: np.random.Generator) -> tuple[str, str]:
    """Two parts of a text in random order: half of its sentences each, or of its words where it is one sentence."""
    pieces = re.split(r"(?<=[.;!?])\s+", text.strip())
    if len(pieces) < 2:
        pieces = text.split()
    side = rng.permutation(len(pieces)) < len(pieces) / 2
    parts = [[piece for piece, here in zip(pieces, chosen) if here] for chosen in (side, ~side)]
    first, second = (thinned(" ".join(part), dropout, rng) for part in parts)
    return first, second


def thinned(text: str, dropout: float, rng: np.random.Generator) -> str:
    words = text.split()
    kept = [word for word, gone in zip(words, rng.random(len(words)) < dropout) if not gone]
    return " ".join(kept or words)


def held_out(text: str) -> bool:
    """By a hash of the text alone, so that the same text is held out in every run."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32 < HELD_OUT


def train(settings: config.EncoderSettings, root: Path, out: Path, resume: bool = False) -> Path:
    """Train a text tower; the transformers folder of its best epoch.

    Args:
        root: the folder that the text files are named from.
        out: takes the folder `model`, last.pt and log.jsonl.

    Raises:
        UserError: a text file is missing, or fewer than two texts are long enough.
    """
    torch.set_num_threads(settings.train.threads)
    every = dict.fromkeys(" ".join(text.split()) for name in settings.data.texts for text in corpus(root / name))
    texts = [text for text in every if len(text.split()) >= FEWEST_WORDS]
    towers = settings.towers
    torch.manual_seed(settings.train.seed)
    model = TextEncoder(towers.text, towers.max_length, towers.text_layers or None, towers.frozen_text_layers)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    examples = Halves([text for text in texts if not held_out(text)], settings.train.word_dropout)
    rng = np.random.default_rng(0)
    val = [halves(text, 0.0, rng) for text in texts if held_out(text)]
    folder = out / "model"

    def keep(_: Metrics) -> None:
        save(model, towers.text, folder)

    objective = Objective(settings.loss.tau, settings.loss.learn_tau, settings.loss.atp, settings.loss.cu)
    trainer = Trainer(
        model,
        objective.to(next(model.parameters()).device),
        examples,
        settings.train,
        lambda: found_halves(model, val),
        keep,
        out,
        settings.identity(len(examples)),
    )
    log.info("%d texts to train on, %d to validate on; before: %s", len(examples), len(val), found_halves(model, val))
    trainer.run(resume)
    return folder


@torch.no_grad()
def found_halves(model: TextEncoder, val: Sequence[tuple[str, str]]) -> Metrics:
    """How often the other part of a held-out text is the nearest, or among the ten nearest."""
    model.eval()
    sides = [
        np.concatenate([model([p[side] for p in val[i : i + CHUNK]]).cpu().numpy() for i in range(0, len(val), CHUNK)])
        for side in (0, 1)
    ]
    scores, right = sides[0] @ sides[1].T, np.eye(len(val), dtype=bool)
    return {"score": recall_at(scores, right, 1), "r10": recall_at(scores, right, 10)}


def save(model: TextEncoder, source: str, folder: Path) -> None:
    """The tower and its tokenizer as a transformers folder; an earlier one stays until this one is whole."""
    from transformers import AutoTokenizer

    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    tower: Any = model.tower.model
    tower.save_pretrained(part)
    AutoTokenizer.from_pretrained(sources.text_folder(source)).save_pretrained(part)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def main(argv: Sequence[str]) -> int:
    options = arguments("text", "Teach the text tower from texts without pictures.", argv)
    folder = train(config.read(options.config), options.data, options.out, options.resume)
    log.info("the text tower: %s", folder)
    return 0
