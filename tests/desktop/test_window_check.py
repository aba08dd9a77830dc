"""The window of the self-test is checked by what is painted in it."""

import json
import sys
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from pytestqt.qtbot import QtBot

from desktop import window_check
from engine.archive import Archive


def test_an_image_on_screen_is_told_from_an_empty_viewport(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Archive.create(tmp_path / "archive").close()
    arguments = [str(get_testdata_file("CT_small.dcm")), str(tmp_path / "archive")]
    assert window_check.main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["width"] > 100
    assert sys.platform != "linux" or said["usable"] >= 0
    monkeypatch.setattr("desktop.views.viewer.viewport.paint_picture", lambda *_: None)
    assert window_check.main(arguments) == 2
    assert "The viewport shows no image" in capsys.readouterr().err
