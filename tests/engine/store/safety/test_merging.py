"""Cases that are one are joined: every picture and every text stays, and a study sent again is still recognized."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.case import NewCase
from tests.engine.conftest import WordEncoder

Make = Callable[..., NewCase]
ONE = {"patient": "P", "sex": "F", "age": 44}


def texts(archive: Archive) -> list[str]:
    return [archive.case(one).report.text for one in archive.case_ids() if archive.case(one).report]  # type: ignore[union-attr]


def test_merging_keeps_every_picture_and_the_report_and_search_finds_the_merged_case(
    archive: Archive, encoder: WordEncoder, make_case: Make
) -> None:
    archive.add_case(make_case("a", "", (1, 2), modality="CR", description="Chest", licence="CC BY", **ONE))
    archive.add_case(make_case("other", "Quiet abdomen.", (9,), patient="Q"))
    archive.add_case(make_case("b", "Large left effusion.", (2, 3), body_part="CHEST", licence="CC0", patient="P"))
    search(archive, encoder, Query(None, "effusion"))  # the index has the old rows
    assert archive.merge([3, 1]) == 1
    assert archive.case_ids() == [1, 2]
    case = archive.case(1)
    assert len(case.images) == 3  # picture 2 was in both
    assert case.report is not None
    assert case.report.text == "Large left effusion."
    assert (case.modality, case.body_part, case.licence, case.age) == ("CR", "CHEST", "CC BY; CC0", 44)
    assert case.facts["laterality"].value == "left"
    assert archive.problems(deep=True) == []
    assert archive.index.state() == "intact"
    found = search(archive, encoder, Query(None, "left effusion"), SearchOptions(k=1)).hits
    assert [hit.case_id for hit in found] == [1]
    picture = archive.image(case.images[-1].image_id)
    assert search(archive, encoder, Query(picture), SearchOptions(k=1)).hits[0].case_id == 1
    assert [
        hit.case_id for hit in search(archive, None, Query(None, "effusion"), SearchOptions(mode="lexical")).hits
    ] == [1]
    audit = archive._database.read("SELECT action, case_id, detail FROM audit")
    assert audit == [("cases merged", 1, "with case 3")]


def test_a_merged_study_that_is_sent_again_is_recognized_and_goes_with_its_case(
    archive: Archive, make_case: Make
) -> None:
    for key in ("a", "b", "c"):
        archive.add_case(make_case(key, "", (1,)))
    archive.merge([2, 3])
    archive.merge([1, 2])
    assert [archive.find_case(key) for key in ("a", "b", "c")] == [1, 1, 1]
    for key in ("b", "c"):
        again = make_case(key, "", (1,))
        content = archive.content_of(key)
        assert content is not None
        assert {archive.identity.image(one.key) for one in again.images} <= content.image_keys
        assert archive.add_case(again) == 1
    assert len(archive.case(1).images) == 1
    assert archive.problems(deep=True) == []
    archive.delete([1])
    assert archive.find_case("c") is None
    assert archive.problems(deep=True) == []


@pytest.mark.folder  # the store makes no difference
@pytest.mark.parametrize(
    ("reports", "states", "kept"),
    [
        (("Normal.", "Normal."), ("imported", "signed"), ("Normal.", "signed")),
        (
            ("normal\n chest.", "Normal chest. No effusion."),
            ("imported",) * 2,
            ("Normal chest. No effusion.", "imported"),
        ),
        (("Normal chest.", "Abnormal chest."), ("imported",) * 2, None),
        (("No effusion, normal.", "No. Effusion, normal."), ("imported",) * 2, None),
        (("No effusion.", "No effusion. Fracture."), ("signed", "imported"), None),
        (("Size 3.5 cm", "Size 3.5 cm2"), ("imported",) * 2, None),
    ],
)
def test_a_report_is_dropped_only_where_the_other_one_says_all_of_it(
    archive: Archive, make_case: Make, reports: tuple[str, str], states: tuple[str, str], kept: tuple[str, str] | None
) -> None:
    for key, text, state in zip("ab", reports, states, strict=True):
        case = make_case(key, text, (1,), patient="P")
        archive.add_case(replace(case, report=replace(case.report, state=state)))  # type: ignore[type-var]
    if kept is None:
        with pytest.raises(UserError, match="cannot be merged: their reports differ"):
            archive.merge([1, 2])
        assert texts(archive) == list(reports)
        assert len(archive.case_ids()) == 2
    else:
        archive.merge([1, 2])
        (report,) = [archive.case(one).report for one in archive.case_ids()]
        assert report is not None
        assert (report.text, report.state) == kept
    assert archive.problems(deep=True) == []


@pytest.mark.folder  # the store makes no difference
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"patient": "P"}, {"patient": "Q"}),
        ({"sex": "M"}, {"sex": "F"}),
        ({"age": 40}, {"age": 60}),
        ({"patient": "P", "age": 40}, {"patient": "P", "age": 60}),
    ],
)
def test_cases_of_different_patients_are_never_merged(
    archive: Archive, make_case: Make, one: dict[str, object], other: dict[str, object]
) -> None:
    archive.add_case(make_case("a", "", (1,), **one))
    archive.add_case(make_case("b", "", (1,), **other))
    with pytest.raises(UserError, match=r"cannot be merged: .* differ"):
        archive.merge([1, 2])
    assert archive.case_ids() == [1, 2]


def test_what_is_damaged_or_not_there_is_not_merged(archive: Archive, make_case: Make) -> None:
    for key in "ab":
        archive.add_case(make_case(key, "", (ord(key),)))
    for wrong in ([1, 9], [1], [1, 1]):
        with pytest.raises(UserError, match=r"no case 9|two cases"):
            archive.merge(wrong)
    with archive._database.write() as db:
        db.execute("UPDATE images SET png = ? WHERE id = 2", [bytes(9)])
    with pytest.raises(UserError, match="damaged"):
        archive.merge([1, 2])
    assert archive.case_ids() == [1, 2]
