"""Relevance feedback against a plain implementation, and what it does to a search."""

from collections.abc import Callable

import numpy as np
import pytest

from engine.archive import Archive
from engine.retrieval.feedback import AWAY, NO_FEEDBACK, TOWARDS, Feedback, moved, of_cases, rocchio
from engine.retrieval.fusion import QueryVectors
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.case import NewCase
from engine.store.score_scale import ScoreScale
from tests.engine.retrieval.test_fusion import PLAIN, unit

NONE = np.zeros((0, 16), np.float32)
Make = Callable[..., NewCase]


def plain(query: np.ndarray, liked: np.ndarray, unliked: np.ndarray) -> list[float]:
    """Rocchio's rule, number by number."""
    total = []
    for place, value in enumerate(query):
        towards = sum(float(row[place]) for row in liked) / len(liked) if len(liked) else 0.0
        away = sum(float(row[place]) for row in unliked) / len(unliked) if len(unliked) else 0.0
        total.append(float(value) + TOWARDS * towards - AWAY * away)
    length = sum(one * one for one in total) ** 0.5
    kept = sum(float(one) ** 2 for one in query) ** 0.5
    return [one * kept / length for one in total]


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (0, 1), (3, 2)])
def test_the_query_moves_by_rocchios_rule_and_keeps_its_length(counts: tuple[int, int]) -> None:
    query = 0.8 * unit(1)
    liked, unliked = (unit(seed, count) if count else NONE for seed, count in zip((2, 3), counts, strict=True))
    found = rocchio(query, liked, unliked)
    np.testing.assert_allclose(found, plain(query, liked, unliked), rtol=1e-5, atol=1e-6)
    assert np.linalg.norm(found) == pytest.approx(0.8)


def test_a_query_that_would_vanish_stays() -> None:
    query = AWAY * unit(1)
    np.testing.assert_array_equal(rocchio(query, NONE, unit(1)[None]), query)


def test_each_part_moves_around_the_mean_of_its_kind() -> None:
    image, text, liked = unit(1), unit(2), unit(3, 2)
    means = {"image": 0.4 * unit(4), "report": 0.7 * unit(5)}
    found = moved(QueryVectors(image, text, 0.3), liked, NONE, ScoreScale(means, PLAIN.spreads))  # type: ignore[arg-type]
    np.testing.assert_allclose(found.image, means["image"] + rocchio(image - means["image"], liked, NONE), atol=1e-6)
    np.testing.assert_allclose(found.text, means["report"] + rocchio(text - means["report"], liked, NONE), atol=1e-6)
    assert found.text_share == 0.3
    assert moved(QueryVectors(text=text), liked, NONE, PLAIN).image is None


def test_a_case_is_the_mean_over_its_kinds_so_that_many_images_do_not_outweigh_its_report() -> None:
    images, reports = unit(1, 3), unit(2, 2)
    groups = [(np.array([7, 7, 9]), images), (np.array([7, 8]), reports)]
    found = of_cases(groups, (7, 8, 5))
    np.testing.assert_allclose(found[0], (images[:2].mean(0) + reports[0]) / 2, atol=1e-6)
    np.testing.assert_allclose(found[1], reports[1], atol=1e-6)
    assert len(found) == 2  # case 5 has no vectors
    assert of_cases([], ()).shape == (0, 0)


def test_the_last_word_on_a_case_counts() -> None:
    feedback = NO_FEEDBACK.with_case(3, True).with_case(4, False).with_case(3, False)
    assert feedback == Feedback(unliked=(4, 3))
    assert feedback.with_case(4, None) == Feedback(unliked=(3,))
    assert not NO_FEEDBACK
    assert feedback


@pytest.fixture
def filled(archive: Archive, make_case: Make) -> Archive:
    """Twelve cases with an image each, all other words."""
    words = [
        "effusion",
        "fracture",
        "nodule",
        "cyst",
        "normal",
        "hernia",
        "oedema",
        "stone",
        "mass",
        "tube",
        "rib",
        "plate",
    ]
    for n, word in enumerate(words):
        archive.add_case(make_case(f"1.{n}", f"{word} {word}", seeds=[n]))
    return archive


def rank(hits: list, case_id: int) -> int:
    return [hit.case_id for hit in hits].index(case_id)


def test_what_is_liked_rises_and_what_is_unliked_is_left_out(filled: Archive, encoder, make_picture) -> None:
    query = Query(image=make_picture(3), text="normal")
    before = search(filled, encoder, query)
    last, first = before.hits[-1].case_id, before.hits[1].case_id
    query = Query(image=make_picture(3), text="normal", feedback=Feedback((last,), (first,)))
    after = search(filled, encoder, query, known=before.embedded)
    assert rank(after.hits, last) < rank(before.hits, last)
    assert first not in [hit.case_id for hit in after.hits]


class Counting:
    """An encoder that counts how often it is asked."""

    def __init__(self, encoder: object) -> None:
        self._encoder, self.asked = encoder, 0

    def __getattr__(self, name: str) -> object:
        self.asked += name.startswith("embed") or name == "image_features"
        return getattr(self._encoder, name)


def test_what_the_models_made_of_a_query_is_used_again(filled: Archive, encoder, make_picture) -> None:
    counting = Counting(encoder)
    query = Query(image=make_picture(3), text="normal")
    first = search(filled, counting, query)  # type: ignore[arg-type]
    asked = counting.asked
    assert asked > 0
    again = search(filled, counting, query, known=first.embedded)  # type: ignore[arg-type]
    assert counting.asked == asked
    assert again.hits == first.hits


@pytest.mark.parametrize(("share", "like"), [(0.0, "image"), (1.0, "text")])
def test_the_ends_of_the_slider_are_the_picture_alone_and_the_words_alone(
    filled: Archive, encoder, make_picture, share: float, like: str
) -> None:
    image, text = make_picture(3), "fracture"
    both = search(filled, encoder, Query(image=image, text=text, text_share=share), SearchOptions(k=12)).hits
    alone = Query(image=image) if like == "image" else Query(text=text)
    assert [hit.case_id for hit in both] == [
        hit.case_id for hit in search(filled, encoder, alone, SearchOptions(k=12)).hits
    ]


def test_a_case_finds_others_like_it_and_not_itself(filled: Archive, encoder, make_picture) -> None:
    hits = search(filled, encoder, Query(case=4), SearchOptions(k=12)).hits
    as_query = Query(image=make_picture(3), text="cyst cyst")
    expected = [hit.case_id for hit in search(filled, encoder, as_query, SearchOptions(k=12)).hits]
    assert 4 not in [hit.case_id for hit in hits]
    assert [hit.case_id for hit in hits] == [one for one in expected if one != 4]


def test_a_region_of_interest_pulls_the_query_towards_its_crop(filled: Archive, encoder) -> None:
    image = np.random.default_rng(0).integers(0, 256, (100, 100)).astype(np.uint8)
    whole = encoder.embed_images([image])[0]
    found = search(filled, encoder, Query(image=image, roi=(25, 45, 55, 75))).embedded
    assert found is not None
    expected = 0.3 * whole + 0.7 * encoder.embed_images([image[17:63, 37:83]])[0]  # 30 pixels with 8 on each side
    np.testing.assert_allclose(found.images[0], expected / np.linalg.norm(expected), atol=1e-5)


def test_priors_are_a_list_of_their_own_last_archived_first(archive: Archive, encoder, make_case: Make) -> None:
    for n, patient in enumerate("ABABA"):
        archive.add_case(make_case(f"1.{n}", "Pleural effusion.", seeds=[n], patient=patient))
    options = SearchOptions(exclude_study="1.0", patient="A", priors_apart=True)
    found = search(archive, encoder, Query(text="effusion"), options)
    assert [hit.case_id for hit in found.priors] == [5, 3]
    assert all(hit.prior for hit in found.priors)
    assert sorted(hit.case_id for hit in found.hits) == [2, 4]
    together = search(archive, encoder, Query(text="effusion"), SearchOptions(exclude_study="1.0", patient="A"))
    assert sorted(hit.case_id for hit in together.hits) == [2, 3, 4, 5]
