"""Score scale: mean and deviation of cosines by kind of pair, and the evidence threshold, both measured on val.

Knows no models and no archives.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from engine.errors import UserError
from engine.models.copy_guard import normalized_words
from engine.text.sentences import sentences
from training.arrays import BoolArray, Float32Array, FloatArray
from training.data.pairs import Pair
from training.metrics import pool
from training.metrics.retrieval import IMAGE_IMAGE, IMAGE_REPORT, REPORT_REPORT, shared_groups

log = logging.getLogger(__name__)
EmbedTexts = Callable[[list[str]], FloatArray]
TAIL, NORMAL_TAIL = 0.99, 2.3263
"""A share of the pairs, and how many deviations above the mean of a normal distribution it ends."""
FEWEST_PAIRS = 100
"""Unrelated pairs of a kind; of fewer, the 99th percentile is the largest."""
LEAST_PRECISION = 0.5
"""Of a threshold that may be used at all: more of the pairs it lets through say the same than not."""
LEAST_DEVIATION = 0.01
"""What integer weights alone may change a cosine by; search divides by the deviation."""
ONE_GROUP = "Scores are calibrated on unrelated pairs of the split val; give it pairs of at least two split_groups."


def from_cosines(cosines: FloatArray, is_text: BoolArray, related: BoolArray) -> dict[str, dict[str, float]]:
    """Mean and deviation of the raw cosines between unrelated items, by kind of pair.

    The deviation is that of the upper tail: how far the 99th percentile lies above the mean, over what that is in a
    normal distribution. A ranking is decided among the nearest of thousands, and the tails of the kinds differ:
    pictures of strangers can look very much alike. With the plain deviation the top 10 leaned to the query's own kind.
    A kind with fewer than FEWEST_PAIRS, as where all patients share a few stock texts, takes the constants of all kinds
    together: its cosines then count as they are.

    Args:
        cosines: float [items, items] between all images and unique texts.
        is_text: bool [items].
        related: bool [items, items], True where two items share a split_group; those are left out, and so is each
            item with itself.

    Returns:
        {"image-image" | "image-report" | "report-report": {"mean", "std"}}, as the manifest of a bundle holds it; std
        is at least LEAST_DEVIATION.

    Raises:
        UserError: no two items are unrelated.
    """
    kinds = is_text[:, None].astype(int) + is_text[None, :].astype(int)
    counted = np.triu(~related, 1)
    if not counted.any():
        raise UserError(ONE_GROUP)
    result = {}
    for number, name in enumerate((IMAGE_IMAGE, IMAGE_REPORT, REPORT_REPORT)):
        chosen = counted & (kinds == number)
        if (pairs := int(chosen.sum())) < FEWEST_PAIRS:
            log.warning("%d unrelated %s pairs are too few to calibrate on; all kinds are taken together", pairs, name)
            chosen = counted
        values = np.asarray(cosines[chosen], np.float64)
        mean = float(values.mean())
        deviation = float(np.quantile(values, TAIL) - mean) / NORMAL_TAIL
        result[name] = {"mean": mean, "std": max(deviation, LEAST_DEVIATION)}
    return result


@dataclass(frozen=True, slots=True)
class EvidenceThreshold:
    """The cosine from which two sentences count as saying the same, and what it was worth where it was measured."""

    threshold: float
    precision: float
    """Share of sentence pairs at or above the threshold that come from the same split_group."""
    pairs: int
    """How many sentence pairs that share was counted on."""
    chance: float
    """The same share over all sentence pairs."""

    def as_dict(self) -> dict[str, float]:
        """Plain values for the manifest."""
        return asdict(self)


def evidence_threshold(
    embeddings: FloatArray,
    texts: Sequence[int],
    groups: Sequence[str],
    wordings: Sequence[str],
    precision: float = 0.9,
    fewest: int = 20,
) -> EvidenceThreshold:
    """The lowest cosine above which sentences of two different texts come from the same split_group this often.

    The precision asked for is 0.9, against a chance of about 0.01 on val. Sentences of one text say different things
    and are not compared. Neither are sentences of the same wording: they support each other whatever the threshold is,
    so they say nothing about it, and as stock sentences come from everywhere they would count as wrong. Where no
    threshold reaches the precision, the most precise one over at least `fewest` pairs is taken if it reaches
    LEAST_PRECISION, and the result says how precise that is.

    Args:
        embeddings: float [S, D], unit rows, one a sentence.
        texts: the number of the text that each sentence stands in.
        groups: the split_group of each sentence.
        wordings: each sentence without case and punctuation.

    Raises:
        ValueError: fewer than `fewest` pairs of sentences can be compared, or no threshold is precise enough.
    """
    rows = np.asarray(embeddings, np.float64)
    first, second = np.triu_indices(len(rows), 1)
    numbers, names, worded = np.asarray(texts), np.asarray(groups), np.asarray(wordings)
    different = (numbers[first] != numbers[second]) & (worded[first] != worded[second])
    first, second = first[different], second[different]
    if len(first) < fewest:
        raise ValueError(f"{len(first)} pairs of sentences are too few to calibrate on; {fewest} are needed")
    cosines, same = (rows @ rows.T)[first, second], names[first] == names[second]
    order = np.argsort(-cosines, kind="stable")
    cosines, same = cosines[order], same[order]
    precisions = np.cumsum(same) / np.arange(1, len(same) + 1)
    # A threshold cannot part equal cosines, so only the last of each run of equals is a candidate.
    last_of_run = np.append(cosines[1:] != cosines[:-1], True)
    allowed = np.flatnonzero(last_of_run & (np.arange(1, len(same) + 1) >= fewest))
    good = allowed[precisions[allowed] >= precision]
    chosen = int(good[-1]) if len(good) else int(allowed[np.argmax(precisions[allowed])])
    if precisions[chosen] < min(precision, LEAST_PRECISION):
        raise ValueError(
            f"of the most similar pairs of sentences only {precisions[chosen]:.0%} come from the same case, and "
            f"{LEAST_PRECISION:.0%} are needed"
        )
    return EvidenceThreshold(float(cosines[chosen]), float(precisions[chosen]), chosen + 1, float(same.mean()))


def pairs_evidence(pairs: Iterable[Pair], embed: EmbedTexts) -> EvidenceThreshold:
    """`report_evidence` of the texts of some pairs, each once."""
    groups: dict[str, str] = {}
    for pair in pairs:
        groups.setdefault(pair.text, pair.group)
    return report_evidence(list(groups), list(groups.values()), embed)


def report_evidence(
    texts: Sequence[str], groups: Sequence[str], embed: EmbedTexts, precision: float = 0.9
) -> EvidenceThreshold:
    """`evidence_threshold` over the sentences of unique report texts, parted as the product parts them.

    Args:
        groups: the split_group of each text; the same wording within a group counts once.
    """
    rows: dict[tuple[str, str], tuple[str, int]] = {}
    for number, (text, group) in enumerate(zip(texts, groups, strict=True)):
        for sentence in sentences(text):
            rows.setdefault((" ".join(normalized_words(sentence)), group), (sentence, number))
    return evidence_threshold(
        embed([sentence for sentence, _ in rows.values()]),
        [number for _, number in rows.values()],
        [group for _, group in rows],
        [wording for wording, _ in rows],
        precision,
    )


def from_embeddings(images: Float32Array, texts: Float32Array, rows: Sequence[Pair]) -> dict[str, dict[str, float]]:
    """`from_cosines` of the embeddings of a split: images float32 [N, D], unique texts float32 [T, D], unit rows."""
    items = pool.build(rows)
    both = np.concatenate([images, texts])
    return from_cosines(both @ both.T, items.is_text, shared_groups(items.item_groups))
