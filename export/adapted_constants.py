"""Measures the constants of an adapted bundle, since its space is a new one. Trains nothing and judges nothing."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.bundle import Bundle
from training.data.archive_pairs import HELD_OUT, TRAIN, VAL
from training.data.pairs import Gray, Pairs
from training.metrics import familiarity, score_scale
from training.metrics.embedders import FromBundle

log = logging.getLogger(__name__)
WORSE_DRAFTS = -0.05
"""Natural log-probability per token that a captioner may lose before drafts no longer start from it."""


def of_pairs(shipped: FromBundle, before: Bundle, val: Pairs) -> dict[str, Any]:
    """Score scale and evidence threshold; the old threshold where the sentences give none."""
    texts = list(dict.fromkeys(row.text for row in val.rows))
    found: dict[str, Any] = {
        "calibration": score_scale.from_embeddings(shipped.images(val.images), shipped.texts(texts), val.rows)
    }
    try:
        found["evidence"] = score_scale.pairs_evidence(val.rows, shipped.texts).as_dict()
    except ValueError as problem:
        log.warning("The evidence threshold is kept: %s.", problem)
        reason = f"{problem}; it is that of the bundle these were adapted from"
        found["evidence"] = {"threshold": before.evidence_threshold, "not_measured": reason}
    return found


def of_images(folder: Path, adapted: Bundle, images: Mapping[str, Sequence[Gray]]) -> dict[str, Any]:
    """The entry `familiarity`: statistics of the archive's training images, threshold from all other patients.

    The statistics of the source bundle are of the old space, and its training images are not available. So the adapted
    bundle is familiar with what this archive shows.
    """
    others = [*images[VAL], *images[HELD_OUT]]
    return familiarity.write(folder, adapted.image_features(images[TRAIN]), adapted.image_features(others))


def of_drafts(before: Bundle, change: float) -> dict[str, Any]:
    """The entry `draft`: unchanged as long as the captioner fits the new image embeddings about as well.

    Otherwise drafts start from the nearest report, and the calibration of the captioner's confidence is dropped.

    Args:
        before: the bundle that the captioner comes from.
        change: rise of its natural log-probability per token of the held-out reports.
    """
    if change >= WORSE_DRAFTS:
        return dict(before.manifest.get("draft") or {})
    return {"start": "nearest-report"}
