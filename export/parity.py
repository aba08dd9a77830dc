"""Compares an exported variant with its checkpoint. Knows nothing of how graphs are made or stored.

Both sides run end to end, preprocessing and tokenizer included: the checkpoint as in training, the bundle as in the
app.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.bundle import Bundle
from engine.errors import UserError
from engine.models import captioner
from training.metrics.embedders import FromCheckpoint
from training.networks.captioner import CaptionDecoder, decoder_shape, torch_step

LOWEST_COSINE = {"fp32": 0.9999, "fp16": 0.999, "int8": 0.98}
"""Of each variant, the lowest cosine that any row may have with that of the checkpoint."""
Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Reference:
    """Held-out inputs with the outputs of the checkpoint."""

    images: Sequence[NDArray[np.uint8]]
    texts: Sequence[str]
    image_rows: Rows
    text_rows: Rows
    captions: list[list[str]]
    """Greedy tokens for the first images."""


def reference(
    model: FromCheckpoint,
    decoder: CaptionDecoder,
    images: Sequence[NDArray[np.uint8]],
    texts: Sequence[str],
    captions: int = 8,
) -> Reference:
    """Run the checkpoint; the first `captions` images are captioned."""
    rows = model.images(images)
    step, shape = torch_step(decoder), decoder_shape(decoder)
    written = [captioner.generate(step, row, model.tokenizer, shape, beams=1).tokens for row in rows[:captions]]
    return Reference(images, texts, rows, model.texts(texts), written)


def row_cosines(first: Rows, second: Rows) -> NDArray[np.float64]:
    """Cosine of each row of [N, D] with the same row of the other."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(1) / lengths)


def measure(bundle: Bundle, expected: Reference) -> dict[str, Any]:
    """Lowest and mean row cosine of each tower, and how many greedy captions are identical."""
    figures: dict[str, Any] = {}
    pairs = {
        "image": (expected.image_rows, bundle.embed_images(expected.images)),
        "text": (expected.text_rows, bundle.embed_texts(expected.texts)),
    }
    for tower, (wanted, found) in pairs.items():
        cosines = row_cosines(wanted, found)
        figures[tower] = {
            "lowest_cosine": float(cosines.min()),
            "mean_cosine": float(cosines.mean()),
            "rows": len(cosines),
        }
    # From the checkpoint's own embeddings, so that the decoder alone is compared.
    written = [bundle.caption_embedding(row, beams=1).tokens for row in expected.image_rows[: len(expected.captions)]]
    same = sum(found == wanted for found, wanted in zip(written, expected.captions, strict=True))
    figures["captioner"] = {"equal_captions": same, "captions": len(written)}
    return figures


def demand(variant: str, figures: dict[str, Any], instead: str = "") -> None:
    """Refuse a variant that is too far from its checkpoint; `instead` is a sentence on what to do then.

    Raises:
        UserError: a row cosine of a tower is too low, or fp32 writes other captions.
    """
    needed = LOWEST_COSINE[variant]
    for tower in ("image", "text"):
        found = figures[tower]["lowest_cosine"]
        if not found >= needed:
            raise UserError(
                f"The {variant} {tower} model does not match its checkpoint: the lowest row cosine is "
                f"{found:.5f}, and {needed} is needed ({needed - found:.5f} short). "
                + (instead or f"Export without {variant}.")
            )
    words = figures["captioner"]
    if variant == "fp32" and words["equal_captions"] != words["captions"]:
        raise UserError(
            f"Only {words['equal_captions']} of {words['captions']} captions of the fp32 captioner match those of its "
            "checkpoint; do not use this export."
        )
