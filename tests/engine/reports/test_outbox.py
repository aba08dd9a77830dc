"""A signed report becomes an archived case, at once or when an archive is opened later; nothing is lost."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.archive import Archive
from engine.dicom.listing import open_path
from engine.reports import outbox
from engine.reports.nearest_report import near_reports
from engine.reports.outbox import DisplayedFrame, archive_waiting, submission_for
from engine.reports.stored_report import ReportFacts, Submission
from engine.reports.workspace import Workspace
from engine.retrieval.search import Query, search
from engine.study import Patient, Study
from engine.text.deidentify import clean
from tests.desktop.conftest import dicom


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "home") as opened:
        yield opened


def sign(workspace: Workspace, study: str, text: str, out: Submission | None = None) -> None:
    workspace.save_edit(study, text)
    workspace.sign(study, "ada", out or Submission(ReportFacts("CR", identifiers=("Quix^Otto", "H-4711"))))


def test_a_signed_report_is_archived_cleaned_and_found(
    workspace: Workspace, archive: Archive, encoder, make_picture: Callable
) -> None:
    gray = make_picture(3)
    sign(
        workspace,
        "1.2",
        "Otto has a large left effusion.",
        Submission(ReportFacts("CR", identifiers=("Quix^Otto",)), gray),
    )
    assert workspace.waiting() == ("1.2",)
    delivery = archive_waiting(workspace, archive, encoder)
    assert [(one.removed, one.already_archived, one.with_image) for one in delivery.archived] == [(1, False, True)]
    case = archive.case(delivery.archived[0].case_id)
    assert case.report is not None
    assert (case.report.text, case.report.state, case.modality) == ("[name] has a large left effusion.", "signed", "CR")
    np.testing.assert_array_equal(archive.image(case.images[0].image_id), gray)
    assert [hit.case_id for hit in search(archive, encoder, Query(text="large left effusion")).hits] == [case.case_id]


def test_later_reports_are_cleaned_of_the_names_of_a_signed_study(
    workspace: Workspace, archive: Archive, encoder, make_picture: Callable
) -> None:
    facts = ReportFacts("CR", identifiers=("Quix^Otto",))
    sign(workspace, "1.2", "Normal chest.", Submission(facts, make_picture(3)))
    is_name = archive.is_name(archive_waiting(workspace, archive, encoder).archived[0].case_id)
    assert clean("Seen by Dr. Quix.", is_name=is_name).text == clean("Seen by Dr. Quix.", facts.identifiers).text
    assert clean("Quix was moved.", is_name=is_name).text == "[name] was moved."


def test_a_signed_report_may_serve_as_evidence_for_another_study(
    workspace: Workspace, archive: Archive, encoder, make_picture: Callable
) -> None:
    sign(workspace, "1.2", "There is a large left effusion.")
    case_id = archive_waiting(workspace, archive, encoder).archived[0].case_id
    near = near_reports(archive, encoder, encoder.embed_images([make_picture(1)])[0]).reports
    assert [one.case_id for one in near] == [case_id]


def test_an_archived_report_leaves_the_queue_without_identifiers(
    workspace: Workspace, archive: Archive, encoder
) -> None:
    sign(workspace, "1.2", "Normal chest.")
    stored = workspace.load("1.2")
    assert stored is not None
    assert stored.waiting
    case_id = archive_waiting(workspace, archive, encoder).archived[0].case_id
    stored = workspace.load("1.2")
    assert stored is not None
    assert (stored.waiting, stored.archive, stored.case_id) == (False, archive.name, case_id)
    assert workspace.submission("1.2") is None
    assert workspace._database.read("SELECT facts, png FROM outbox") == [("{}", None)]
    assert archive_waiting(workspace, archive, encoder).archived == ()


def test_the_queue_survives_a_restart_with_its_image(
    tmp_path: Path, archive: Archive, encoder, make_picture: Callable
) -> None:
    facts = ReportFacts("CT", "F", 61, "CHEST", "H-1", (40.0, 400.0), "1.2.9 0", ("Doe^Jane", "H-1", ""))
    with Workspace.open(tmp_path / "home") as before:
        sign(before, "1.2", "Normal chest.", Submission(facts, make_picture(4)))
    with Workspace.open(tmp_path / "home") as after:
        again = after.submission("1.2")
        assert again is not None
        assert again.facts == facts
        np.testing.assert_array_equal(again.gray, make_picture(4))
        case = archive.case(archive_waiting(after, archive, encoder).archived[0].case_id)
    assert (case.modality, case.sex, case.age, case.body_part) == ("CT", "F", 61, "CHEST")
    assert case.patient == archive.identity.patient("H-1")
    assert case.images[0].window == (40.0, 400.0)


def test_a_body_part_that_an_earlier_version_queued_holds_only_anatomy_in_the_archive(
    workspace: Workspace, archive: Archive, encoder
) -> None:
    sign(workspace, "1.2", "Normal chest.", Submission(ReportFacts("CR", body_part="CHEST OTTO QUIX")))
    assert archive.case(archive_waiting(workspace, archive, encoder).archived[0].case_id).body_part == "CHEST"


def test_an_archived_study_gets_the_signed_report(
    workspace: Workspace, archive: Archive, encoder, make_case: Callable, make_picture: Callable
) -> None:
    case_id = archive.add_case(make_case("1.2", "Words of an earlier import.", seeds=(1,)))
    sign(workspace, "1.2", "Small effusion.", Submission(ReportFacts("CR"), make_picture(7)))
    sent = archive_waiting(workspace, archive, encoder).archived[0]
    assert (sent.case_id, sent.already_archived, sent.with_image) == (case_id, True, False)
    case = archive.case(case_id)
    assert case.report is not None
    assert case.report.text == "Small effusion."
    assert len(case.images) == 1


def test_a_crash_after_archiving_creates_no_duplicate(
    workspace: Workspace, archive: Archive, encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(workspace, "1.2", "Small effusion.")
    with monkeypatch.context() as crash:
        crash.setattr(Workspace, "mark_archived", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            archive_waiting(workspace, archive, encoder)
    assert workspace.waiting() == ("1.2",)
    archive_waiting(workspace, archive, encoder)
    assert workspace.waiting() == ()
    assert archive.stats()["cases"] == 1
    assert archive.stats()["reports"] == 1


def test_a_report_that_the_archive_refuses_stays_in_the_queue(workspace: Workspace, archive: Archive, encoder) -> None:
    sign(workspace, "1.2", "Small effusion.")
    encoder.id = "another"
    delivery = archive_waiting(workspace, archive, encoder)
    assert delivery.archived == ()
    assert "another model" in str(delivery.refused[0])
    assert str(delivery.refused[0].other) == archive.where
    assert workspace.waiting() == ("1.2",)


def test_a_report_signed_without_submission_is_not_queued(workspace: Workspace) -> None:
    workspace.save_edit("1.2", "Normal.")
    assert not workspace.sign("1.2").waiting
    assert workspace.waiting() == ()


def test_the_submission_comes_from_the_header() -> None:
    study = open_path(dicom("CT_small.dcm")).studies[0]
    ref = study.series[0].frames[0]
    out = submission_for(study, DisplayedFrame(study.series[0], ref, np.zeros((600, 700), np.uint8), (40.0, 400.0)))
    assert out.facts.modality == "CT"
    assert out.facts.image_key == f"{ref.image.sop_uid} 0"
    assert out.facts.identifiers[:3] == (study.patient.name, study.patient.id, study.accession)
    assert study.patient.name
    assert out.gray is not None
    assert max(out.gray.shape) == 512


def test_an_image_with_burned_in_text_is_not_archived() -> None:
    study = open_path(dicom("CT_small.dcm")).studies[0]
    ref = study.series[0].frames[0]
    marked = replace(ref, image=replace(ref.image, burned_in=True))
    assert submission_for(study, DisplayedFrame(study.series[0], marked, np.zeros((8, 8), np.uint8))).gray is None


def test_a_study_without_an_image_is_signed_with_its_text_alone() -> None:
    study = Study("1.2", "", "", "", "A-7", Patient("Doe^Jane", "H-1", sex="F", age=50))
    out = submission_for(study)
    assert out.gray is None
    assert (out.facts.sex, out.facts.age, out.facts.identifiers) == ("F", 50, ("Doe^Jane", "H-1", "A-7"))


def test_a_damaged_report_in_the_queue_delays_no_other(workspace: Workspace, archive: Archive, encoder) -> None:
    for study in ("1.2", "1.3"):
        sign(workspace, study, f"Report of {study}.")
    with workspace._database.write() as db:
        db.execute("UPDATE outbox SET facts = '[]' WHERE study_uid = '1.2'")
    delivery = archive_waiting(workspace, archive, encoder)
    assert [one.study_uid for one in delivery.archived] == ["1.3"]
    assert "damaged" in str(delivery.refused[0])


def test_a_bug_with_one_report_delays_no_other(
    workspace: Workspace, archive: Archive, encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for study in ("1.1", "1.2"):
        sign(workspace, study, f"Report {study} of a chest.")
    plain = outbox.archive_signed

    def archive_signed(archive: Archive, bundle: object, study_uid: str, *values: object, **names: object) -> int:
        if study_uid == "1.1":
            raise KeyError(study_uid)
        return plain(archive, bundle, study_uid, *values, **names)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "archive_signed", archive_signed)
    with pytest.raises(KeyError):
        archive_waiting(workspace, archive, encoder)
    assert workspace.waiting() == ("1.1",)
    assert len(archive.case_ids()) == 1
