"""A reader searches, a writer adds, an administrator deletes; nobody changes the audit or what someone else signed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from engine.archive import Archive
from engine.errors import UserError
from engine.importing.importer import NOT_CLEANED, import_path
from engine.reports.outbox import archive_waiting
from engine.reports.stored_report import ReportFacts, Submission
from engine.reports.workspace import Workspace
from engine.retrieval.search import Query, search
from engine.store.address import Address
from engine.store.case import NewCase, NewReport
from tests.engine.stores import by_hand

Make = Callable[..., NewCase]
Account = Callable[[str], Address]
SIGNED = "Signed by someone else."


def report(encoder, text: str, state: str = "signed") -> NewReport:
    return NewReport(text, encoder.embed_texts([text])[0], state)  # type: ignore[arg-type]


def test_a_reader_searches_and_is_told_that_it_changes_nothing(
    address: Address, account: Account, make_case: Make, encoder
) -> None:
    with Archive.open(address) as owner:
        owner.add_case(make_case("1", "Left effusion.", [1]), encoder.id)
    with Archive.open(account("reader")) as archive:
        assert archive.read_only
        assert search(archive, encoder, Query(text="left effusion")).hits[0].case_id == 1
        assert archive.image(1).shape == (40, 32)
        assert archive.problems(deep=True) == []
        assert archive.audit_problems() == []
        for change in (
            lambda: archive.add_case(make_case("2", "Fracture."), encoder.id),
            lambda: archive.set_report(1, report(encoder, "x"), "test", encoder.id),
            lambda: archive.delete([1]),
            archive.rebuild,
            archive.require_writable,
        ):
            with pytest.raises(UserError, match=r"Your account may search the archive .* but not change it"):
                change()
    assert stats(address)["cases"] == 1


def test_what_the_desk_does_not_let_a_reader_do_the_server_does_not_either(address: Address, account: Account) -> None:
    reader = account("reader")
    for table in ("cases", "reports", "audit", "settings", "checksums", "derived", "identity", "revision"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {COLUMN[table]} = {COLUMN[table]}"):
            with pytest.raises(UserError, match="Your account may not do this"), by_hand(reader) as db:
                db.execute(statement)


COLUMN = {
    **{"cases": "key", "reports": "text", "audit": "detail", "settings": "value"},
    **{"checksums": "crc", "derived": "content", "identity": "key", "revision": "number"},
}


def test_a_writer_adds_but_deletes_no_case_and_changes_no_audit(
    address: Address, account: Account, make_case: Make, encoder
) -> None:
    writer = account("writer")
    with Archive.open(writer) as archive:
        assert not archive.read_only
        archive.add_case(make_case("1", "Left effusion.", [1]), encoder.id)
        archive.set_report(1, report(encoder, "Right effusion."), "test", encoder.id)
        archive.add_case(make_case("2", "Right effusion."), encoder.id)
        for change in (lambda: archive.delete([1]), lambda: archive.merge([1, 2])):
            with pytest.raises(UserError, match=r"Your account may not do this in the archive .*; ask its adm"):
                change()
        assert archive.case_ids() == [1, 2]
        assert archive.problems(deep=True) == []
        assert [row["login"] for row in archive.audit()] == [writer.user]
    for statement in (
        "UPDATE audit SET detail = ''",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
        "UPDATE audit_chain SET hash = ''",
        "DELETE FROM cases",
        "DELETE FROM images",
        "TRUNCATE audit",
        "TRUNCATE reports CASCADE",
        "UPDATE identity SET key = ''",
        "ALTER TABLE reports DISABLE ROW LEVEL SECURITY",
        "DROP POLICY change_own ON reports",
        "CREATE FUNCTION kindred.lower(text) RETURNS text LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE kindred.mine (x int)",
        "INSERT INTO audit_chain (id, login, hash) VALUES (99, 'someone', '')",
        "SET ROLE kindred_administrator",
    ):
        with pytest.raises(UserError, match="Your account may not do this"), by_hand(writer) as db:
            db.execute(statement)


def test_a_report_that_someone_else_signed_is_replaced_by_its_author_or_an_administrator_only(
    address: Address, account: Account, make_case: Make, encoder
) -> None:
    author, other, administrator = account("writer"), account("writer"), account("administrator")
    case = make_case("1", SIGNED, [1])
    with Archive.open(author) as archive:
        archive.add_case(replace(case, report=report(encoder, SIGNED)), encoder.id)
    with Archive.open(other) as archive:
        with pytest.raises(UserError, match=r"^Someone else signed the report of case 1 in .*; ask them, or"):
            archive.set_report(1, report(encoder, "Mine."), "test", encoder.id)
        assert archive.reports_of([1]) == {1: SIGNED}
        assert archive.audit() == []
        assert archive.problems(deep=True) == []
    with by_hand(other) as db:  # the rule is the server's, not ours
        assert db.execute("UPDATE reports SET text = 'Mine.' RETURNING id").fetchall() == []
        assert db.execute("DELETE FROM reports RETURNING id").fetchall() == []
    with pytest.raises(UserError, match="Your account may not do this"), by_hand(other) as db:
        db.execute("INSERT INTO reports (case_id, text, state, created, login) VALUES (1, 'x', 'signed', '', ?)", ["a"])
    for who, text in ((author, "Corrected by its author."), (administrator, "Corrected.")):
        with Archive.open(who) as archive:
            archive.set_report(1, report(encoder, text), "test", encoder.id)
            assert archive.reports_of([1]) == {1: text}
            assert archive.problems(deep=True) == []


def test_a_report_that_was_imported_is_replaced_by_whoever_signs_it(account: Account, make_case: Make, encoder) -> None:
    with Archive.open(account("writer")) as archive:
        archive.add_case(make_case("1", "Imported."), encoder.id)
    with Archive.open(account("writer")) as archive:
        archive.set_report(1, report(encoder, SIGNED), "test", encoder.id)
        assert archive.reports_of([1]) == {1: SIGNED}


def test_a_delivery_that_the_rule_refuses_waits_at_its_desk_with_its_reason(
    account: Account, make_case: Make, encoder
) -> None:
    with Archive.open(account("writer")) as archive:
        archive.add_case(replace(make_case("1.2", SIGNED), report=report(encoder, SIGNED)), encoder.id)
    with Archive.open(account("writer")) as archive, Workspace.open() as workspace:
        workspace.save_edit("1.2", "Another opinion.")
        workspace.sign("1.2", "ada", Submission(ReportFacts("CR")))
        workspace.save_edit("1.3", "Of another study.")
        workspace.sign("1.3", "ada", Submission(ReportFacts("CR")))
        delivery = archive_waiting(workspace, archive, encoder)
        assert [str(one).split(" in ")[0] for one in delivery.refused] == ["Someone else signed the report of case 1"]
        assert workspace.waiting() == ("1.2",)


def test_an_administrator_deletes_merges_and_maintains(
    address: Address, account: Account, make_case: Make, encoder
) -> None:
    with Archive.open(account("administrator")) as archive:
        for key in ("1", "2", "3"):
            archive.add_case(make_case(key, "Left effusion.", [7]), encoder.id)
        assert archive.merge([1, 2]) == 1
        archive.delete([3])
        archive.forget_words()
        archive.forget_replaced()
        archive.rebuild()
        assert archive.case_ids() == [1]
        assert [row["action"] for row in archive.audit()] == ["cases merged", "case deleted"]
        assert archive.problems(deep=True) == []
        assert archive.audit_problems() == []


def test_an_account_without_a_role_sees_nothing(account: Account) -> None:
    with pytest.raises(UserError, match=r"Your account may not do this in the archive .*; ask its adm"):
        Archive.open(account(""))


def stats(address: Address) -> dict[str, object]:
    with Archive.open(address) as archive:
        return archive.stats()


def test_a_colleagues_report_that_names_the_patient_is_told_and_the_import_goes_on(
    address: Address, account: Account, make_case: Make, encoder, tmp_path: Path
) -> None:
    author, other = account("writer"), account("writer")
    data = dcmread(get_testdata_file("CT_small.dcm"))
    data.PatientName = "Featherstone^Quill"
    data.save_as(tmp_path / "ct.dcm")
    case = make_case("a report", "x", joins=(("study", data.StudyInstanceUID),))
    with Archive.open(author) as archive:
        archive.add_case(replace(case, report=report(encoder, "Featherstone has an effusion.")), encoder.id)
    with Archive.open(other) as archive:
        result = import_path(archive, encoder, tmp_path / "ct.dcm")
        assert [one.reason.startswith(NOT_CLEANED) for one in result.rejected] == [True]
        assert len(archive.case(1).images) == 1
        assert archive.problems(deep=True) == []
