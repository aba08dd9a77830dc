"""A finished bundle measured anew: its numbers change, its graphs, its id and where it comes from stay."""

import json
import shutil
from pathlib import Path

import pytest

from engine.bundle import Bundle
from export import bundle_writer, model_card, remeasure
from export.build import BuildRequest


def test_wrong_numbers_are_put_right_and_the_rest_stays(
    bundle_folder: Path, tiny: BuildRequest, tmp_path: Path
) -> None:
    folder = shutil.copytree(bundle_folder, tmp_path / "bundle")
    path = folder / "manifest.json"
    right = json.loads(path.read_text("utf-8"))
    kinds = right["calibration"]
    path.write_text(json.dumps({**right, "calibration": {kind: {"mean": 0.5, "std": 9.0} for kind in kinds}}), "utf-8")
    assert remeasure.main([str(folder), "--data", str(tiny.data), "--resamples", "20"]) == 0
    found = json.loads(path.read_text("utf-8"))
    for kind, constants in kinds.items():
        assert found["calibration"][kind] == pytest.approx(constants)
    assert {name: found[name] for name in ("created", "git_commit", "variants")} == {
        name: right[name] for name in ("created", "git_commit", "variants")
    }
    assert Bundle.open(folder).id == Bundle.open(bundle_folder).id
    made, measured = bundle_writer.made_by(bundle_folder / "MODEL_CARD.md"), "python -m export.remeasure"
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    assert made in card
    assert measured in card


def test_what_fails_half_way_leaves_the_bundle_as_it_was(
    bundle_folder: Path, tiny: BuildRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(bundle_folder, tmp_path / "bundle")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(model_card, "card", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        remeasure.main([str(folder), "--data", str(tiny.data), "--resamples", "20"])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_is_no_bundle_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert remeasure.main([str(tmp_path)]) == 2
    assert "give the folder of a bundle" in capsys.readouterr().err
