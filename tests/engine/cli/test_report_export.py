"""`kindred report export`: the report of the app's workspace, with the patient of the files."""

import json
from pathlib import Path

import pytest
from pydicom import dcmread

from engine.cli import main
from engine.dicom.listing import open_path
from engine.reports.workspace import KEY_IMAGES, Workspace
from tests.engine.dicom_samples import derive, sample

CT = sample("CT_small.dcm")


@pytest.fixture
def signed() -> str:
    """The UID of a study whose report is signed in the workspace of the user, with a key image."""
    study = open_path(CT).studies[0]
    with Workspace.open() as workspace:
        workspace.save_edit(study.uid, "Granuloma of the spleen.")
        workspace.sign(study.uid, "Ada Byron")
        workspace.save_marks(study.uid, KEY_IMAGES, [[study.series[0].frames[0].image.sop_uid, 0]])
    return study.uid


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main.main(["report", "export", *map(str, arguments)]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("name", ["txt", "html", "fhir", "hl7", "sr"])
def test_a_report_is_exported_in_every_format(name: str, signed: str, tmp_path: Path) -> None:
    out = tmp_path / "report"
    assert main.main(["report", "export", str(CT), "--format", name, "--out", str(out)]) == 0
    assert b"Granuloma of the spleen." in out.read_bytes()
    with Workspace.open() as workspace:
        last = workspace.audit()[-1]
    assert (last["state"], last["study_uid"]) == ("exported", signed)


def test_the_result_is_json_without_the_patient(
    signed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["report", "export", str(CT), "--format", "ko", "--out", str(tmp_path / "keys.dcm"), "--json"]
    assert main.main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == {
        **{"study": signed, "format": "ko", "path": str(tmp_path / "keys.dcm"), "state": "signed"},
    }


def test_a_verifier_is_named_together_with_the_organization(
    signed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.dcm"
    who = ["--verifier", "Ada Byron", "--organization", "Hospital"]
    assert "together" in refused(capsys, CT, "--out", out, "--format", "sr", *who[:2])
    assert "sr only" in refused(capsys, CT, "--out", out, *who)
    assert main.main(["report", "export", str(CT), "--format", "sr", "--out", str(out), *who]) == 0
    assert dcmread(out).VerifyingObserverSequence[0].VerifyingOrganization == "Hospital"


def test_an_unsigned_report_cannot_be_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Workspace.open() as workspace:
        workspace.save_edit(open_path(CT).studies[0].uid, "Granuloma.")
    who = ["--format", "sr", "--verifier", "Ada Byron", "--organization", "Hospital"]
    assert "Only a signed report" in refused(capsys, CT, "--out", tmp_path / "report.dcm", *who)


def test_no_file_is_replaced_and_nothing_is_written_without_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.txt"
    assert "no report to export" in refused(capsys, CT, "--out", out)
    assert not out.exists()
    out.write_text("mine")
    assert "exists already" in refused(capsys, CT, "--out", out)
    assert out.read_text() == "mine"


def test_one_of_several_studies_is_named(signed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    derive(tmp_path / "studies" / "a.dcm", "CT_small.dcm")
    derive(tmp_path / "studies" / "b.dcm", "MR_small.dcm")
    out = tmp_path / "report.txt"
    assert "name one with --study" in refused(capsys, tmp_path / "studies", "--out", out)
    assert "no images of this study" in refused(capsys, tmp_path / "studies", "--out", out, "--study", "1.2.3")
    assert main.main(["report", "export", str(tmp_path / "studies"), "--study", signed, "--out", str(out)]) == 0
    assert "Granuloma" in out.read_text()


def test_the_report_of_another_patient_with_the_same_study_uid_is_not_exported(
    signed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.txt"
    assert main.main(["report", "export", str(CT), "--out", str(out)]) == 0  # whose study it is, is known from now on
    other = derive(tmp_path / "other.dcm", "CT_small.dcm", PatientName="Other^Person", PatientID="77")
    assert "no report to export" in refused(capsys, other, "--out", tmp_path / "other.txt")
