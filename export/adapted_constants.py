"""What an adapted bundle has to measure anew, because its space is another one. Trains nothing and judges nothing."""

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
"""Natural log-probability a token that a captioner may lose before its drafts no longer begin a report."""


def of_pairs(shipped: FromBundle, before: Bundle, val: Pairs) -> dict[str, Any]:
    """Score scale and evidence threshold; the old threshold where the sentences give none."""
    texts = list(dict.fromkeys(row.text for row in val.rows))
    found: dict[str, Any] = {
        "calibration": score_scale.from_embeddings(shipped.images(val.images), shipped.texts(texts), val.rows)
    }
    try:
        found["evidence"] = score_scale.pairs_evidence(val.rows, shipped.texts).as_dict()
    except ValueError as problem:
        log.warning("The evidence threshold stays as it was: %s.", problem)
        told = f"{problem}; it is that of the bundle these were adapted from"
        found["evidence"] = {"threshold": before.evidence_threshold, "not_measured": told}
    return found


def of_pictures(folder: Path, adapted: Bundle, pictures: Mapping[str, Sequence[Gray]]) -> dict[str, Any]:
    """The entry `familiarity`: statistics of the archive's training pictures, threshold from all other patients.

    The statistics of the bundle that it came from are of the old space, and its training pictures are not at hand; so
    what the adapted bundle knows is what this archive shows.
    """
    others = [*pictures[VAL], *pictures[HELD_OUT]]
    return familiarity.write(folder, adapted.image_features(pictures[TRAIN]), adapted.image_features(others))


def of_drafts(before: Bundle, change: float) -> dict[str, Any]:
    """The entry `draft`: as before while the captioner reads the new pictures about as well.

    Otherwise the nearest report begins, and what was measured of the captioner's confidence is dropped.

    Args:
        before: the bundle that the captioner comes from.
        change: how much its log-probability a token of the held-out reports rose, natural logarithm.
    """
    if change >= WORSE_DRAFTS:
        return dict(before.manifest.get("draft") or {})
    return {"start": "nearest-report"}
