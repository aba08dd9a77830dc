"""The commands `kindred pacs ...`, with a real PACS."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks._pacs_servers import Server
from engine.cli.main import main
from tests.engine.pacs.pacs_studies import PATIENT, Studies


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KINDRED_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def added(orthanc: Server, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "add", "radiology", "--url", f"http://127.0.0.1:{orthanc.http}/dicom-web")


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["pacs", *arguments]) == code
    said = capsys.readouterr()
    return said.err if code else said.out


def of_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run(capsys, *arguments, "--json"))


def test_a_pacs_is_added_tried_listed_and_removed(orthanc: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No PACS was added" in run(capsys, "list")
    assert of_json(capsys, "list") == {"pacs": []}
    port = str(orthanc.dicom)
    added = of_json(capsys, "add", "archive", "--host", "127.0.0.1", "--port", port, "--called", "ORTHANC")["pacs"]
    assert added == {"name": "archive", "host": "127.0.0.1", "port": orthanc.dicom, "called": "ORTHANC"}
    assert of_json(capsys, "list") == {"pacs": [added]}
    assert run(capsys, "list") == f"archive  C-GET  ORTHANC at 127.0.0.1:{port}\n"
    assert of_json(capsys, "test")["ok"]
    assert run(capsys, "test", "archive").startswith("archive answers (")
    assert run(capsys, "remove", "archive") == "Removed archive.\n"
    assert "No PACS was added yet" in run(capsys, "test", code=2)


def test_an_address_that_would_not_be_private_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "add", "x", "--url", "http://pacs.example/dicom-web", code=2)
    assert said.startswith("Without TLS")
    assert len(said.splitlines()) == 1
    assert not home.exists()


def test_a_password_that_cannot_be_kept_adds_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for typed, said in (("", "The password is missing"), ("secret\n", "The password was not kept")):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert said in run(capsys, "add", "x", "--url", "https://pacs.example/", "--user", "anna", code=2)
    assert not home.exists()


@pytest.mark.usefixtures("added")
def test_studies_are_found_by_patient_id_and_by_file(studies: Studies, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(studies.files_of(studies.middle)[0])
    for patient in (PATIENT, file):
        found = of_json(capsys, "find", patient)
        assert [one["uid"] for one in found["studies"]] == [studies.newest, studies.middle, studies.oldest]
        assert (found["pacs"], found["dropped"]) == ("radiology", 0)
    priors = of_json(capsys, "priors", file)
    assert [one["uid"] for one in priors["studies"]] == [studies.newest, studies.oldest]
    lines = run(capsys, "priors", file).splitlines()
    assert lines[0].startswith("20240501  MR  Kopf Schädel  3 images  ")
    assert lines[1].endswith("CHECK THE PATIENT: other birth date")
    assert "Anna" not in "".join(lines)
    assert run(capsys, "find", "nobody") == "No studies of this patient.\n"


@pytest.mark.usefixtures("added")
def test_what_cannot_be_asked_for_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "takes for a pattern" in run(capsys, "find", "K*", code=2)
    assert "does not exist" in run(capsys, "priors", str(tmp_path / "nothing.dcm"), code=2)
    assert "is a folder" in run(capsys, "priors", str(tmp_path), code=2)
    assert "not a Study Instance UID" in run(capsys, "get", "..", "--to", str(tmp_path / "to"), code=2)


@pytest.mark.usefixtures("added")
def test_a_study_is_retrieved_and_not_twice(
    studies: Studies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    got = of_json(capsys, "get", studies.middle, "--to", str(tmp_path / "to"))
    assert (got["new"], got["there"], got["missing"], got["rejected"]) == (12, 0, 0, [])
    folder = tmp_path / "to" / studies.middle
    assert got["folder"] == str(folder)
    assert run(capsys, "get", studies.middle, "--to", str(tmp_path / "to")) == (
        f"0 images retrieved, 12 there before: {folder}\n"
    )
