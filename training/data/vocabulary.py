"""Trims a WordPiece vocabulary to the tokens that radiology reports use, which keeps the text tower small.

Does not know the network: it returns the kept source ids, and a tokenizer JSON in which they are renumbered.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from engine.errors import UserError

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CONTINUES = "##"
ASCII = {chr(code) for code in range(33, 127)}


@dataclass(frozen=True)
class Vocabulary:
    """A trimmed tokenizer."""

    tokenizer_json: str
    source_ids: list[int]
    """For each new id, the id of the token in the source."""


def trim(source_json: str, texts: Iterable[str], min_count: int = 2, max_size: int = 6000) -> Vocabulary:
    """Keep the special tokens, the single characters, and the most frequent tokens of the texts.

    Single characters and their continuations are kept if they are ASCII or occur in the texts, so that a word without a
    token of its own is split into smaller tokens instead of becoming [UNK]. [PAD] gets id 0.

    Args:
        source_json: a BERT tokenizer as JSON of the tokenizers library.
        texts: what the vocabulary must cover.
        min_count: tokens that occur less often are dropped.
        max_size: maximum number of tokens; the most frequent are kept.

    Raises:
        UserError: the tokenizer is not WordPiece, or lacks a special token.
    """
    layout: dict[str, Any] = json.loads(source_json)
    if layout["model"]["type"] != "WordPiece":
        raise UserError(f"Only WordPiece vocabularies can be trimmed, and this one is {layout['model']['type']}.")
    vocabulary: dict[str, int] = layout["model"]["vocab"]
    missing = [token for token in SPECIALS if token not in vocabulary]
    if missing:
        raise UserError(f"The tokenizer lacks {', '.join(missing)}; use one of the BERT family.")
    counts, letters = count_pieces(source_json, texts)
    kept = list(SPECIALS)
    kept += [piece for piece in sorted(vocabulary, key=vocabulary.__getitem__) if is_letter(piece, letters)]
    used = set(kept)
    frequent = sorted((-count, vocabulary[piece], piece) for piece, count in counts.items() if count >= min_count)
    kept += [piece for _, _, piece in frequent if piece not in used][: max(0, max_size - len(kept))]
    return Vocabulary(renumbered(layout, kept), [vocabulary[piece] for piece in kept])


def count_pieces(source_json: str, texts: Iterable[str]) -> tuple[Counter[str], set[str]]:
    """How often each token occurs, and the characters that occur after the normalisation of the tokenizer."""
    tokenizer = Tokenizer.from_str(source_json)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    counts: Counter[str] = Counter()
    letters = set(ASCII)
    for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        counts.update(encoding.tokens)
        letters.update(character for token in encoding.tokens for character in token)
    return counts, letters


def is_letter(piece: str, letters: set[str]) -> bool:
    """Whether a token is a single character of `letters`, or the continuation of one."""
    return piece.removeprefix(CONTINUES) in letters if piece != CONTINUES else False


def renumbered(layout: dict[str, Any], kept: list[str]) -> str:
    """The same tokenizer with only the kept tokens, and without padding or truncation."""
    ids = {piece: index for index, piece in enumerate(kept)}
    result = dict(layout, padding=None, truncation=None)
    result["model"] = dict(layout["model"], vocab=ids)
    result["added_tokens"] = [dict(token, id=ids[token["content"]]) for token in layout["added_tokens"]]
    processor: dict[str, Any] = json.loads(json.dumps(layout["post_processor"]))
    for name, token in processor.get("special_tokens", {}).items():
        token["ids"] = [ids[name]]
    for side in ("sep", "cls"):  # the older BertProcessing layout: [token, id]
        if side in processor:
            processor[side] = [processor[side][0], ids[processor[side][0]]]
    result["post_processor"] = processor
    return json.dumps(result, ensure_ascii=False)
