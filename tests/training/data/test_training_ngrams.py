"""The word sequences that a bundle carries recognise copies of training texts, and little else."""

import random
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.models.copy_guard import HEADER, CopyGuard, normalized_words, sequence_hashes
from training.data import training_ngrams

WORDS = [f"w{i}" for i in range(400)]


def sentences(seed: int, count: int, length: int = 30) -> list[str]:
    random_words = random.Random(seed)
    return [" ".join(random_words.choices(WORDS, k=length)) for _ in range(count)]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return sentences(1, 400)


@pytest.fixture(scope="module")
def guard(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> CopyGuard:
    path = tmp_path_factory.mktemp("ngrams") / "training_ngrams.bin"
    training_ngrams.write(path, texts)
    return CopyGuard.from_file(path)


def test_every_eight_words_of_a_training_text_are_recognised(texts: list[str], guard: CopyGuard) -> None:
    for text in texts[:50]:
        found = text.split()
        assert all(guard.copies(" ".join(found[i : i + 8])) for i in range(len(found) - 7))


def test_seven_words_of_a_training_text_are_not_a_copy(texts: list[str], guard: CopyGuard) -> None:
    assert not any(guard.copies(" ".join(text.split()[3:10])) for text in texts)


def test_a_copy_inside_a_longer_sentence_is_found_whatever_its_case_and_punctuation(
    guard: CopyGuard, texts: list[str]
) -> None:
    copied = texts[7].split()[5:13]
    assert guard.copies(f"Nothing before, {', '.join(copied).upper()} - and nothing after.")


def test_other_sequences_are_taken_for_copies_at_the_rate_that_the_writer_states(
    tmp_path: Path, texts: list[str]
) -> None:
    path = tmp_path / "small.bin"
    stated = training_ngrams.write(path, texts, max_bytes=0, least_bits=6)  # so few bits that errors can be counted
    small = CopyGuard.from_file(path)
    others = [" ".join(text.split()[:8]) for text in sentences(2, 6000, 8)]
    measured = sum(map(small.copies, others)) / len(others)
    assert 0.005 < stated <= 2**-6
    assert measured == pytest.approx(stated, rel=0.4)


def test_the_full_file_makes_next_to_no_errors(guard: CopyGuard) -> None:
    assert sum(map(guard.copies, sentences(3, 300))) == 0


def test_a_text_without_eight_words_anywhere_gives_an_empty_set(tmp_path: Path) -> None:
    path = tmp_path / "none.bin"
    training_ngrams.write(path, ["too short", ""])
    assert len(CopyGuard.from_file(path)) == 0
    assert not CopyGuard.from_file(path).copies("one two three four five six seven eight nine")


def test_words_ignore_accents_hyphens_and_case() -> None:
    assert normalized_words("Ménière's X-ray, 2.5 cm") == ["meniere", "s", "x", "ray", "2", "5", "cm"]


@pytest.mark.parametrize(
    "text",
    [
        "Очаговых и инфильтративных изменений в лёгких с обеих сторон не выявлено.",
        "Δεν παρατηρούνται εστιακές βλάβες στους πνεύμονες και στο μεσοθωράκιο.",
        "फेफड़ों में दोनों ओर कोई भी नई गांठ नहीं दिखती है।",
        "两肺纹理清晰，未见明显实质性病变。",
        "ปอดทั้งสองข้างไม่พบความผิดปกติ",
    ],
    ids=["Russian", "Greek", "Hindi", "Chinese", "Thai"],
)
def test_a_report_of_any_script_is_recognised_when_it_is_repeated(tmp_path: Path, text: str) -> None:
    training_ngrams.write(tmp_path / "ngrams.bin", [text])
    guard = CopyGuard.from_file(tmp_path / "ngrams.bin")
    assert guard.copies(f"x {text.upper()} y")
    assert not guard.copies(text[:6])


def test_words_of_any_script_lose_case_and_marks_and_scripts_without_blanks_count_by_characters() -> None:
    assert normalized_words("Лёгкие: Ø 2 см, STRAẞE") == ["легкие", "ø", "2", "см", "strasse"]
    assert normalized_words("हृदय") == ["हदय"]  # the vowel sign is a mark: it does not cut the word in two
    assert normalized_words("CT检查, 3㎝") == ["ct", "检", "查", "3cm"]


def test_a_file_of_the_first_version_keeps_its_rule_of_ascii_words(tmp_path: Path) -> None:
    path = tmp_path / "old.bin"
    training_ngrams.write(path, ["one two three four five six seven eight"])
    assert HEADER.unpack_from(path.read_bytes())[1] == 2
    assert not CopyGuard.from_file(path).copies("one two three four β five six seven eight")
    as_first_version(path)
    assert CopyGuard.from_file(path).copies("one two three four β five six seven eight")
    training_ngrams.add(path, ["nine µ ten eleven twelve thirteen fourteen fifteen sixteen"])
    assert HEADER.unpack_from(path.read_bytes())[1] == 1
    assert CopyGuard.from_file(path).copies("nine ten eleven twelve thirteen fourteen fifteen sixteen")


def as_first_version(path: Path) -> None:
    """Both versions hash ASCII words in the same way, so a file of such words differs only in its version."""
    content = path.read_bytes()
    magic, _, *rest = HEADER.unpack_from(content)
    path.write_bytes(HEADER.pack(magic, 1, *rest) + content[HEADER.size :])


@pytest.mark.parametrize("content", [b"", b"not such a file at all, but long enough", b"KNGR" + bytes(20) + b"more"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"other\.bin"):
        CopyGuard.from_file(path)


@pytest.mark.parametrize("share", [1, 4])
def test_more_sequences_than_fit_make_a_larger_file_and_not_more_errors(
    tmp_path: Path, texts: list[str], share: int
) -> None:
    path = tmp_path / "large.bin"
    stated = training_ngrams.write(path, texts[: len(texts) // share], max_bytes=2000)
    guard = CopyGuard.from_file(path)
    assert all(map(guard.copies, texts[: len(texts) // share]))
    assert stated <= 2**-training_ngrams.LEAST_BITS
    assert path.stat().st_size == pytest.approx(len(guard) * (training_ngrams.LEAST_BITS + 2.5) / 8, rel=0.1)


def test_more_texts_are_recognised_beside_the_ones_before(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "ngrams.bin"
    training_ngrams.write(path, texts)
    more = sentences(7, 30)
    fresh = training_ngrams.add(path, [*more, texts[0]])
    guard = CopyGuard.from_file(path)
    assert fresh == len({value for text in more for value in sequence_hashes(text, 8)})
    assert all(guard.copies(text) for text in [*texts, *more])
    assert training_ngrams.add(path, more) == 0
