"""Zero-shot AUROC: does the cosine with words alone tell which images show a finding? Knows no models and no files.

The score of an image is its cosine with words for the finding minus its cosine with words for the opposite; each is the
mean direction of several phrasings. They were chosen on val for CLIP-LT and ATP+CU together, so values on val are too
high. The truth is the MeSH terms of IU X-ray. Definitions: docs/method.md, "Metrics".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.arrays import BoolArray, Float64Array, FloatArray, IntArray
from training.metrics.gap import normalised
from training.metrics.shares import divided

MIN_EACH = 4
"""Images that must show a finding, and must not, for its AUROC to be measured."""


@dataclass(frozen=True)
class Words:
    """One question put to the space: phrasings of the finding and of its opposite, and the headings that are true."""

    headings: frozenset[str]
    """The MeSH headings of which an image has at least one if the answer is yes."""
    yes: tuple[str, ...]
    no: tuple[str, ...]


NOTHING = ("normal chest", "no acute cardiopulmonary abnormality", "the lungs are clear")
QUESTIONS: Mapping[str, Words] = {
    "normal": Words(
        frozenset({"normal"}),
        (
            "Heart size normal. Lungs clear. No pleural effusion or pneumothorax. "
            "No acute cardiopulmonary abnormality.",
            "The heart is normal in size. The lungs are clear. Normal chest.",
        ),
        (
            "Cardiomegaly. Bilateral pleural effusions and airspace opacities.",
            "Abnormal opacity in the lung.",
            "Degenerative changes. Calcified granuloma. Scarring.",
            "The heart is enlarged. Atelectasis at the lung base.",
        ),
    ),
    "cardiomegaly": Words(
        frozenset({"Cardiomegaly"}),
        ("Cardiomegaly. The heart is enlarged.", "Stable cardiomegaly."),
        ("The heart is normal in size.", "Heart size within normal limits."),
    ),
    "effusion": Words(
        frozenset({"Pleural Effusion"}),
        ("pleural effusion", "there is a pleural effusion", "blunting of the costophrenic angle by pleural fluid"),
        ("no pleural effusion", "there is no pleural effusion", "the costophrenic angles are sharp", *NOTHING),
    ),
    "opacity": Words(
        frozenset({"Opacity", "Airspace Disease", "Infiltrate", "Consolidation", "Pneumonia"}),
        ("opacity in the lung", "airspace disease", "consolidation"),
        ("no focal consolidation", "no airspace disease", *NOTHING),
    ),
    "nodule": Words(
        frozenset({"Nodule", "Mass"}),
        ("pulmonary nodule", "nodule in the lung", "lung mass"),
        ("no pulmonary nodule", *NOTHING),
    ),
    "pneumothorax": Words(
        frozenset({"Pneumothorax", "Hydropneumothorax", "Hemopneumothorax"}),
        ("pneumothorax", "there is a pneumothorax", "collapsed lung with a pleural line"),
        ("no pneumothorax", "there is no pneumothorax", *NOTHING),
    ),
    "fracture": Words(
        frozenset({"Fractures, Bone"}),
        ("fracture",),
        ("no fracture",),
    ),
    "device": Words(
        frozenset(
            {
                "Implanted Medical Device",
                "Medical Device",
                "Catheters, Indwelling",
                "Tube, Inserted",
                "Surgical Instruments",
                "Stents",
                "Sutures",
                "Spinal Fusion",
            }
        ),
        (
            "Right central venous catheter tip in the SVC.",
            "Endotracheal tube tip above the carina.",
            "Dual lead pacemaker.",
            "Surgical clips and median sternotomy wires.",
            "Right internal jugular port catheter.",
        ),
        ("Normal chest.", "The lungs are clear.", "No acute cardiopulmonary abnormality."),
    ),
}


def phrases() -> list[str]:
    """Every phrasing of QUESTIONS once, in a fixed order; a model embeds them for `scores`."""
    return list(dict.fromkeys(text for asked in QUESTIONS.values() for text in (*asked.yes, *asked.no)))


def scores(images: FloatArray, words: FloatArray) -> dict[str, Float64Array]:
    """The score of every image for each of QUESTIONS, float64 [N].

    Args:
        images: float [N, D], unit rows.
        words: float [phrases, D], unit rows, in the order of `phrases`.
    """
    row = {text: number for number, text in enumerate(phrases())}

    def direction(texts: Sequence[str]) -> Float64Array:
        chosen = np.asarray(words, np.float64)[[row[text] for text in texts]]
        return np.asarray(normalised(chosen.mean(0, keepdims=True))[0])

    return {
        name: np.asarray(images, np.float64) @ (direction(asked.yes) - direction(asked.no))
        for name, asked in QUESTIONS.items()
    }


def positives(shown: Sequence[frozenset[str]], groups: IntArray) -> dict[str, dict[str, int]]:
    """By name of QUESTIONS, how many images have a heading that is true, and of how many groups: "images", "studies".

    An AUROC over many images of few studies is one of few observations.
    """
    found = {}
    for name, asked in QUESTIONS.items():
        rows = [row for row, headings in enumerate(shown) if headings & asked.headings]
        found[name] = {"images": len(rows), "studies": len(set(groups[rows].tolist()))}
    return found


def auroc(values: FloatArray, positive: BoolArray) -> float:
    """Probability that a positive scores above a negative; ties count half.

    Args:
        values: float [N]; positive: bool [N].

    Returns:
        nan if all are positive or none is.
    """
    return float(auroc_resamples(values, positive, np.ones((1, len(positive))))[0])


def auroc_resamples(values: FloatArray, positive: BoolArray, weights: Float64Array) -> Float64Array:
    """`auroc` in each resample, given row weights [draws, N]: float64 [draws]."""
    order = np.argsort(np.asarray(values, np.float64), kind="stable")
    level = np.flatnonzero(np.diff(np.asarray(values, np.float64)[order], prepend=-np.inf) > 0)
    ups, downs = (np.add.reduceat((weights * chosen)[:, order], level, axis=1) for chosen in (positive, ~positive))
    below = np.cumsum(downs, axis=1) - downs
    won = (ups * (below + 0.5 * downs)).sum(1)
    total = ups.sum(1) * downs.sum(1)
    return divided(won, total)


def measure(
    images: FloatArray, words: FloatArray, shown: Sequence[frozenset[str]], weights: Float64Array
) -> tuple[dict[str, float], dict[str, Float64Array]]:
    """auroc_NAME of each of QUESTIONS that the images can answer, and its resamples. By chance it is 0.5.

    Args:
        shown: the MeSH headings of each image; an image without any does not count.
        weights: float64 [draws, N], how often each image was drawn.
    """
    counted = np.array([bool(headings) for headings in shown])
    values: dict[str, float] = {}
    samples: dict[str, Float64Array] = {}
    for name, found in scores(images, words).items():
        positive = np.array([bool(headings & QUESTIONS[name].headings) for headings in shown])
        if min((positive & counted).sum(), (~positive & counted).sum()) < MIN_EACH:
            continue
        values[f"auroc_{name}"] = auroc(found[counted], positive[counted])
        samples[f"auroc_{name}"] = auroc_resamples(found[counted], positive[counted], weights[:, counted])
    return values, samples
