"""Scores of the captioner and of two baselines on val, and the decision whether it starts a draft. Knows no decoder."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training.captions import scores
from training.captions.material import Material
from training.metrics.gap import normalised

BASELINES = ("nearest_report", "most_frequent")
DECIDING = ("cider", "term_f1")
RULE = (
    "The captioner begins a draft only if its CIDEr-D and its term F1 on val are both clearly above those of the "
    "nearest training report (the lower end of its interval is not below that value); otherwise the nearest archived "
    "report begins."
)


def baselines(material: Material) -> dict[str, list[str]]:
    """The nearest training report, and the most frequent training text, for each val image."""
    texts = material.text_rows()
    images = normalised(material.val_images)
    return {
        "nearest_report": scores.nearest(images, normalised(texts), material.texts[: len(texts)]),
        "most_frequent": [scores.most_frequent(material.pair_texts)] * len(images),
    }


def report(written: Sequence[str], material: Material) -> dict[str, Any]:
    """Scores in % with intervals of the captions and of both baselines, and the share of copies."""
    systems = {"captioner": list(written), **baselines(material)}
    weights = scores.resamples(material.val_groups)
    measured = {
        name: scores.in_percent(scores.measure(found, material.val_texts), weights) for name, found in systems.items()
    }
    copies = scores.copying(written, material.known_texts)
    found = {"captions": len(written), "copying_8_words": float(np.mean(copies)), "different": len(set(written))}
    return {**found, **measured}


def decision(found: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's entry `draft` (engine.models.confidence), from the result of `report`; see RULE."""
    own, nearest = (found[name] for name in ("captioner", "nearest_report"))
    wins = all(own[name]["low"] >= nearest[name]["value"] for name in DECIDING)
    measured = {name: {score: found[name][score] for score in DECIDING} for name in ("captioner", *BASELINES)}
    return {
        "start": "captioner" if wins else "nearest-report",
        "rule": RULE,
        "measured": {"captions": found["captions"], **measured},
    }
