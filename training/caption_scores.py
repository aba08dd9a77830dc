"""How near written captions come to the reports, beside two baselines. Knows no models.

Libraries: sacrebleu (Apache-2.0; BLEU-4 and chrF over the corpus) and rouge-score (Apache-2.0; ROUGE-L F1, mean).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.copy_guard import sequence_hashes

Floats = NDArray[np.floating]


def scores(written: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """bleu4, chrf and rouge_l, each 0 to 100, lower-cased. One reference a caption."""
    from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    lower, wanted = [text.lower() for text in written], [text.lower() for text in references]
    rouge = RougeScorer(["rougeL"])
    f1 = [rouge.score(reference, text)["rougeL"].fmeasure for text, reference in zip(lower, wanted, strict=True)]
    return {
        "bleu4": float(BLEU().corpus_score(lower, [wanted]).score),
        "chrf": float(CHRF().corpus_score(lower, [wanted]).score),
        "rouge_l": 100.0 * float(np.mean(f1)),
    }


def nearest(images: Floats, texts: Floats, reports: Sequence[str]) -> list[str]:
    """The training report nearest to each image: images float [N, D], texts float [T, D] of the reports, unit rows."""
    return [reports[int(place)] for place in (np.asarray(images) @ np.asarray(texts).T).argmax(1)]


def most_frequent(texts: Sequence[str]) -> str:
    """The commonest training text, the first of those that tie."""
    return Counter(texts).most_common(1)[0][0]


def copied_share(written: Sequence[str], training_texts: Sequence[str], n: int = 8) -> float:
    """Share of captions that repeat `n` or more consecutive words of any training text."""
    known = {value for text in training_texts for value in sequence_hashes(text, n)}
    return float(np.mean([any(value in known for value in sequence_hashes(text, n)) for text in written]))
