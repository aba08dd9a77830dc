"""A finished bundle is told of more texts that it learned from: copies of them are recognised, all else stays."""

import json
import shutil
from pathlib import Path

import pytest

from engine.bundle import Bundle
from engine.models.copy_guard import CopyGuard
from export import add_texts

TEXT = "An irregular hypoechoic lesion of the upper outer quadrant with spiculated margins"
HELD_OUT = "A simple cyst of the lower inner quadrant that nobody has ever learned from at all"


@pytest.fixture
def folder(bundle_folder: Path, tmp_path: Path) -> Path:
    (tmp_path / "more.csv").write_text(
        "image,text,split,patient_id,split_group,source,licence\n"
        f"a.png,{TEXT},train,p1,g1,Ultrasounds,CC BY\nb.png,{HELD_OUT},val,p2,g2,Ultrasounds,CC BY\n",
        encoding="utf-8",
    )
    return Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))


def test_their_copies_are_recognised_and_their_sources_are_told(folder: Path, bundle_folder: Path) -> None:
    assert add_texts.main([str(folder), "--data", str(folder.parent), "--pairs", "more.csv"]) == 0
    guard = CopyGuard.from_file(folder / "training_ngrams.bin")
    assert guard.copies(TEXT)
    assert not guard.copies(HELD_OUT)
    before, after = (json.loads((one / "manifest.json").read_text("utf-8")) for one in (bundle_folder, folder))
    told = {"name": "Ultrasounds", "rows": 1, "used_for": add_texts.USED_FOR, "licences": ["CC BY"]}
    assert after["data_provenance"] == [*before["data_provenance"], told]
    changed = {"data_provenance", "training_ngrams"}
    assert {name: after[name] for name in after if name not in changed} == {
        name: before[name] for name in before if name not in changed
    }
    assert "Ultrasounds" in (folder / "MODEL_CARD.md").read_text("utf-8")
    assert Bundle.open(folder).id == Bundle.open(bundle_folder).id


def test_told_twice_nothing_changes_any_more(folder: Path) -> None:
    told = [str(folder), "--data", str(folder.parent), "--pairs", "more.csv"]
    assert add_texts.main(told) == 0
    once = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert add_texts.main(told) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == once


def test_a_missing_manifest_is_refused_before_anything_changes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "training_ngrams.bin").read_bytes()
    assert add_texts.main([str(folder), "--data", str(folder.parent), "--pairs", "none.csv"]) == 2
    assert "Cannot read the manifest" in capsys.readouterr().err
    assert (folder / "training_ngrams.bin").read_bytes() == before


def test_what_fails_half_way_leaves_the_bundle_as_it_was(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(add_texts.bundle_writer, "write_manifest", full)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert add_texts.main([str(folder), "--data", str(folder.parent), "--pairs", "more.csv"]) == 2
    assert "No space left" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
