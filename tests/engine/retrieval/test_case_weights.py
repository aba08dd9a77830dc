"""Facts and excluded findings in the ranking: what they add, what they take, and that they hide nothing."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine.archive import Archive
from engine.facts.fact import Fact, Facts
from engine.facts.query_words import understand
from engine.models.ranking import FACT_WEIGHTS, FactWeight, RankingSettings
from engine.retrieval.case_weights import AFFIRMS, NEGATES, CaseWeights
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.case import NewCase

Make = Callable[..., NewCase]
WEIGHTS = {"modality": FactWeight(1.0, -1.5), "region": FactWeight(2.0, -2.0), "laterality": FactWeight(0.5, -0.5)}


def facts(**values: str) -> Facts:
    return {kind: Fact(value, "header") for kind, value in values.items()}  # type: ignore[misc]


@pytest.fixture
def filled(archive: Archive, make_case: Make) -> Archive:
    """A chest radiograph, a CT of the chest, a CT of the head, and a case of which nothing is known."""
    for n, known in enumerate(
        [
            facts(modality="CR", region="chest"),
            facts(modality="CT", region="chest"),
            facts(modality="CT", region="head"),
            facts(),
        ]
    ):
        archive.add_case(make_case(f"{n}", seeds=[n], facts=known))
    return archive


def weigh(archive: Archive, asked: Facts, absent: frozenset[str] = frozenset()) -> CaseWeights:
    return CaseWeights(archive, asked, absent, WEIGHTS)  # type: ignore[arg-type]


def test_agreeing_facts_add_and_disagreeing_ones_take_away(filled: Archive) -> None:
    found = weigh(filled, facts(modality="CT", region="chest")).of([1, 2, 3, 4])
    assert {case: weight.value for case, weight in found.items()} == {1: 0.5, 2: 3.0, 3: -1.0, 4: 0.0}
    assert found[2].reasons == ("same modality and region",)
    assert found[3].reasons == ("same modality", "other region")
    assert found[4].reasons == ()


def test_a_fact_of_the_models_weighs_by_its_probability(filled: Archive) -> None:
    asked: Facts = {"region": Fact("chest", "models", 0.6)}
    assert weigh(filled, asked).of([1, 3])[1].value == pytest.approx(1.2)
    assert weigh(filled, asked).of([1, 3])[3].value == pytest.approx(-1.2)


def test_both_sides_neither_agree_nor_disagree_with_one(archive: Archive, make_case: Make) -> None:
    archive.add_case(make_case("one", seeds=[1], facts=facts(laterality="both")))
    archive.add_case(make_case("two", seeds=[2], facts=facts(laterality="right")))
    found = weigh(archive, facts(laterality="left")).of([1, 2])
    assert (found[1].value, found[2].value, found[2].reasons) == (0.0, -0.5, ("other side",))


@pytest.mark.parametrize(
    "asked",
    [
        facts(),
        facts(modality="CT"),
        facts(region="chest", laterality="left"),
        facts(modality="CT", region="chest"),
        facts(modality="MR", region="spine", laterality="both"),
        {"region": Fact("head", "models", 0.6)},
    ],
)
def test_what_is_known_of_all_cases_at_once_is_what_their_facts_weigh(
    filled: Archive, make_case: Make, asked: Facts
) -> None:
    filled.add_case(make_case("4", seeds=[4], facts=facts(laterality="both", region="head")))
    filled.add_case(make_case("5", seeds=[5], facts={"laterality": Fact("right", "models", 0.7)}))
    weighing = weigh(filled, asked)
    values = {case: weight.value for case, weight in weighing.of(range(1, 7)).items()}
    vector = np.ones(48, np.float32)
    found = filled.index.nearest(vector, "image", 99, bonus=weighing.bonus())
    assert dict(zip(found.cases.tolist(), found.bonus.tolist(), strict=True)) == pytest.approx(
        {case: value for case, value in values.items() if filled.has_image(case)}
    )
    assert weighing.more == 0.0


def test_a_report_that_affirms_an_excluded_finding_loses_and_one_that_negates_it_wins(
    archive: Archive, make_case: Make
) -> None:
    texts = ["Large left pleural effusion.", "No pleural effusion. Heart normal.", "Normal heart.", "Small effusions."]
    for n, text in enumerate(texts):
        archive.add_case(make_case(f"{n}", text))
    found = CaseWeights(archive, {}, frozenset({"effusion"})).of([1, 2, 3, 4])
    assert [found[case].value for case in (1, 2, 3, 4)] == [AFFIRMS, NEGATES, 0.0, AFFIRMS]
    assert found[1].reasons == ("report affirms effusion",)
    assert found[2].reasons == ("report negates effusion",)
    assert max(found[case].value for case in found) <= CaseWeights(archive, {}, frozenset({"effusion"})).more


@pytest.mark.parametrize(
    ("query", "report", "value"),
    [
        ("no focal consolidation", "No consolidation. Focal calcified granuloma.", NEGATES),
        ("no large effusion", "Large heart. No effusion.", NEGATES),
        ("no significant abnormality", "Significant motion artifact.", 0.0),
        ("no cardiomegaly", "The heart is enlarged.", AFFIRMS),
        ("no pneumothorax", "Left hydropneumothorax.", AFFIRMS),
    ],
)
def test_a_report_is_asked_for_the_excluded_finding_and_not_for_the_words_around_it(
    archive: Archive, make_case: Make, query: str, report: str, value: float
) -> None:
    archive.add_case(make_case("1", report))
    assert CaseWeights(archive, {}, understand(query).negated).of([1])[1].value == value


def test_an_excluded_finding_is_not_found(archive: Archive, encoder, make_case: Make) -> None:
    for n in range(4):
        archive.add_case(make_case(f"with {n}", f"There is a left pneumothorax number {n}."))
        archive.add_case(make_case(f"without {n}", f"There is no pneumothorax, number {n}."))
    hits = search(archive, encoder, Query(text="no pneumothorax"), SearchOptions(k=4)).hits
    assert {hit.case_id % 2 for hit in hits} == {0}
    assert all("report negates pneumothorax" in hit.why for hit in hits)
    wanted = search(archive, encoder, Query(text="left pneumothorax"), SearchOptions(k=4)).hits
    assert {hit.case_id % 2 for hit in wanted} == {1}


def test_the_side_of_a_query_speaks_against_reports_of_the_other_side(archive: Archive, encoder, make_case) -> None:
    archive.add_case(make_case("right", "Pleural effusion on the right."))
    archive.add_case(make_case("left", "Pleural effusion on the left."))
    hits = {hit.case_id: hit for hit in search(archive, encoder, Query(text="left pleural effusion")).hits}
    assert "same region and side" in hits[2].why
    assert "other side" in hits[1].why
    assert hits[2].score > hits[1].score


def test_a_fact_of_the_words_that_the_user_removed_does_not_weigh(archive: Archive, encoder, make_case) -> None:
    archive.add_case(make_case("right", "Pleural effusion on the right."))
    query = Query(text="left pleural effusion")
    assert "other side" in search(archive, encoder, query).hits[0].why
    removed = search(archive, encoder, replace(query, corrections={"laterality": ""}))
    assert "side" not in removed.hits[0].why
    assert "laterality" not in removed.facts
    assert removed.facts["region"].value == "chest"


def test_facts_of_the_query_image_rank_and_never_filter(filled: Archive, encoder, make_picture) -> None:
    query = Query(image=make_picture(9), facts=facts(modality="CT", region="head"))
    hits = search(filled, encoder, query).hits
    assert hits[0].case_id == 3
    assert hits[0].why == "Similar image; same modality and region"
    assert {hit.case_id for hit in hits} == {1, 2, 3, 4}


def test_a_bundle_may_have_weights_of_its_own() -> None:
    own = RankingSettings.from_manifest({"facts": {"weights": {"view": {"agree": 0.7, "disagree": -0.9}}}})
    assert own.fact_weights["view"] == FactWeight(0.7, -0.9)
    assert own.fact_weights["region"] == FACT_WEIGHTS["region"]
    assert RankingSettings.from_manifest({}).fact_weights == FACT_WEIGHTS
