"""`kindred copy`, `import --queue`, `worker` and `work`, as they are typed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.archive import Archive
from engine.cli.main import main
from engine.store.address import Address
from tests.paths import ROOT
from tools.department_server import DepartmentServer

SAMPLE = ROOT / "resources" / "sample-archive"


@pytest.fixture
def address(server: DepartmentServer) -> Iterator[Address]:
    """An empty database."""
    made = server.empty_database()
    yield made
    server.drop(made)


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_is_queued_is_done_by_a_worker_and_copied_into_a_folder(
    address: Address, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queued = said(capsys, "import", SAMPLE / "captions.csv", "--archive", address, "--queue")
    assert queued == {"job": 1, "queued": "124 cases"}
    (waiting,) = said(capsys, "work", "--archive", address)["jobs"]
    assert (waiting["units"], waiting["done"]) == (5, 0)
    done = said(capsys, "worker", "--archive", address)
    assert (done["units"], done["failed"], done["counts"]["added"]) == (5, 0, 124)
    (job,) = said(capsys, "work", "--archive", address, "--retry")["jobs"]
    assert (job["units"], job["done"], job["reasons"]) == (5, 5, {})
    copied = said(capsys, "copy", address, tmp_path / "copy")
    assert (copied["cases"], copied["reports"]) == (124, 124)
    with Archive.open(tmp_path / "copy") as copy:
        assert copy.problems(deep=True) == copy.audit_problems() == []
    assert said(capsys, "work", "--archive", address, "--drop", 1) == {"jobs": []}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["worker", "--archive", "DIR"], "only one on a server hands out work"),
        (["work", "--archive", "DIR"], "only one on a server hands out work"),
        (["reindex", "--archive", "DIR", "--queue"], "only one on a server hands out work"),
        (["reindex", "--archive", "DIR", "--queue", "--ray", "local"], "either --queue or --ray"),
        (["copy", "DIR", "DIR"], "is this archive, or a complete copy of it"),
    ],
)
def test_errors_say_what_to_do(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], make_case: Any
) -> None:
    with Archive.create(tmp_path / "archive", "word-encoder") as archive:
        archive.add_case(make_case("one", "Normal."))
    assert main([str(tmp_path / "archive") if word == "DIR" else word for word in arguments]) == 2
    assert sentence in capsys.readouterr().err
