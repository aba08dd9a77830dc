"""What the command line refuses before it searches, and corrections of facts."""

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

import desktop.__main__
from engine.archive import Archive
from engine.cli import main
from engine.cli.query_options import corrections_of
from engine.errors import UserError
from engine.facts.fact import Fact, corrected, values_of
from engine.store.address import Address

CT = get_testdata_file("CT_small.dcm")


def error(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line of a command that the user can mend."""
    assert main.main([*map(str, arguments)]) == 2, arguments
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


@pytest.fixture
def filled(archive: Archive, encoder, make_case) -> Path | Address:
    archive.add_case(make_case("1", "Fracture of the femur.", [1], modality="CR"), encoder.id)
    return archive.place


def test_an_unknown_modality_is_refused_and_the_known_ones_are_named(
    filled: Path | Address, capsys: pytest.CaptureFixture[str]
) -> None:
    search = ("search", "--archive", filled, "--mode", "lexical", "--text", "femur", "--modality")
    assert error(capsys, *search, "CR", "XY") == "XY is not a modality; the archive has: CR.\n"
    assert error(capsys, *search, "CR", "fracture") == "fracture is not a modality; the archive has: CR.\n"
    assert main.main([*map(str, search), "cr"]) == 0
    assert "femur" in capsys.readouterr().out
    assert main.main([*map(str, search), "MR"]) == 0


def test_an_empty_range_of_ages_is_refused(filled: Path | Address, capsys: pytest.CaptureFixture[str]) -> None:
    said = error(capsys, "search", "--archive", filled, "--text", "x", "--age", 60, 20)
    assert said == "No age is from 60 to 20: give the lower age first, as in --age 20 60.\n"


@pytest.mark.parametrize("option", [("--frame", 0), ("--window", 40, 400)])
def test_options_of_an_image_need_one(
    filled: Path | Address, capsys: pytest.CaptureFixture[str], option: tuple[object]
) -> None:
    said = error(capsys, "search", "--archive", filled, "--text", "x", *option)
    assert said == f"{option[0]} selects how an image is shown: give the image with --image.\n"


def test_a_folder_is_no_image(filled: Path | Address, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = f"{tmp_path} is a folder; name one image file in it.\n"
    assert error(capsys, "draft", tmp_path) == expected
    assert error(capsys, "search", "--archive", filled, "--image", tmp_path) == expected


def test_a_mistyped_command_does_not_start_the_app(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[object] = []
    monkeypatch.setattr("desktop.app.main", lambda arguments: started.append(arguments) or 0)
    assert desktop.__main__.main(["serach", "--text", "x"]) == 2
    assert capsys.readouterr().err == "There is no such command or file: serach; did you mean: kindred search?\n"
    assert desktop.__main__.main(["qqqq"]) == 2
    assert "kindred --help lists the commands" in capsys.readouterr().err
    assert desktop.__main__.main([str(tmp_path)]) == 0
    assert desktop.__main__.main(["--archive", str(tmp_path)]) == 0
    assert len(started) == 2


def test_an_unreadable_reports_file_leaves_no_empty_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = tmp_path / "new"
    said = error(capsys, "import", CT, "--archive", new, "--reports", tmp_path / "missing.csv")
    assert "missing.csv does not exist" in said
    assert not new.exists()


def test_an_import_that_rejected_everything_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "letter.txt").write_text("hello")
    assert main.main(["import", str(tmp_path / "studies"), "--archive", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out.startswith("Nothing was imported: 1 file or row was rejected.\n")


def test_facts_can_be_set_corrected_and_removed() -> None:
    facts = {"region": Fact("chest", "header"), "view": Fact("axial", "header")}
    found = corrected(facts, corrections_of(["region=hip", "view=", "modality=dx", "laterality=L"]))  # type: ignore[arg-type]
    assert values_of(found) == {"region": "limb", "modality": "CR", "laterality": "left"}
    assert {fact.source for fact in found.values()} == {"user"}


@pytest.mark.parametrize(
    ("correction", "sentence"),
    [
        ("hip", "--fact hip is not KIND=VALUE; the kinds are: modality, region, laterality, view, contrast."),
        (
            "organ=hip",
            "--fact organ=hip is not KIND=VALUE; the kinds are: modality, region, laterality, view, contrast.",
        ),
        ("laterality=up", "up is not a laterality; choose one of: left, right, both."),
        ("contrast=L", "L is not a contrast; choose one of: with, without."),
    ],
)
def test_a_correction_that_is_no_fact_is_refused(correction: str, sentence: str) -> None:
    with pytest.raises(UserError) as raised:
        corrections_of([correction])
    assert str(raised.value) == sentence
