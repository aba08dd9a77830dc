"""Trimming a WordPiece vocabulary."""

import json

import pytest
from tokenizers import Tokenizer

from engine.errors import UserError
from training.data.vocabulary import SPECIALS, trim

TEXTS = ["Pleural effusion, pleural thickening.", "No effusion.", "Pleural effusion at 5 µm"]


@pytest.fixture(scope="module")
def source() -> str:
    from training.networks.sources import minilm_folder

    return (minilm_folder() / "tokenizer.json").read_text(encoding="utf-8")


def test_frequent_words_stay_whole_and_rare_ones_are_split_without_unknowns(source: str) -> None:
    tokenizer = Tokenizer.from_str(trim(source, TEXTS, min_count=2).tokenizer_json)
    before = Tokenizer.from_str(source)
    before.no_padding()
    assert tokenizer.encode("effusion").tokens == before.encode("effusion").tokens
    rare = tokenizer.encode("hospital", add_special_tokens=False).tokens
    assert len(rare) > 1
    assert "[UNK]" not in rare


def test_characters_of_the_texts_stay_even_when_not_ascii(source: str) -> None:
    tokenizer = Tokenizer.from_str(trim(source, TEXTS).tokenizer_json)
    assert "[UNK]" not in tokenizer.encode("µ").tokens


def test_a_text_keeps_its_special_tokens(source: str) -> None:
    trimmed = trim(source, TEXTS)
    tokenizer = Tokenizer.from_str(trimmed.tokenizer_json)
    encoding = tokenizer.encode("effusion")
    assert (encoding.tokens[0], encoding.tokens[-1]) == ("[CLS]", "[SEP]")
    assert [tokenizer.token_to_id(token) for token in SPECIALS] == [0, 1, 2, 3, 4]
    assert encoding.ids[0] == 2


def test_source_ids_are_those_of_the_same_pieces(source: str) -> None:
    trimmed = trim(source, TEXTS)
    old = {number: piece for piece, number in json.loads(source)["model"]["vocab"].items()}
    new = json.loads(trimmed.tokenizer_json)["model"]["vocab"]
    assert len(new) == len(trimmed.source_ids) == len(set(trimmed.source_ids))
    assert all(old[trimmed.source_ids[number]] == piece for piece, number in new.items())


def test_the_most_frequent_pieces_are_chosen_if_the_size_is_limited(source: str) -> None:
    everything = trim(source, TEXTS, min_count=1)
    short = trim(source, TEXTS, min_count=1, max_size=len(everything.source_ids) - 2)
    assert len(short.source_ids) == len(everything.source_ids) - 2
    assert short.source_ids == everything.source_ids[:-2]


def test_the_tokenizer_reads_texts_as_the_engine_does(source: str) -> None:
    from engine.tokenizer import Tokenizer as EngineTokenizer

    ids, mask = EngineTokenizer.from_str(trim(source, TEXTS).tokenizer_json).encode_batch(TEXTS, 8)
    assert ids.shape == mask.shape
    assert ids.shape[1] <= 8
    assert (ids[mask == 0] == 0).all()


def test_another_kind_of_tokenizer_is_refused(source: str) -> None:
    layout = json.loads(source)
    layout["model"]["type"] = "BPE"
    with pytest.raises(UserError, match="BPE"):
        trim(json.dumps(layout), TEXTS)
