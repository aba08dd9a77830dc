"""What another desk commits between a look at the archive and a write is seen, and nothing of it or of ours is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from engine.archive import Archive
from engine.reports.outbox import archive_signed
from engine.reports.stored_report import ReportFacts, Submission
from engine.store.case import NewCase, NewReport
from engine.store.shared_sql import Connection

Make = Callable[..., NewCase]


@pytest.fixture
def other(archive: Archive) -> Iterator[Archive]:
    with Archive.open(archive.place) as opened:
        yield opened


def before_the_next_write(archive: Archive, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Have another desk act once, after this one has looked and before it writes."""
    write, acts = archive._database.write, [act]

    @contextmanager
    def later(**how: bool) -> Iterator[Connection]:
        while acts:
            acts.pop()()
        with write(**how) as db:
            yield db

    monkeypatch.setattr(archive._database, "write", later)


def test_a_key_that_another_desk_archives_meanwhile_stays_that_of_its_case(
    archive: Archive, other: Archive, make_case: Make, encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = archive.add_case(make_case("1", "Left effusion.", [1]), encoder.id)
    study = make_case("2", "Right effusion.", [2])
    added: list[int] = []
    before_the_next_write(archive, monkeypatch, lambda: added.append(other.add_case(study, encoder.id)))
    archive.recognize(first, study)
    assert archive._database.read("SELECT key FROM merged_keys") == []
    assert [archive.find_case("2")] == added


def test_a_case_that_another_desk_deletes_meanwhile_is_not_recognized_any_more(
    archive: Archive, other: Archive, make_case: Make, encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = archive.add_case(make_case("1", "Left effusion.", [1]), encoder.id)
    before_the_next_write(archive, monkeypatch, lambda: other.delete([first]))
    archive.recognize(first, make_case("2", "Left effusion."))
    assert archive.find_case("2") is None


def test_a_signed_report_takes_the_place_of_one_that_another_desk_imports_meanwhile(
    archive: Archive, other: Archive, make_case: Make, encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_case("1.2", "Imported meanwhile.", [1])
    monkeypatch.setattr(archive, "bind", lambda bundle_id: None)  # so that the next write is that of the report
    before_the_next_write(archive, monkeypatch, lambda: other.add_case(study, encoder.id))
    case_id = archive_signed(archive, encoder, "1.2", "Large left effusion.", Submission(ReportFacts("CR")))
    assert archive.case_ids() == [case_id]
    report = archive.case(case_id).report
    assert report is not None
    assert (report.text, report.state) == ("Large left effusion.", "signed")
    assert archive.problems(deep=True) == []


def test_a_report_that_another_desk_replaces_meanwhile_is_not_overwritten_by_its_cleaned_predecessor(
    archive: Archive, other: Archive, make_case: Make, encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = archive.add_case(make_case("1", "Seen by Dr. Quix."), encoder.id)
    before = archive.case(case_id).report
    assert before is not None

    def report(text: str) -> NewReport:
        return NewReport(text, encoder.embed_texts([text])[0], "imported")

    before_the_next_write(
        archive, monkeypatch, lambda: other.set_report(case_id, report("Large effusion."), "signed", encoder.id)
    )
    archive.set_report(case_id, report("Seen by [name]."), "cleaned", encoder.id, instead_of=before.report_id)
    assert archive.reports_of([case_id]) == {case_id: "Large effusion."}
    assert [row["detail"] for row in archive.audit()] == ["signed"]
    assert archive.problems(deep=True) == []
