"""Fits and measures the classifiers that tell modality, region and view of an image from features of the models.

Labels come from columns of the pairs (modality, view, location), else from the words of the text, so that some are
wrong. Knows only features, labels and the file that it writes; see `engine.facts.from_models`.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from engine.errors import UserError
from engine.facts.fact import FactKind, Facts, first_of, value_of
from engine.facts.from_header import facts_of_columns
from engine.facts.from_models import LEAST, FactHead, FactHeads
from engine.facts.from_words import facts_of_words
from engine.models.manifest import file_entry
from training.arrays import Float32Array
from training.data.pairs import Pair

log = logging.getLogger(__name__)
FILE = "facts.npz"
KINDS: tuple[FactKind, ...] = ("modality", "region", "view")
"""What an image shows. Sides and contrast are told apart badly by these features: the published image trunk was trained
on flipped photographs."""
LEAST_IMAGES = 20
"""Rarer classes are left out."""
MOST_IMAGES = 1000
"""Of a class; more of a common one, such as frontal chest radiographs, add time and nothing else."""
DIRECTIONS = 384
"""Leading directions of the features that the classifiers see, which makes fitting several times faster."""
STRENGTHS = (0.3, 3.0)
"""Inverse regularisation (C of scikit-learn) that are tried on held-out training images."""
HELD_OUT = 5
"""Every fifth group of the training images chooses the strength and the temperature."""
BINS = 10
SEED = 0
Labels = NDArray[np.str_]


def labels_of(rows: Sequence[Pair]) -> dict[FactKind, Labels]:
    """What each row says of each kind, "" for nothing: str [N]."""
    words = {text: facts_of_words(text) for text in {row.text for row in rows}}
    facts = [first_of(_columns(row), words[row.text]) for row in rows]
    return {kind: np.array([value_of(one, kind) for one in facts]) for kind in KINDS}


def _columns(row: Pair) -> Facts:
    return facts_of_columns(*(row.values.get(name, "") for name in ("modality", "view", "location", "body_part")))


def fit(features: Float32Array, rows: Sequence[Pair]) -> FactHeads:
    """The classifiers of all kinds.

    Args:
        features: float32 [N, F], unit rows, one per training image.
        rows: the training rows, in the same order.

    Raises:
        UserError: no kind has two classes with enough images.
    """
    groups = np.array([hash_of(row.group or row.path.name) for row in rows])
    axes, rng = _axes(features), np.random.default_rng(SEED)
    heads: dict[FactKind, FactHead] = {}
    for kind, labels in labels_of(rows).items():
        counts = Counter(labels.tolist())
        kept = rng.random(len(labels)) < [MOST_IMAGES / counts[label] for label in labels.tolist()]
        kept &= [bool(label) and counts[label] >= LEAST_IMAGES for label in labels.tolist()]
        if len(set(labels[kept].tolist())) >= 2:
            head = _fit(features[kept] @ axes, labels[kept], groups[kept] % HELD_OUT == 0)
            heads[kind] = FactHead(head.classes, head.weights @ axes.T, head.bias, head.temperature)
    if not heads:
        raise UserError("No kind of fact has two classes of enough training images; use more pairs.")
    return FactHeads(heads)


def _axes(features: Float32Array) -> Float32Array:
    """Leading principal directions as float32 [F, K], scaled so that the first has unit variance."""
    variances, directions = np.linalg.eigh(np.cov(features, rowvar=False))
    return np.asarray(directions[:, ::-1][:, :DIRECTIONS] / np.sqrt(variances[-1]), np.float32)


def hash_of(group: str) -> int:
    """The same number for the same group in every run."""
    return sum(ord(letter) * (index + 1) for index, letter in enumerate(group))


def _fit(features: Float32Array, labels: Labels, held_out: NDArray[np.bool_]) -> FactHead:
    if len(set(labels[~held_out].tolist())) < len(set(labels.tolist())) or not held_out.any():
        held_out = np.arange(len(labels)) % HELD_OUT == 0
    tried = []
    for strength in STRENGTHS:
        head = _regression(features[~held_out], labels[~held_out], strength)
        temperature = _temperature(head, features[held_out], labels[held_out])
        head = FactHead(head.classes, head.weights, head.bias, temperature)
        tried.append((_loss(head, features[held_out], labels[held_out]), strength, temperature))
    _, strength, temperature = min(tried)
    head = _regression(features, labels, strength)
    return FactHead(head.classes, head.weights, head.bias, temperature)


def _regression(features: Float32Array, labels: Labels, strength: float) -> FactHead:
    model = LogisticRegression(C=strength, max_iter=100)
    model.fit(features, labels)
    coefficients, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn gives one row for two classes
        coefficients, bias = np.concatenate([-coefficients, coefficients]) / 2, np.concatenate([-bias, bias]) / 2
    return FactHead(tuple(map(str, model.classes_)), coefficients.astype(np.float32), bias.astype(np.float32))


def _loss(head: FactHead, features: Float32Array, labels: Labels) -> float:
    """Mean negative log-likelihood of the labels."""
    number = {value: index for index, value in enumerate(head.classes)}
    known = np.array([label in number for label in labels.tolist()])
    right = [number[label] for label in labels[known].tolist()]
    found = head.probabilities(features[known])[np.arange(len(right)), right]
    return float(-np.log(np.maximum(found, 1e-12)).mean())


def _temperature(head: FactHead, features: Float32Array, labels: Labels) -> float:
    """The temperature between 0.3 and 5 with the smallest loss."""
    tried = np.geomspace(0.3, 5, 41)
    losses = [_loss(FactHead(head.classes, head.weights, head.bias, float(one)), features, labels) for one in tried]
    return float(tried[int(np.argmin(losses))])


def measure(heads: FactHeads, features: Float32Array, rows: Sequence[Pair]) -> dict[str, Any]:
    """Accuracy, coverage and calibration of each kind and class on labelled rows.

    Returns:
        by kind: images, accuracy and coverage (of what is said at all), expected calibration error in BINS bins (Guo
        et al. 2017), and by class the same counts with `precision` instead.
    """
    result: dict[str, Any] = {}
    labels = labels_of(rows)
    for kind, head in heads.heads.items():
        known = labels[kind] != ""
        if not known.any():
            continue
        truth, probabilities = labels[kind][known], head.probabilities(features[known])
        best, said = np.array(head.classes)[probabilities.argmax(1)], probabilities.max(1)
        spoken = said >= LEAST
        result[kind] = {
            "images": int(known.sum()),
            "accuracy": _share(best[spoken] == truth[spoken]),
            "coverage": _share(spoken),
            "calibration_error": _calibration_error(said, best == truth),
            "classes": {
                value: {
                    "images": int((truth == value).sum()),
                    "recall": _share((best == value)[(truth == value)] & spoken[truth == value]),
                    "precision": _share((truth == value)[(best == value) & spoken]),
                }
                for value in sorted({*head.classes, *truth.tolist()})
            },
        }
    return result


def _share(flags: NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if len(flags) else None


def _calibration_error(said: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    gaps = [(bins == one).mean() * abs(said[bins == one].mean() - right[bins == one].mean()) for one in set(bins)]
    return float(sum(gaps))


def entry(
    folder: Path, train: Float32Array, training: Sequence[Pair], held_out: Float32Array, val: Sequence[Pair]
) -> dict[str, Any]:
    """{"fact_heads": the entry of `write`}; empty, and nothing written, where the pairs say too little to fit any."""
    try:
        return {"fact_heads": write(folder, train, training, held_out, val)}
    except UserError as problem:
        log.warning("The bundle tells no facts of images: %s", problem)
        return {}


def write(
    folder: Path, train: Float32Array, training: Sequence[Pair], held_out: Float32Array, val: Sequence[Pair]
) -> dict[str, Any]:
    """Write FILE into a bundle's folder and return its entry `fact_heads` of the manifest, measured on val."""
    fit(train, training).write(folder / FILE)
    kept = FactHeads.from_file(folder / FILE)  # rounded to float16, as the application will read it
    return {**file_entry(folder / FILE), "training_images": len(training), "val": measure(kept, held_out, val)}
