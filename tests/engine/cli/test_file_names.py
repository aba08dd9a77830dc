"""Names of files that are not UTF-8, as on old media and network drives, are opened, printed and archived."""

import json
import os
import sys
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.cli.main import main
from engine.cli.output import printable
from engine.dicom.listing import open_path
from engine.importing.importer import import_path
from engine.store.folder.sources import SourceLinks
from tests.engine.conftest import WordEncoder
from tests.engine.dicom_samples import derive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")

NO_UIDS = {"SOPInstanceUID": None, "StudyInstanceUID": None, "PatientID": None, "StudyDate": None, "StudyTime": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder caf\\xe9 with an image im\\xe9.dcm, and one without any UID."""
    made = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    made.mkdir()
    for name, changes in ((b"im\xe9.dcm", {}), (b"\xe8.dcm", NO_UIDS | {"AccessionNumber": None})):
        derive(tmp_path / "plain.dcm", "CT_small.dcm", **changes)
        (tmp_path / "plain.dcm").rename(made / os.fsdecode(name))
    (made / os.fsdecode(b"notes\xff.txt")).write_text("no image")
    return made


def test_json_is_valid_utf_8(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["open", str(folder), "--json"]) == 0
    found = json.loads(capfdbinary.readouterr().out.decode("utf-8"))
    (rejected,) = found["rejected"]
    assert rejected["path"].endswith("caf\\xe9/notes\\xff.txt")
    files = {Path(file).name for study in found["studies"] for one in study["series"] for file in one["files"]}
    assert files == {"im\\xe9.dcm", "\\xe8.dcm"}


def test_lines_and_errors_are_valid_utf_8(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["open", str(folder)]) == 0
    assert main(["open", str(folder / "missing")]) == 2
    out, err = capfdbinary.readouterr()
    assert "notes\\xff.txt" in out.decode("utf-8")
    assert "caf\\xe9/missing" in err.decode("utf-8")


def test_such_a_folder_is_imported_with_links_to_its_files(folder: Path, tmp_path: Path, encoder: WordEncoder) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        result = import_path(archive, encoder, folder, link_sources=True)
        assert (result.added, len(result.rejected)) == (2, 1)
        again = import_path(archive, encoder, folder, link_sources=True)
        assert (again.added, again.skipped) == (0, 2)
    links = SourceLinks(tmp_path / "archive")
    linked = {links.path(case_id) for case_id in (1, 2)}
    links.close()
    assert linked == {frame.image.name for study in open_path(folder).studies for frame in study.frames()}


def test_every_text_can_be_printed() -> None:
    assert printable({"a\udce9": ["\ud800", ("é", 1, None)]}) == {"a\\xe9": ["\\ud800", ["é", 1, None]]}
