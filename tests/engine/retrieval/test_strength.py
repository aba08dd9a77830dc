"""The strength of hits as a bar and a word on one scale."""

from dataclasses import replace

import pytest

from engine.retrieval.hit import Hit
from engine.retrieval.strength import strengths


def hit(score: float, cosine: float | None = 0.5, same: bool = False) -> Hit:
    return Hit(
        case_id=1,
        kind="image",
        score=score,
        cosine=cosine,
        text="",
        why="",
        modality="",
        sex="",
        age=None,
        image_id=None,
        same=same,
    )


@pytest.mark.parametrize(
    ("score", "word", "fill"), [(6.5, "Strong", 1), (4.5, "Strong", 0.75), (3, "Moderate", 0.5), (-1, "Weak", 0)]
)
def test_a_score_by_vectors_has_a_word_and_a_bar(score: float, word: str, fill: float) -> None:
    (found,) = strengths([hit(score)])
    assert (found.word, found.fill) == (word, fill)


def test_the_strength_does_not_depend_on_the_other_hits_and_is_the_same_for_both_kinds() -> None:
    assert strengths([hit(3), replace(hit(3), kind="report"), hit(9)])[:2] == strengths([hit(3)]) * 2


def test_the_same_picture_is_full_whatever_its_score() -> None:
    assert strengths([hit(1.0, same=True)])[0].word == "Same"
    assert strengths([hit(1.0, same=True)])[0].fill == 1


def test_words_and_fused_ranks_are_shown_beside_their_best() -> None:
    assert [(one.word, one.fill) for one in strengths([hit(8, None), hit(2, None)])] == [("", 1), ("", 0.25)]
    assert [(one.word, one.fill) for one in strengths([hit(0.02), hit(0.01)], fused=True)] == [("", 1), ("", 0.5)]
