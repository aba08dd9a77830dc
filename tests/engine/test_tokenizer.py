from pathlib import Path

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from engine.errors import UserError
from engine.tokenizer import Tokenizer

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["a", "no", "the", "mass", "stone", "kidney", "liver", "##s", "in", ".", "seen"]


def tokenizer_json() -> str:
    """A WordPiece tokenizer with its own padding and truncation switched on."""
    vocabulary = {token: number for number, token in enumerate([*SPECIALS, *WORDS])}
    backend = Backend(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    backend.decoder = decoders.WordPiece()
    backend.add_special_tokens(SPECIALS)
    backend.enable_padding(pad_id=0, pad_token="[PAD]", length=64)
    backend.enable_truncation(max_length=3)
    return backend.to_str()


@pytest.fixture
def words() -> Tokenizer:
    return Tokenizer.from_str(tokenizer_json())


def test_texts_are_padded_to_the_longest_and_masked(words: Tokenizer) -> None:
    ids, mask = words.encode_batch(["No stones", "the liver mass."], 16)
    assert ids.tolist() == [[2, 6, 9, 12, 3, 0], [2, 7, 11, 8, 14, 3]]
    assert mask.tolist() == [[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]]
    assert ids.dtype == mask.dtype == "int64"


def test_a_long_text_is_truncated_and_keeps_sep(words: Tokenizer) -> None:
    ids, mask = words.encode_batch(["a a a a a a a a"], 5)
    assert ids.tolist() == [[2, 5, 5, 5, 3]]
    assert mask.tolist() == [[1, 1, 1, 1, 1]]


def test_an_empty_text_is_cls_and_sep_and_no_texts_are_no_rows(words: Tokenizer) -> None:
    assert words.encode_batch([""], 8)[0].tolist() == [[2, 3]]
    assert words.encode_batch([], 8)[0].shape == (0, 0)


def test_decoding_joins_pieces_and_drops_special_tokens(words: Tokenizer) -> None:
    assert words.decode([2, 6, 9, 12, 14, 3, 0]) == "no stones."
    assert words.tokens([2, 9, 12, 999]) == ["[CLS]", "stone", "##s", "[UNK]"]


def test_an_unknown_word_is_unk(words: Tokenizer) -> None:
    assert words.encode_batch(["zebra"], 8)[0].tolist() == [[2, words.unk_id, 3]]


def test_writing_and_reading_round_trips(words: Tokenizer, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(words.to_str(), encoding="utf-8")
    again = Tokenizer.from_file(tmp_path / "tokenizer.json")
    assert (again.pad_id, again.unk_id, again.cls_id, again.sep_id, again.size) == (0, 1, 2, 3, 16)
    assert again.encode_batch(["no mass"], 8)[0].tolist() == words.encode_batch(["no mass"], 8)[0].tolist()


def test_a_missing_or_invalid_tokenizer_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        Tokenizer.from_file(tmp_path / "none.json")
    with pytest.raises(UserError, match="cannot be read"):
        Tokenizer.from_str("{}")
    with pytest.raises(UserError, match=r"has no \[PAD\] token"):
        Tokenizer.from_str(Backend(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]")).to_str())
