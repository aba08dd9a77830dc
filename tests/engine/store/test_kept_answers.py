"""Answers are kept until something is committed, by whatever connection, and only the last ones."""

from collections.abc import Callable

from engine.archive import Archive
from engine.store import kept_answers
from engine.store.case import NewCase
from engine.store.filters import Filters
from engine.store.kept_answers import KeptAnswers

Make = Callable[..., NewCase]


def test_an_answer_is_kept_until_a_commit(archive: Archive, make_case: Make) -> None:
    kept, asked = KeptAnswers[int](archive._database), []

    def count() -> int:
        asked.append(1)
        return int(archive._database.read("SELECT count(*) FROM cases")[0][0])

    assert [kept.of("cases", count) for _ in range(3)] == [0, 0, 0]
    assert len(asked) == 1
    with Archive.open(archive.place) as other:
        other.add_case(make_case("0", "Normal."))
    assert [kept.of("cases", count) for _ in range(3)] == [1, 1, 1]
    assert len(asked) == 2


def test_an_answer_that_a_change_has_overtaken_is_not_kept(archive: Archive, make_case: Make) -> None:
    kept = KeptAnswers[int](archive._database)

    def slow() -> int:
        found = int(archive._database.read("SELECT count(*) FROM cases")[0][0])
        archive.add_case(make_case("0", "Normal."))
        return found

    assert kept.of("cases", slow) == 0
    assert kept.of("cases", lambda: 1) == 1


def test_only_the_last_answers_are_kept(archive: Archive) -> None:
    kept, asked = KeptAnswers[int](archive._database), []

    def ask(number: int) -> int:
        return kept.of(number, lambda: asked.append(number) or number)

    for number in range(kept_answers.MOST):
        ask(number)
    ask(0)
    ask(kept_answers.MOST)
    asked.clear()
    assert [ask(number) for number in (0, kept_answers.MOST, 1)] == [0, kept_answers.MOST, 1]
    assert asked == [1]


def test_the_cases_that_filters_allow_follow_the_archive(archive: Archive, make_case: Make) -> None:
    women = Filters(sex="F")
    assert archive.cases_allowed_by(Filters()) is None
    assert archive.cases_allowed_by(women).tolist() == []
    for number, sex in enumerate("FMF"):
        archive.add_case(make_case(f"{number}", "Normal.", sex=sex))
    assert archive.cases_allowed_by(women).tolist() == [1, 3]
    archive.delete([1])
    assert archive.cases_allowed_by(women).tolist() == [3]
