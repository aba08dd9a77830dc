"""The facts that an archive keeps of its cases."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.archive import Archive
from engine.facts.fact import Fact, Facts, FactSource, values_of
from engine.store.case import NewCase, NewReport


def header(source: FactSource = "header", **values: str) -> Facts:
    return {kind: Fact(value, source) for kind, value in values.items()}  # type: ignore[misc]


def test_a_case_has_the_facts_of_its_header_and_else_those_of_its_report(
    archive: Archive, encoder, make_case: Callable[..., NewCase]
) -> None:
    case = make_case("1", "Axial CT of the left kidney.", [1], facts=header(modality="CT", region="pelvis"))
    facts = archive.case(archive.add_case(case, encoder.id)).facts
    assert values_of(facts) == {"modality": "CT", "region": "pelvis", "laterality": "left", "view": "axial"}
    assert {kind: fact.source for kind, fact in facts.items()}["region"] == "header"


def test_a_new_report_takes_the_facts_of_the_old_one_with_it(
    archive: Archive, encoder, make_case: Callable[..., NewCase]
) -> None:
    case_id = archive.add_case(make_case("1", "Left hip.", [1], facts=header(modality="CR")), encoder.id)
    text = "Right hip."
    archive.set_report(case_id, NewReport(text, encoder.embed_texts([text])[0]), "corrected", encoder.id)
    assert values_of(archive.case(case_id).facts) == {"modality": "CR", "region": "limb", "laterality": "right"}


def test_a_header_seen_later_replaces_what_the_words_said(
    archive: Archive, encoder, make_case: Callable[..., NewCase]
) -> None:
    case_id = archive.add_case(make_case("1", "CT of the chest."), encoder.id)
    assert archive.add_case(make_case("1", "", [1], facts=header(region="abdomen")), encoder.id) == case_id
    assert values_of(archive.case(case_id).facts) == {"modality": "CT", "region": "abdomen"}
    archive.add_case(make_case("1", "", [2], facts=header("models", region="head")), encoder.id)
    assert values_of(archive.case(case_id).facts)["region"] == "abdomen"


@pytest.mark.parametrize(
    "imports",
    [
        [
            {"region": ""},
            {"region": "abdomen"},
        ],  # the first one has series of chest and abdomen, which contradict each other
        [{"region": "chest"}, {"region": "abdomen"}],
        [{"region": "chest"}, {"region": ""}],  # the second one has all series, which contradict each other
        [{"region": "chest"}, {"region": "abdomen"}, {"region": "abdomen"}],
    ],
)
def test_what_the_headers_of_several_imports_do_not_agree_in_is_no_fact(
    archive: Archive, make_case: Callable[..., NewCase], imports: list[dict[str, str]]
) -> None:
    for seed, values in enumerate(imports):
        case = make_case("1", "", [seed], facts=header(modality="CT", laterality="left", **values))
        case_id = archive.add_case(replace(case, images=(replace(case.images[0], key=f"image {seed}"),)))
    assert values_of(archive.case(case_id).facts) == {"modality": "CT", "laterality": "left"}


def test_the_modality_stays_that_of_the_first_import(archive: Archive, make_case: Callable[..., NewCase]) -> None:
    for seed, modality in enumerate(("CT", "PT")):
        case_id = archive.add_case(make_case("1", "", [seed], facts=header(modality=modality)))
    assert values_of(archive.case(case_id).facts) == {"modality": "CT"}


def test_the_facts_of_many_cases_are_read_at_once(archive: Archive, encoder, make_case: Callable[..., NewCase]) -> None:
    one = archive.add_case(make_case("1", "CT of the chest."), encoder.id)
    two = archive.add_case(make_case("2", "Ultrasound of the liver."), encoder.id)
    archive.add_case(make_case("3", "Nothing to say."), encoder.id)
    assert {case_id: values_of(facts) for case_id, facts in archive.facts_of().items()} == {
        one: {"modality": "CT", "region": "chest"},
        two: {"modality": "US", "region": "abdomen"},
    }
    assert list(archive.facts_of([two])) == [two]


def test_more_cases_can_be_read_at_once_than_a_statement_has_variables(
    archive: Archive, make_case: Callable[..., NewCase]
) -> None:
    one = archive.add_case(make_case("1", "CT of the chest."))
    ids = range(-300_000, one + 1)
    assert list(archive.facts_of(ids)) == [one]
    assert archive.reports_of(ids) == {one: "CT of the chest."}
