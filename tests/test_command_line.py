"""The contract of the command line: exit codes, one JSON document, one line per error that the user can fix."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

import desktop.__main__
from engine.archive import Archive
from engine.cli import main
from engine.image.picture import load_picture
from engine.resources import resource_path
from engine.store.safety.checksums import WHOLE, seal
from tests.paths import ROOT

CT = get_testdata_file("CT_small.dcm")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command as a user starts it."""
    command = [sys.executable, "-m", "desktop", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive made by `kindred import` with the starter bundle: two images, one with text, and two captions."""
    folder = tmp_path_factory.mktemp("cli")
    source = folder / "source"
    source.mkdir()
    rows = ["image,text,modality,sex,age"]
    for n, (name, facts) in enumerate(
        [("CT_small.dcm", ",CT"), ("MR_small.dcm", "Sagittal magnetic resonance image of the brain.,MR")]
    ):
        Image.fromarray(load_picture(Path(get_testdata_file(name))).gray).save(source / f"{n}.png")
        rows.append(f"{n}.png,{facts},F,{40 + n}")
    (source / "cases.csv").write_text("\n".join(rows) + "\n")
    (source / "captions.csv").write_text(
        "id,text\nA,Chest radiograph with a large left pleural effusion.\nB,Fracture of the distal femur.\n"
    )
    assert main.main(["import", str(source), "--archive", str(folder / "archive")]) == 0
    return folder / "archive"


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """The one JSON document of a command that succeeds."""
    assert main.main([*map(str, arguments), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)  # type: ignore[no-any-return]


def test_open_lists_studies_and_rejected_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(CT, tmp_path / "image")
    (tmp_path / "letter.txt").write_text("hello")
    listing = document(capsys, "open", tmp_path)
    assert [series["modality"] for study in listing["studies"] for series in study["series"]] == ["CT"]
    assert [Path(one["path"]).name for one in listing["rejected"]] == ["letter.txt"]
    assert listing["rejected"][0]["reason"]
    assert "CompressedSamples" not in json.dumps(listing)


def test_a_text_finds_its_report_first(imported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "search", "--archive", imported, "--text", "Fracture of the distal femur.")
    assert found["hits"][0]["text"] == "Fracture of the distal femur."
    assert {"case_id", "kind", "score", "cosine", "text", "why"} <= found["hits"][0].keys()
    assert found["ms"] > 0


def test_an_image_finds_itself_and_reports_the_window_used(imported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "search", "--archive", imported, "--image", CT, "-k", 3, "--window", -50, 1500)
    assert len(found["hits"]) == 3
    assert found["hits"][0]["kind"] == "image"
    assert found["query"]["image"]["window"] == [-50, 1500]
    assert found["query"]["image"]["frame"] == 0


def test_a_series_names_the_frame_that_each_hit_is_nearest_to(
    imported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series = get_testdata_file("emri_small.dcm")
    found = document(capsys, "search", "--archive", imported, "--image", series, "--series", "-k", 3)
    assert [frame["frame"] for frame in found["query"]["frames"]] == [2, 3, 4, 6, 8]
    assert {hit["frame"] for hit in found["hits"]} <= set(range(5))
    assert main.main(["search", "--archive", str(imported), "--text", "femur", "--series"]) == 2
    assert "give it with --image" in capsys.readouterr().err


def test_filters_take_several_modalities(imported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = document(capsys, "search", "--archive", imported, "--text", "brain", "--modality", "CT", "MR")
    assert {hit["modality"] for hit in both["hits"]} == {"CT", "MR"}
    aged = document(capsys, "search", "--archive", imported, "--text", "brain", "--age", 41, 50, "--sex", "f")
    assert [hit["age"] for hit in aged["hits"]] == [41]
    words = document(capsys, "search", "--archive", imported, "--text", "femur", "--mode", "lexical")
    assert [hit["text"] for hit in words["hits"]] == ["Fracture of the distal femur."]


def test_a_draft_has_evidence_or_says_why_there_is_none(imported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proposed = document(capsys, "draft", CT, "--archive", imported)
    assert proposed["text"] == " ".join(sentence["text"] for sentence in proposed["sentences"])
    assert proposed["notice"] == "research draft, not for clinical use"
    assert proposed["model"]
    assert proposed["facts"]["modality"]["value"] == "CT"
    assert bool(proposed["reason"]) != bool(proposed["sentences"])
    assert (proposed["start"] is None) == (not proposed["sentences"])
    for sentence in proposed["sentences"]:
        assert (sentence["confidence"] is not None) <= proposed["confidence_is_calibrated"]
        assert all(isinstance(case, int) for case in sentence["evidence"])


def test_importing_again_skips_what_is_known(imported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = imported.parent / "source"
    again = document(capsys, "import", source, "--archive", imported)
    assert (again["added"], again["skipped"], again["archive"]["cases"]) == (0, 4, 4)


def test_an_import_with_rejected_files_succeeds(
    tmp_path: Path, imported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM broken")
    result = document(capsys, "import", tmp_path, "--archive", imported)
    assert result["added"] == 0
    assert [Path(one["path"]).name for one in result["rejected"]] == ["broken.dcm"]


def test_an_archive_of_other_models_can_be_reindexed(
    tmp_path: Path, imported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(imported, folder)
    with Archive.open(folder) as archive, archive._database.write() as db:
        db.execute("UPDATE settings SET value = 'other models' WHERE name = 'bundle_id'")
        seal(db, "settings", WHOLE)
    assert main.main(["search", "--archive", str(folder), "--text", "femur"]) == 2
    assert "or re-index the archive with the current one" in capsys.readouterr().err
    reindexed = document(capsys, "reindex", "--archive", folder)
    assert reindexed["vectors"] == 5
    found = document(capsys, "search", "--archive", folder, "--text", "Fracture of the distal femur.")
    assert found["hits"][0]["text"] == "Fracture of the distal femur."


def test_doctor_reports_an_intact_installation(imported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = document(capsys, "doctor", "--archive", imported)
    assert report["ok"]
    text = " ".join(check["text"] for check in report["checks"])
    for fact in ("onnxruntime", "pydicom", "is intact", "JPEG 2000", "4 cases"):
        assert fact in text


def test_without_json_the_output_is_readable_text(imported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["search", "--archive", str(imported), "--text", "femur"]) == 0
    assert main.main(["draft", str(CT), "--archive", str(imported)]) == 0
    assert main.main(["open", str(CT)]) == 0
    out = capsys.readouterr().out
    assert "The nearest reports in this archive are of other examinations." in out or "close enough to draft" in out
    assert "1 study, 0 files rejected." in out


def test_reports_without_a_study_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "reports.csv").write_text("Accession,text\nA1,No effusion.\n,No fracture.\n")
    assert main.main(["import", str(tmp_path / "reports.csv"), "--archive", str(tmp_path / "archive")]) == 0
    assert (
        "2 reports archived without a study, 1 of them without study UID, accession number, or patient ID and "
        "date (YYYY-MM-DD).\n"
    ) in capsys.readouterr().out


@pytest.fixture
def damaged_bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    shutil.copytree(resource_path("starter-bundle"), folder)
    model = folder / json.loads((folder / "manifest.json").read_text())["variants"]["int8"]["text"]["file"]
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 0xFF
    model.write_bytes(bytes(content))
    return folder


def test_errors_that_the_user_can_fix_are_one_line_and_exit_2(
    imported: Path, damaged_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unreadable = tmp_path / "broken.dcm"
    unreadable.write_bytes(Path(CT).read_bytes()[:-20000])
    newer = tmp_path / "newer"
    shutil.copytree(imported, newer)
    connection = sqlite3.connect(newer / "archive.db")
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kindred-archive', 'future', 'x')"
    )
    connection.commit()
    connection.close()
    for arguments, message in (
        (["open", "/nowhere"], "does not exist"),
        (["import", "/nowhere", "--archive", tmp_path / "new"], "does not exist"),
        (["search", "--archive", "/nowhere", "--text", "x"], "not a Kindred archive"),
        (["search", "--archive", newer, "--text", "x"], "newer version of Kindred"),
        (["search", "--archive", imported], "The query is empty"),
        (["search", "--archive", imported, "--text", "x", "--bundle", damaged_bundle], "damaged"),
        (["search", "--archive", imported, "--text", "x", "--bundle", tmp_path], "no model bundle"),
        (["search", "--text", "x"], "--archive"),
        (["draft", unreadable], "broken.dcm"),
        (["draft", CT, "--frame", 7], "There is no frame 8; CT_small.dcm has 1 frame, and --frame counts them from 0."),
        (["doctor", "--bundle", damaged_bundle], "1 problem found, see above."),
        (["unknown"], "unknown"),
        (["search", "--archive", imported, "--age", 40], "requires 2 arguments. See: kindred search --help"),
        (["--wrong"], "See: kindred --help"),
        (["import", "", "--archive", imported], "The name of a file or folder is empty. See: kindred import --help"),
        (["delete", "--archive", "", "--case", 1, "--yes"], "is empty. See: kindred delete --help"),
    ):
        assert main.main([*map(str, arguments)]) == 2, arguments
        out, err = capsys.readouterr()
        assert message in err
        assert "see above" not in err or "is damaged" in out
        assert err.count("\n") == 1, err


def test_a_missing_model_does_not_leave_an_empty_archive(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    folder = tmp_path / "archive"
    arguments = ["import", str(tmp_path / "pictures"), "--archive", str(folder), "--bundle", str(tmp_path)]
    assert main.main(arguments) == 2
    assert not folder.exists()


def test_a_bug_is_exit_1_with_a_traceback(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("engine.cli.main.open_path", broken)
    assert main.main(["open", str(CT)]) == 1
    assert "This is a bug in Kindred" in caplog.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("command", sorted(main.cli.commands))
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([command, "--help"]) == 0
    assert f"Example: kindred {command}" in " ".join(capsys.readouterr().out.split())


def test_the_entry_point_knows_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(main.cli.commands) <= desktop.__main__.COMMANDS
    seen: list[list[str]] = []
    monkeypatch.setattr("desktop.app.main", lambda arguments: seen.append(list(arguments)) or 0)
    assert desktop.__main__.main(["some/folder"]) == 0
    assert seen == [["some/folder"]]


def test_exit_codes_reach_the_shell() -> None:
    good, bad, helped = run("open", CT, "--json"), run("open", "/nowhere"), run("--help")
    assert (good.returncode, bad.returncode, helped.returncode) == (0, 2, 0)
    assert json.loads(good.stdout)["rejected"] == []
    assert bad.stdout == ""
    assert bad.stderr == "/nowhere does not exist; check the name and the drive.\n"
    assert "Traceback" not in bad.stderr
    assert good.stderr == "" or os.name == "nt"


def test_a_query_takes_the_facts_of_its_header_and_of_its_words_and_corrections(
    imported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search = ("search", "--archive", imported, "--image", CT, "--fact", "region=hip", "--fact", "contrast=")
    facts = document(capsys, *search)["query"]["facts"]
    assert {kind: (fact["value"], fact["source"]) for kind, fact in facts.items() if fact["source"] != "models"} == {
        "modality": ("CT", "header"),
        "region": ("limb", "user"),
        "view": ("axial", "header"),
    }
    words = document(capsys, "search", "--archive", imported, "--text", "left pleural effusion")["query"]["facts"]
    assert {kind: fact["value"] for kind, fact in words.items()} == {"region": "chest", "laterality": "left"}
    assert main.main([*map(str, search)]) == 0
    assert "Facts: modality CT, region limb, view axial" in capsys.readouterr().out
    assert document(capsys, "draft", CT, "--archive", imported)["facts"]["modality"]["value"] == "CT"


def test_deleted_cases_are_gone(imported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(imported, folder)
    assert main.main(["delete", "--archive", str(folder)]) == 2
    assert "--case" in capsys.readouterr().err
    assert main.main(["delete", "--archive", str(folder), "--case", "99", "--yes"]) == 2
    assert "no case 99" in capsys.readouterr().err
    assert document(capsys, "delete", "--archive", folder, "--case", 3, "--yes") == {
        **{"deleted": [3], "cases": 3, "backups": 0},
    }
    found = document(capsys, "search", "--archive", folder, "--text", "pleural effusion", "--mode", "lexical")
    assert not found["hits"]
    assert all(b"effusion" not in path.read_bytes() for path in folder.iterdir())


def test_duplicates_are_listed_and_merged(imported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(imported, folder)
    picture = Image.open(imported.parent / "source" / "1.png")

    def add(name: str, image: Image.Image, sex: str) -> dict[str, Any]:
        (tmp_path / name).mkdir()
        image.save(tmp_path / name / "image.png")
        (tmp_path / name / "cases.csv").write_text(f"image,text,sex\nimage.png,,{sex}\n")
        return document(capsys, "import", tmp_path / name, "--archive", folder)

    listing = ("duplicates", "--archive", folder)
    assert document(capsys, *listing) == {"groups": [], "merged": [], "cases": 4}
    add("copy", picture, "F")
    groups = document(capsys, *listing)["groups"]
    assert groups == [{"cases": [2, 5], "reasons": ["same pixels"], "patients": "unknown", "obstacle": ""}]
    merged = document(capsys, *listing, "--merge", "--yes")
    assert (merged["merged"], merged["cases"]) == ([{"case": 2, "merged": [5]}], 4)
    assert add("copied again", picture, "F")["skipped"] == 1
    add("stranger", picture.point(lambda value: value * 15 // 16 + 15), "M")
    assert main.main([*map(str, listing), "--merge", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "Same picture, different patients; not merged: the sexes of their patients differ." in out
    assert document(capsys, *listing, "--case", 1)["groups"] == []
    assert document(capsys, *listing, "--case", 2)["groups"][0]["cases"] == [2, 6]
    assert document(capsys, *listing, "--case", 2, "--case", 3)["groups"] == []
    found = document(capsys, "search", "--archive", folder, "--text", "magnetic resonance", "--mode", "lexical")
    assert [hit["case_id"] for hit in found["hits"]] == [2]


def test_a_preview_lists_matches_and_neither_creates_an_archive_nor_needs_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("a.csv", "Granuloma."), ("b.csv", "Something else.")):
        uid = pydicom.dcmread(CT).StudyInstanceUID if name == "a.csv" else "1.2.3"
        (tmp_path / name).write_text(f"study_uid,text\n{uid},{text}\n")
    reports = [word for name in ("a.csv", "b.csv") for word in ("--reports", tmp_path / name)]
    found = document(capsys, "import", CT, "--archive", tmp_path / "none", *reports, "--dry-run")
    assert [(one["name"], one["with"]) for one in found["matched"]] == [(f"{tmp_path / 'a.csv'} line 2", [str(CT)])]
    assert found["unmatched"] == [f"{tmp_path / 'b.csv'} line 2"]
    assert main.main(["import", str(CT), "--archive", str(tmp_path / "none"), "--dry-run"]) == 0
    assert "Nothing was imported." in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
