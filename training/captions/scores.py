"""Caption metrics against the reports, caption by caption, with bootstrap intervals. Knows no models.

Libraries: sacrebleu (Apache-2.0; BLEU-1..4 over the corpus, exponential smoothing; chrF, mean over captions),
rouge-score (Apache-2.0; ROUGE-L F1, mean), aac-metrics (MIT; CIDEr-D of Vedantam et al. 2015, arXiv 1411.5726,
document frequencies from the reports scored against, scale 0 to 10) and the clinical terms of terms.py.
All metrics see lower-case words with punctuation separated; there is one reference per caption. docs/method.md,
"Captioning".
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.models.copy_guard import sequence_hashes
from training.arrays import Float64Array, FloatArray
from training.captions.terms import terms
from training.captions.texts import mentions_history
from training.metrics.bootstrap import group_weights, interval

ORDERS = (1, 2, 3, 4)
NAMES = ("bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "cider", "chrf", "term_f1", "term_precision", "term_recall")
SHARES = ("copied", "history")
DRAWS = 1000


@dataclass(frozen=True)
class PerCaption:
    """The statistics of N captions from which the scores of any resample are computed."""

    bleu: Float64Array
    """float64 [N, 10]: caption length, reference length, matching n-grams of 1 to 4 words, written n-grams of 1 to 4
    words."""
    terms: Float64Array
    """float64 [N, 3]: clinical terms that are right, wrong and missed."""
    means: Mapping[str, Float64Array]
    """float64 [N] each, by name: scores that are averaged over captions."""

    def __len__(self) -> int:
        return len(self.bleu)


def spaced(text: str) -> str:
    """Lower-case words and punctuation separated by single spaces, so that all scores see the same words."""
    return " ".join(re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text.lower()))


def measure(written: Sequence[str], references: Sequence[str], copies: Sequence[bool] | None = None) -> PerCaption:
    """Score N captions against their reports. copies: whether each repeats training text, if known."""
    from aac_metrics.functional.cider_d import cider_d
    from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    found, wanted = [spaced(text) for text in written], [spaced(text) for text in references]
    bleu, chrf, rouge = BLEU(tokenize="none", effective_order=True), CHRF(), RougeScorer(["rougeL"])
    counted = [bleu.sentence_score(a, [b]) for a, b in zip(found, wanted, strict=True)]
    # The document frequencies of a single report are meaningless, and the library rejects them.
    known = len(found) > 1
    cider = cider_d(found, [[text] for text in wanted])[1]["cider_d"].tolist() if known else [float("nan")]
    means = {
        "rouge_l": [rouge.score(b, a)["rougeL"].fmeasure for a, b in zip(found, wanted)],
        "cider": cider,
        "chrf": [chrf.sentence_score(a, [b]).score / 100.0 for a, b in zip(found, wanted)],
        "history": [mentions_history(text) for text in written],
        "copied": list(copies) if copies is not None else [float("nan")] * len(found),
    }
    return PerCaption(
        np.array([[c.sys_len, c.ref_len, *c.counts, *c.totals] for c in counted], np.float64).reshape(-1, 10),
        np.array([term_counts(a, b) for a, b in zip(written, references)], np.float64).reshape(-1, 3),
        {name: np.array(values, np.float64) for name, values in means.items()},
    )


def term_counts(written: str, reference: str) -> tuple[int, int, int]:
    """How many clinical terms, with their negation, are right, wrong and missed."""
    found, wanted = terms(written), terms(reference)
    return len(found & wanted), len(found - wanted), len(wanted - found)


def scores(found: PerCaption, weights: Float64Array | None = None) -> dict[str, Float64Array]:
    """Each score in each resample, float64 [draws]; `weights` [draws, N] counts each caption, by default once.

    All are between 0 and 1, except CIDEr-D, which is between 0 and 10.
    """
    weights = np.ones((1, len(found))) if weights is None else weights
    sizes = np.maximum(weights.sum(1), 1e-9)
    result = {name: np.asarray(weights @ values / sizes) for name, values in found.means.items()}
    right, wrong, missed = (weights @ found.terms).T
    result["term_precision"] = right / np.maximum(right + wrong, 1.0)
    result["term_recall"] = right / np.maximum(right + missed, 1.0)
    result["term_f1"] = 2.0 * right / np.maximum(2.0 * right + wrong + missed, 1.0)
    return {**_bleu(weights @ found.bleu), **result}


def _bleu(sums: Float64Array) -> dict[str, Float64Array]:
    """BLEU-1 to BLEU-4 over the corpus, float64 [draws] each, from sums [draws, 10] of `PerCaption.bleu`."""
    from sacrebleu.metrics.bleu import BLEU

    result = {f"bleu{order}": np.zeros(len(sums)) for order in ORDERS}
    for row, (written, wanted, *counts) in enumerate(sums.astype(int).tolist()):
        for order in ORDERS:
            score = BLEU.compute_bleu(
                counts[:4], counts[4:], written, wanted, smooth_method="exp", max_ngram_order=order
            )
            result[f"bleu{order}"][row] = score.score / 100.0
    return result


def resamples(groups: Sequence[str], draws: int = DRAWS) -> Float64Array:
    """Row weights float64 [draws, N] of a bootstrap over whole groups, the same for every model that is compared."""
    number = {name: index for index, name in enumerate(dict.fromkeys(groups))}
    return group_weights(len(number), draws)[:, [number[name] for name in groups]]


def with_intervals(found: PerCaption, weights: Float64Array) -> dict[str, dict[str, float]]:
    """Every score as value, low, high: the 95% interval over the resamples."""
    sampled = scores(found, weights)
    result = {}
    for name, value in scores(found).items():
        low, high = interval(sampled[name]) if np.isfinite(sampled[name]).any() else (float("nan"), float("nan"))
        result[name] = {"value": float(value[0]), "low": low, "high": high}
    return result


def in_percent(found: PerCaption, weights: Float64Array) -> dict[str, dict[str, float]]:
    """`with_intervals` times 100, as papers print them (CIDEr-D up to 1000), without scores that are not known."""
    known = {name: score for name, score in with_intervals(found, weights).items() if np.isfinite(score["value"])}
    return {name: {part: 100.0 * value for part, value in score.items()} for name, score in known.items()}


def averaged(runs: Sequence[PerCaption]) -> PerCaption:
    """Several seeds as one: counts are added and means averaged, so that the interval is that of their mean."""
    return PerCaption(
        np.sum([run.bleu for run in runs], axis=0),
        np.sum([run.terms for run in runs], axis=0),
        {name: np.mean([run.means[name] for run in runs], axis=0) for name in runs[0].means},
    )


def nearest(images: FloatArray, texts: FloatArray, reports: Sequence[str]) -> list[str]:
    """The report nearest to each image: images float [N, D], texts float [T, D] of the reports, unit rows."""
    return [reports[int(index)] for index in (np.asarray(images) @ np.asarray(texts).T).argmax(1)]


def most_frequent(texts: Sequence[str]) -> str:
    """The most frequent training text; the first one on a tie."""
    return Counter(texts).most_common(1)[0][0]


def copying(written: Sequence[str], training_texts: Sequence[str], n: int = 8) -> list[bool]:
    """Which captions repeat `n` or more consecutive words of any training text."""
    known = {value for text in training_texts for value in sequence_hashes(text, n)}
    return [any(value in known for value in sequence_hashes(text, n)) for text in written]
