"""The map of the tree is made from the modules themselves."""

import pytest

from tests.paths import ROOT
from tools import tree_map


def test_every_module_stands_in_the_map_with_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert tree_map.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    modules = [path for room in tree_map.ROOMS for path in (ROOT / room).rglob("*.py") if path.name != "__init__.py"]
    assert len([line for line in lines if ".py" in line.split()[0]]) == len(modules)
    assert any(
        line.split(maxsplit=1) == ["archive.py", tree_map.first_sentence(ROOT / "engine/archive.py")] for line in lines
    )


def test_one_wing_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert tree_map.main(["engine/text"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("text/")
    assert "sentences.py" in told
    assert "archive.py" not in told


def test_a_folder_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert tree_map.main(["engines"]) == 2
    assert "There is no folder engines" in capsys.readouterr().err
