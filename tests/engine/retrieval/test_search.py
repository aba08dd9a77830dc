"""Search by image, by text and by both: ranking, reasons, filters, and never the open study."""

from collections.abc import Callable

import numpy as np
import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.models.ranking import FactWeight, RankingSettings
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.case import NewCase
from engine.store.filters import Filters
from tests.engine.stores import everything_in

Make = Callable[..., NewCase]
TEXTS = [
    "Large left pleural effusion with collapse of the lower lobe.",
    "Normal chest radiograph.",
    "Fracture of the distal femur.",
    "Large right pleural effusion.",
    "Ultrasound of the breast showing a cyst.",
]


@pytest.fixture
def filled(archive: Archive, make_case: Make) -> Archive:
    """Five cases, each with an image and a report."""
    for n, text in enumerate(TEXTS):
        facts = {"modality": "US" if n == 4 else "CR", "sex": "FM"[n % 2], "age": 30 + 10 * n, "patient": f"P{n % 2}"}
        archive.add_case(make_case(f"1.{n}", text, seeds=[n], **facts))
    return archive


@pytest.mark.parametrize("number", range(5))
def test_a_report_is_found_by_its_own_words(filled: Archive, encoder, number: int) -> None:
    hit = search(filled, encoder, Query(text=TEXTS[number])).hits[0]
    assert (hit.case_id, hit.kind, hit.text) == (number + 1, "report", TEXTS[number])
    assert hit.cosine == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("number", range(5))
def test_an_image_finds_itself(filled: Archive, encoder, make_picture, number: int) -> None:
    hit = search(filled, encoder, Query(image=make_picture(number))).hits[0]
    assert (hit.case_id, hit.kind) == (number + 1, "image")
    assert hit.why == "Same image"
    assert np.array_equal(filled.image(hit.image_id), make_picture(number))


def test_a_report_with_the_very_words_of_the_query_comes_first_whatever_speaks_against_it(
    archive: Archive, encoder, make_case: Make
) -> None:
    encoder.ranking = RankingSettings({"modality": FactWeight(4, -4)})
    archive.add_case(make_case("other", "Ultrasound of the breast showing a small cyst.", modality="US"))
    archive.add_case(make_case("own", "Ultrasound of the breast, showing a cyst", modality="MR"))
    hits = search(archive, encoder, Query(text=TEXTS[4])).hits
    assert [(hit.case_id, hit.why.split(";")[0]) for hit in hits] == [(2, "Same wording"), (1, "Similar wording")]


def test_hits_are_ranked_by_the_score_scale_of_the_archive(filled: Archive, encoder, make_picture) -> None:
    query = Query(image=make_picture(0), text="pleural effusion")
    encoder.ranking = RankingSettings({})  # no weights of facts
    image, text = encoder.embed_images([query.image])[0], encoder.embed_texts([query.text])[0]
    scale = filled.score_scale.current(encoder.score_scale, encoder.id)
    mean, near = scale.means, scale.spreads["image-report"]
    hits = search(filled, encoder, query).hits
    expected = []
    for n, report in enumerate(TEXTS):
        i, r = encoder.embed_images([make_picture(n)])[0] - mean["image"], encoder.embed_texts([report])[0]
        r = r - mean["report"]
        one, other = scale.spreads["image-image"], scale.spreads["report-report"]
        image_image, text_text = (image - mean["image"]) @ i, (text - mean["report"]) @ r
        across = (((text - mean["report"]) @ i) - near.mean) / near.std, (((image - mean["image"]) @ r) - near.mean)
        as_image = ((image_image - one.mean) / one.std + across[0]) / 2
        as_report = (across[1] / near.std + (text_text - other.mean) / other.std) / 2
        expected.append((max(as_image, as_report), n + 1, "image" if as_image > as_report else "report"))
    expected.sort(reverse=True)
    assert [(hit.case_id, hit.kind) for hit in hits] == [(case, kind) for _, case, kind in expected]
    np.testing.assert_allclose([hit.score for hit in hits], [score for score, _, _ in expected], atol=0.02)


def test_a_case_with_many_similar_images_is_one_hit(archive: Archive, encoder, make_case: Make, make_picture) -> None:
    archive.add_case(make_case("many", seeds=[7] * 90))
    archive.add_case(make_case("one", seeds=[8]))
    archive.add_case(make_case("other", "Some words."))
    hits = search(archive, encoder, Query(image=make_picture(7)), SearchOptions(k=3)).hits
    assert sorted(hit.case_id for hit in hits) == [1, 2, 3]
    assert hits[0].case_id == 1


@pytest.mark.parametrize("mode", ["vector", "lexical", "hybrid"])
def test_the_open_study_is_never_found(filled: Archive, encoder, mode) -> None:
    hits = search(filled, encoder, Query(text=TEXTS[0]), SearchOptions(mode=mode, exclude_study="1.0")).hits
    assert hits
    assert 1 not in [hit.case_id for hit in hits]


@pytest.mark.parametrize("mode", ["vector", "lexical", "hybrid"])
def test_filters_apply_before_ranking(filled: Archive, encoder, mode) -> None:
    filters = Filters(modalities=("cr",), sex="m", age=(50, 70), kinds=("report",))
    hits = search(filled, encoder, Query(text="pleural effusion"), SearchOptions(filters=filters, k=1, mode=mode)).hits
    assert [hit.case_id for hit in hits] == [4]


def test_the_kind_filter_excludes_the_other_kind(filled: Archive, encoder) -> None:
    query, filters = Query(text=TEXTS[1]), Filters(kinds=("image",))
    assert {hit.kind for hit in search(filled, encoder, query, SearchOptions(filters=filters)).hits} == {"image"}
    assert search(filled, encoder, query, SearchOptions(filters=filters, mode="lexical")).hits == []


def test_a_series_finds_a_case_by_the_frame_that_is_nearest_to_it(filled: Archive, encoder, make_picture) -> None:
    frames = [make_picture(n) for n in (50, 3, 51)]
    hit = search(filled, encoder, Query(images=frames)).hits[0]
    assert (hit.case_id, hit.frame, hit.why) == (4, 1, "Same image; nearest to frame 2 of 3")
    alone = search(filled, encoder, Query(image=frames[1])).hits
    assert (alone[0].score, alone[0].frame) == (pytest.approx(hit.score), None)
    every = {one.case_id: one.score for one in search(filled, encoder, Query(images=frames)).hits}
    for frame in frames:
        for one in search(filled, encoder, Query(image=frame)).hits:
            assert every[one.case_id] >= one.score - 1e-5


def test_a_series_can_be_combined_with_text(filled: Archive, encoder, make_picture) -> None:
    query = Query(images=[make_picture(50), make_picture(0)], text="pleural effusion")
    hit = search(filled, encoder, query).hits[0]
    assert (hit.case_id, hit.frame) == (1, 1)


def test_priors_of_the_patient_are_marked(filled: Archive, encoder) -> None:
    hits = search(filled, encoder, Query(text="chest"), SearchOptions(patient="P1")).hits
    assert {hit.case_id for hit in hits if hit.prior} == {2, 4}
    assert not any(hit.prior for hit in search(filled, encoder, Query(text="chest"), SearchOptions(patient="")).hits)
    assert all("prior of the same patient" in hit.why for hit in hits if hit.prior)


def test_priors_of_the_patient_are_listed_by_the_date_of_their_study(archive: Archive, encoder, make_case) -> None:
    for number, date in enumerate(("", "20260102", "2026-03-01", "20251231", "20260102", "99999999")):
        archive.add_case(make_case(str(number), f"Chest {number}.", (number,), patient="P1", date=date), encoder.id)
    found = search(archive, encoder, Query(text="chest"), SearchOptions(patient="P1", priors_apart=True))
    assert [hit.case_id for hit in found.priors] == [3, 5, 2, 4, 6, 1]
    assert archive.problems(deep=True) == []
    archive.close()
    content = everything_in(archive)
    assert not [date for date in (b"20260102", b"2026-03-01", b"20251231") if date in content]


def test_the_days_of_two_patients_cannot_be_compared_and_intervals_stay(archive: Archive) -> None:
    day = archive.identity.study_day
    first, second = day("20240228", "P1"), day("20240301", "P1")
    assert first is not None
    assert second is not None
    assert second - first == 2
    other = day("20240228", "P2")
    assert other is not None
    assert other != first
    assert day("20240228", "") is None
    assert day("20240230", "P1") is None


def test_a_lexical_search_needs_no_models_and_reports_the_words(filled: Archive) -> None:
    hits = search(filled, None, Query(text="effusions on the right"), SearchOptions(mode="lexical")).hits
    assert [hit.case_id for hit in hits] == [4, 1]
    assert hits[0].why == "Report contains: right, effusion"
    assert hits[0].cosine is None
    assert hits[0].score > hits[1].score


@pytest.mark.parametrize(
    "text", ['"', "NEAR(a", "a OR", "x AND NOT", "*", "text:effusion", "(", "-effusion", "'; DROP"]
)
def test_text_never_acts_as_query_syntax(filled: Archive, text: str) -> None:
    search(filled, None, Query(text=text), SearchOptions(mode="lexical"))
    assert filled.stats()["cases"] == 5


def test_a_phrase_in_quotes_is_found_as_a_phrase(filled: Archive) -> None:
    hits = search(filled, None, Query(text='"right pleural"'), SearchOptions(mode="lexical")).hits
    assert [hit.case_id for hit in hits] == [4]


def test_hybrid_search_fuses_both_rankings_by_reciprocal_rank(filled: Archive, encoder) -> None:
    text = "large effusion of the femur"
    vector = [hit.case_id for hit in search(filled, encoder, Query(text=text)).hits]
    words = [hit.case_id for hit in search(filled, encoder, Query(text=text), SearchOptions(mode="lexical")).hits]
    expected = {
        case: sum(1 / (60 + ranking.index(case) + 1) for ranking in (vector, words) if case in ranking)
        for case in vector
    }
    hits = search(filled, encoder, Query(text=text), SearchOptions(mode="hybrid")).hits
    assert {hit.case_id: hit.score for hit in hits} == pytest.approx(expected)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert any(hit.cosine is not None and "report contains" in hit.why for hit in hits)


@pytest.mark.parametrize(
    ("query", "mode", "message"),
    [
        (Query(), "vector", "The query is empty"),
        (Query(text=" "), "hybrid", "The query is empty"),
        (Query(image=np.zeros((4, 4), np.uint8)), "lexical", "requires text"),
    ],
)
def test_an_empty_query_says_what_is_missing(filled: Archive, encoder, query: Query, mode, message: str) -> None:
    with pytest.raises(UserError, match=message):
        search(filled, encoder, query, SearchOptions(mode=mode))


def test_another_bundle_is_refused(filled: Archive, encoder) -> None:
    encoder.id = "another"
    with pytest.raises(UserError, match="another model"):
        search(filled, encoder, Query(text="chest"))


def test_an_empty_archive_has_no_hits(archive: Archive, encoder) -> None:
    assert search(archive, encoder, Query(text="chest"), SearchOptions(mode="hybrid")).hits == []
