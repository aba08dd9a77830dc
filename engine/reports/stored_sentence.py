"""A sentence of a draft as plain values for JSON, and back. Knows no document and no database."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine.reports.agreement import Contradiction, Evidence
from engine.reports.draft import Sentence


def sentence_as_dict(sentence: Sentence, *, with_evidence: bool) -> dict[str, Any]:
    """For JSON; evidence and contradictions are empty lists unless asked for."""
    evidence, against = (sentence.evidence, sentence.contradictions) if with_evidence else ((), ())
    return {
        "text": sentence.text,
        "confidence": sentence.confidence,
        "source": sentence.source,
        "evidence": [asdict(one) for one in evidence],
        "contradictions": [asdict(one) for one in against],
    }


def sentence_from(stored: Mapping[str, Any]) -> Sentence:
    """The sentence of such values.

    Raises:
        KeyError or TypeError: they are not those of a sentence.
    """
    if not isinstance(stored["text"], str):
        raise TypeError("a sentence without words")
    return Sentence(
        stored["text"],
        stored["confidence"],
        tuple(Evidence(**one) for one in stored["evidence"]),
        stored["source"],
        tuple(Contradiction(**one) for one in stored["contradictions"]),
    )
