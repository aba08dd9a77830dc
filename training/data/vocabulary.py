"""Cut a WordPiece vocabulary down to the pieces that radiology reports use, so that the text tower stays small.

Knows nothing of the network: it gives the kept source ids, and a tokenizer JSON in which they are renumbered.
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
    """tokenizer_json: the trimmed tokenizer; source_ids: for each new id, the id it had in the source."""

    tokenizer_json: str
    source_ids: list[int]


def trim(source_json: str, texts: Iterable[str], min_count: int = 2, max_size: int = 6000) -> Vocabulary:
    """Keep the specials, the single characters, and the most frequent pieces of the texts.

    Single characters and their continuations stay when they are ASCII or occur in the texts, so that a word without a
    piece of its own falls apart into smaller pieces instead of becoming [UNK]. [PAD] gets id 0.

    Args:
        source_json: a BERT tokenizer as JSON of the tokenizers library.
        texts: what the vocabulary has to serve.
        min_count: a piece that occurs more rarely goes.
        max_size: pieces in all; the most frequent stay.

    Raises:
        UserError: the tokenizer is no WordPiece, or lacks a special token.
    """
    layout: dict[str, Any] = json.loads(source_json)
    if layout["model"]["type"] != "WordPiece":
        raise UserError(f"Only a WordPiece vocabulary can be trimmed, and this one is {layout['model']['type']}.")
    vocabulary: dict[str, int] = layout["model"]["vocab"]
    missing = [token for token in SPECIALS if token not in vocabulary]
    if missing:
        raise UserError(f"The tokenizer lacks {', '.join(missing)}; give one of the BERT family.")
    counts, letters = count_pieces(source_json, texts)
    kept = list(SPECIALS)
    kept += [piece for piece in sorted(vocabulary, key=vocabulary.__getitem__) if is_letter(piece, letters)]
    already = set(kept)
    frequent = sorted((-count, vocabulary[piece], piece) for piece, count in counts.items() if count >= min_count)
    kept += [piece for _, _, piece in frequent if piece not in already][: max(0, max_size - len(kept))]
    return Vocabulary(renumbered(layout, kept), [vocabulary[piece] for piece in kept])


def count_pieces(source_json: str, texts: Iterable[str]) -> tuple[Counter[str], set[str]]:
    """How often each piece occurs, and the characters that occur after the tokenizer's own normalisation."""
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
    return piece.removeprefix(CONTINUES) in letters if piece != CONTINUES else False


def renumbered(layout: dict[str, Any], kept: list[str]) -> str:
    """The same tokenizer over the kept pieces, without padding or truncation of its own."""
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
