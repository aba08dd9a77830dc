"""Measure the score scale (mean and deviation of cosines by kind of pair) and the evidence threshold.

Both are measured on val. Does not know models or archives.
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
"""A quantile, and how many standard deviations above the mean it is in a normal distribution."""
MIN_PAIRS = 100
"""Unrelated pairs that a kind needs; with fewer, the 99th percentile is just the maximum."""
MIN_PRECISION = 0.5
"""Precision that a threshold must reach to be used at all: most of the pairs above it must agree."""
MIN_DEVIATION = 0.01
"""Lower limit of a deviation, since search divides by it: quantisation alone changes cosines by about this much."""
ONE_GROUP = "The score scale is measured on unrelated pairs of the split val; give pairs of at least two split_groups."


def from_cosines(cosines: FloatArray, is_text: BoolArray, related: BoolArray) -> dict[str, dict[str, float]]:
    """Mean and deviation of the raw cosines between unrelated items, by kind of pair.

    The deviation is estimated from the upper tail: the distance of the 99th percentile from the mean, divided by that
    distance in a standard normal distribution. Rankings are decided among the nearest of thousands, and the tails of
    the kinds differ, since images of different patients can be very similar. With the standard deviation, the top 10
    favoured the query's own modality. A kind with fewer than MIN_PAIRS, for example because all patients share a few
    stock texts, gets mean and deviation of all kinds together, so its cosines are not rescaled relative to each other.

    Args:
        cosines: float [items, items] between all images and unique texts.
        is_text: bool [items].
        related: bool [items, items], True where two items share a split_group; such pairs are left out, and so are
            pairs of an item with itself.

    Returns:
        {"image-image" | "image-report" | "report-report": {"mean", "std"}}, as in the manifest of a bundle; std
        is at least MIN_DEVIATION.

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
        if (pairs := int(chosen.sum())) < MIN_PAIRS:
            log.warning(
                "%d unrelated %s pairs are too few for a score scale of their own; using all kinds together",
                pairs,
                name,
            )
            chosen = counted
        values = np.asarray(cosines[chosen], np.float64)
        mean = float(values.mean())
        deviation = float(np.quantile(values, TAIL) - mean) / NORMAL_TAIL
        result[name] = {"mean": mean, "std": max(deviation, MIN_DEVIATION)}
    return result


@dataclass(frozen=True, slots=True)
class EvidenceThreshold:
    """The cosine from which two sentences count as equivalent, and its precision where it was measured."""

    threshold: float
    precision: float
    """Share of sentence pairs at or above the threshold that come from the same split_group."""
    pairs: int
    """Number of sentence pairs at or above the threshold."""
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
    minimum: int = 20,
) -> EvidenceThreshold:
    """The lowest cosine at which sentences of two different texts come from the same split_group with this precision.

    The default precision is 0.9; chance is about 0.01 on val. Sentences of one text are not compared, since their
    contents differ. Sentences with the same wording are not compared either: they support each other at any threshold,
    and stock sentences, which occur in many groups, would count as errors. If no threshold reaches the precision, the
    most precise one over at least `minimum` pairs is used, provided that it reaches MIN_PRECISION; the result contains
    its precision.

    Args:
        embeddings: float [S, D], unit rows, one per sentence.
        texts: the number of the text that contains each sentence.
        groups: the split_group of each sentence.
        wordings: each sentence without case and punctuation.

    Raises:
        ValueError: fewer than `minimum` pairs of sentences can be compared, or no threshold is precise enough.
    """
    rows = np.asarray(embeddings, np.float64)
    first, second = np.triu_indices(len(rows), 1)
    numbers, names, wording = np.asarray(texts), np.asarray(groups), np.asarray(wordings)
    different = (numbers[first] != numbers[second]) & (wording[first] != wording[second])
    first, second = first[different], second[different]
    if len(first) < minimum:
        raise ValueError(f"{len(first)} pairs of sentences are too few for an evidence threshold; {minimum} are needed")
    cosines, same = (rows @ rows.T)[first, second], names[first] == names[second]
    order = np.argsort(-cosines, kind="stable")
    cosines, same = cosines[order], same[order]
    precisions = np.cumsum(same) / np.arange(1, len(same) + 1)
    # A threshold cannot separate equal cosines, so only the last of each run of equal ones is a candidate.
    last_of_run = np.append(cosines[1:] != cosines[:-1], True)
    allowed = np.flatnonzero(last_of_run & (np.arange(1, len(same) + 1) >= minimum))
    good = allowed[precisions[allowed] >= precision]
    chosen = int(good[-1]) if len(good) else int(allowed[np.argmax(precisions[allowed])])
    if precisions[chosen] < min(precision, MIN_PRECISION):
        raise ValueError(
            f"only {precisions[chosen]:.0%} of the most similar pairs of sentences come from the same case; "
            f"{MIN_PRECISION:.0%} are needed"
        )
    return EvidenceThreshold(float(cosines[chosen]), float(precisions[chosen]), chosen + 1, float(same.mean()))


def pairs_evidence(pairs: Iterable[Pair], embed: EmbedTexts) -> EvidenceThreshold:
    """`report_evidence` of the unique texts of some pairs."""
    groups: dict[str, str] = {}
    for pair in pairs:
        groups.setdefault(pair.text, pair.group)
    return report_evidence(list(groups), list(groups.values()), embed)


def report_evidence(
    texts: Sequence[str], groups: Sequence[str], embed: EmbedTexts, precision: float = 0.9
) -> EvidenceThreshold:
    """`evidence_threshold` over the sentences of unique report texts, split as in the application.

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
