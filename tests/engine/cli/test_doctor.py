"""`kindred doctor` reports the problems of an installation or an archive."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.cli import doctor
from engine.cli.installation import Installation
from engine.store.case import NewCase
from installer.manifest import write_manifest
from installer.release import Release

Make = Callable[..., NewCase]


@pytest.fixture
def filled(archive: Archive, make_case: Make) -> Archive:
    for n in range(4):
        archive.add_case(make_case(str(n), f"Report {n}.", seeds=[n]))
    archive.index.refresh(save=True)
    return archive


def examined(archive: Archive) -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.examine(Path("/nowhere"), archive.place)}


def test_an_intact_archive_passes_all_checks(filled: Archive) -> None:
    checks = examined(filled)
    names = ("archive", "integrity", "index", "codecs", "versions", *(["privacy"] if "privacy" in checks else []))
    assert all(checks[name].ok for name in names)
    assert "4 cases, 4 images and 4 reports" in checks["archive"].text


def test_a_missing_bundle_is_a_problem_that_says_what_to_do(filled: Archive) -> None:
    assert not examined(filled)["bundle"].ok
    assert "no model bundle" in examined(filled)["bundle"].text


def test_missing_embeddings_are_reported(filled: Archive) -> None:
    with filled._database.write() as db:
        db.execute("DELETE FROM embeddings WHERE id = 2")
    check = examined(filled)["integrity"]
    assert not check.ok
    assert "1 embedding is missing" in check.text


@pytest.mark.folder
def test_a_full_text_index_that_does_not_match_is_reported(filled: Archive) -> None:
    with filled._database.write() as db:
        db.execute("INSERT INTO reports_fts (reports_fts, rowid, text) VALUES ('delete', 1, 'Report 0.')")
    check = examined(filled)["integrity"]
    assert not check.ok
    assert "full-text index" in check.text


@pytest.mark.folder
@pytest.mark.parametrize(
    ("change", "problem"), [("unlink", "is missing"), ("damage", "is damaged"), ("behind", "does not contain")]
)
def test_the_state_of_the_search_index_is_reported(filled: Archive, make_case: Make, change: str, problem: str) -> None:
    if change == "unlink":
        filled.index.path.unlink()
    elif change == "damage":
        filled.index.path.write_bytes(b"x")
    else:
        filled.add_case(make_case("5", "Another."))
    check = examined(filled)["index"]
    assert problem in check.text
    assert check.mark == "note"
    filled.index.refresh(save=True)
    check = examined(filled)["index"]
    assert "intact" in check.text
    assert check.mark == "ok"


@pytest.mark.folder
def test_an_archive_that_others_can_read_is_a_problem(filled: Archive) -> None:
    filled.folder.chmod(0o755)
    check = examined(filled)["privacy"]
    assert not check.ok
    assert "chmod 700" in check.text


def test_a_folder_that_is_no_archive_and_has_no_backup_is_not_called_damaged(tmp_path: Path) -> None:
    checks = [one for one in doctor.examine(None, tmp_path) if one.name in ("archive", "backup")]
    assert [(one.name, one.ok) for one in checks] == [("archive", False)]


@pytest.mark.parametrize("module", ["cryptography", "dicomanonymizer", "highdicom", "lxml", "sqlcipher3"])
def test_a_library_that_is_only_needed_later_is_missed_now(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    def broken(name: str) -> None:
        if name.startswith(module):
            raise ImportError(name)

    monkeypatch.setattr(doctor.importlib, "import_module", broken)
    check = {one.name: one for one in doctor.examine(Path("/nowhere"))}["libraries"]
    assert not check.ok
    assert module[:5] in check.text


def test_installed_files_are_compared_with_their_checksums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def examined_installation() -> doctor.Check:
        return {one.name: one for one in doctor.examine(Path("/nowhere"))}["installation"]

    assert "runs from source" in examined_installation().text
    (tmp_path / "library.so").write_bytes(b"code")
    write_manifest(tmp_path, Release("1.2.3", "cpu", "abc", 0))
    monkeypatch.setattr(doctor, "installation", lambda: Installation(tmp_path))
    assert examined_installation().ok
    assert "All 2 installed files are intact (CPU edition of 1970-01-01, commit abc)" in examined_installation().text
    (tmp_path / "library.so").write_bytes(b"cod3")
    assert "1 installed file changed or missing (library.so)" in examined_installation().text
    (tmp_path / "SHA256SUMS").unlink()
    assert "install Kindred again" in examined_installation().text
