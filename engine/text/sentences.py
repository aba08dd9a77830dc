"""Splits text into sentences and maps token probabilities to them. Does not know models or medicine."""

import math
import re
from collections.abc import Sequence

# A full stop after these does not end a sentence.
ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|cf|vs|approx|ca|no|fig|figs|dr|prof|mr|mrs|ms|st|max|min|resp|a\.m|p\.m|[A-Za-z])\.$",
    re.IGNORECASE,
)
END = re.compile(r"[.!?]+[\"')\]]*(?=\s|$)|\n\s*\n")
MIN_PROBABILITY = 1e-9
"""Probabilities are raised to this before their logarithm."""


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """The span of each sentence, [start, end) in characters without the spaces around it; see `sentences`."""
    found: list[tuple[int, int]] = []
    start = 0
    for end in END.finditer(text):
        so_far = text[start : end.end()]
        rest = text[end.end() :].lstrip()
        if end.group().startswith(".") and ABBREVIATION.search(so_far.rstrip()) and rest:
            continue
        found.append((start, end.end()))
        start = end.end()
    found.append((start, len(text)))
    stripped = [(end - len(text[start:end].lstrip()), start + len(text[start:end].rstrip())) for start, end in found]
    return [span for span in stripped if re.search(r"\w", text[slice(*span)])]


def sentences(text: str) -> list[str]:
    """The sentences of a text in order, whitespace collapsed; an empty line ends a sentence too."""
    return [" ".join(text[start:end].split()) for start, end in sentence_spans(text)]


def restore_formatting(text: str) -> str:
    """Restore spacing and capitals in decoded lower-case text: "non - productive" -> "Non-productive".

    WordPiece separates punctuation from words and loses the original spaces; in reports a hyphen or slash between words
    nearly always joins them. Only spaces and capitals change.
    """
    joined = re.sub(r"(?<=\w) ([-/]) (?=\w)", r"\1", text)
    joined = re.sub(r"(?<=\() | (?=[)%])", "", joined)
    return " ".join(one[0].upper() + one[1:] for one in sentences(joined))


def sentence_confidences(texts: Sequence[str], tokens: Sequence[str], log_probs: Sequence[float]) -> list[float]:
    """Geometric mean of the token probabilities of each sentence, exp(mean(log p)), between 0 and 1.

    Tokens are assigned to sentences by counting non-space characters: decoding changes only spaces, and where it also
    drops a character both sides are scaled to the same length.

    Args:
        texts: the sentences of the decoded text, in order.
        tokens: WordPiece tokens; "##" continues a word.
        log_probs: natural log-probability of each token.
    """
    token_sizes = [len(token.removeprefix("##")) for token in tokens]
    text_sizes = [len("".join(text.split())) for text in texts]
    total_tokens, total_text = sum(token_sizes), sum(text_sizes)
    if not total_tokens or not total_text:
        return [0.0 for _ in texts]
    ends, so_far = [], 0
    for size in text_sizes:
        so_far += size
        ends.append(so_far / total_text)
    groups: list[list[float]] = [[] for _ in texts]
    so_far, sentence = 0, 0
    for size, log_prob in zip(token_sizes, log_probs, strict=True):
        middle = (so_far + size / 2) / total_tokens
        while sentence < len(texts) - 1 and middle > ends[sentence]:
            sentence += 1
        groups[sentence].append(max(log_prob, math.log(MIN_PROBABILITY)))
        so_far += size
    return [math.exp(sum(group) / len(group)) if group else 0.0 for group in groups]
