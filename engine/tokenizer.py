"""Encodes text as WordPiece ids and decodes it, for the text tower and the captioner. Does not know models."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import tokenizers
from numpy.typing import NDArray

from engine.errors import UserError

Ids = NDArray[np.int64]


class Tokenizer:
    """A BERT-style WordPiece tokenizer: [CLS] begins a text, [SEP] ends it, [PAD] fills the batch.

    Immutable, so threads may share one.
    """

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        backend.no_padding()
        backend.no_truncation()
        self._backend = backend
        self.pad_id = self._special("[PAD]")
        self.cls_id = self._special("[CLS]")
        self.sep_id = self._special("[SEP]")
        self.unk_id = self._special("[UNK]")
        self.size: int = backend.get_vocab_size()

    @classmethod
    def from_str(cls, json: str) -> Self:
        """Read the JSON format of the `tokenizers` package.

        Raises:
            UserError: the JSON is invalid, or the vocabulary has no [PAD], [CLS], [SEP] or [UNK].
        """
        try:
            backend = tokenizers.Tokenizer.from_str(json)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # the package raises bare Exception for any malformed text, or panics
            raise UserError(f"The tokenizer cannot be read ({error}); export the bundle again.") from error
        return cls(backend)

    @classmethod
    def from_file(cls, path: Path | str) -> Self:
        """Read tokenizer.json.

        Raises:
            UserError: the file cannot be read, or as in `from_str`.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"The tokenizer {path} cannot be read ({error}); export the bundle again.") from error
        return cls.from_str(text)

    def to_str(self) -> str:
        """The JSON that `from_str` reads."""
        return self._backend.to_str()

    def encode_batch(self, texts: Sequence[str], max_length: int) -> tuple[Ids, Ids]:
        """Ids and mask of several texts, padded to the longest.

        Args:
            texts: any strings; an empty one becomes [CLS] [SEP].
            max_length: longest row in tokens, with [CLS] and [SEP]; a longer text is truncated and keeps [SEP].

        Returns:
            ids int64 [N, L] and mask int64 [N, L] (1 token, 0 padding), L <= max_length; [0, 0] for no texts.
        """
        rows = [encoding.ids for encoding in self._backend.encode_batch(list(texts))]
        rows = [row if len(row) <= max_length else [*row[: max_length - 1], self.sep_id] for row in rows]
        longest = max((len(row) for row in rows), default=0)
        ids = np.full((len(rows), longest), self.pad_id, np.int64)
        mask = np.zeros((len(rows), longest), np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        return ids, mask

    def decode(self, ids: Iterable[int]) -> str:
        """The text of a row of ids, without special tokens."""
        return str(self._backend.decode([int(i) for i in ids], skip_special_tokens=True))

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """The WordPiece string of each id; an id outside the vocabulary is "[UNK]"."""
        return [self._backend.id_to_token(int(i)) or "[UNK]" for i in ids]

    def _special(self, token: str) -> int:
        found = self._backend.token_to_id(token)
        if found is None:
            raise UserError(f"The tokenizer has no {token} token; train a BERT WordPiece vocabulary.")
        return int(found)
