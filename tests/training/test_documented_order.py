"""The documented commands for training on own pairs work in the documented order."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.paths import DATA, ROOT
from training import __main__ as command
from training.commands import grid
from training.networks import checkpoint

COMMAND = re.compile(
    r"^    (?:\./do train|python -m training) (encoders|captioner|grid) --config (training/\S+)", re.MULTILINE
)
EXPORT = re.compile(r"^    (?:\./do|python -m) export (\S+) --captioner (\S+)", re.MULTILINE)
SMALL: dict[str, dict[str, Any]] = {
    "data": {"manifests": ["pairs/pairs.csv"], "pairs": ["pairs/pairs.csv"], "texts": [], "vocabulary": 400},
    "towers": {"size": 32, "dim": 16, "max_length": 24, "head_hidden": 16},
    "model": {"dim": 16, "heads": 2, "layers": 1, "max_tokens": 12},
    "train": {"epochs": 1, "steps": 2, "batch": 4, "crops": 1},
}


def smaller(recipe: Path, target: Path) -> None:
    """The recipe with the same names of checkpoints and settings, on eight images."""
    lines: list[str] = []
    tables: list[str] = []
    for name, value in tomllib.loads(recipe.read_text(encoding="utf-8")).items():
        if isinstance(value, dict):
            changed = {key: SMALL.get(name, {}).get(key, old) for key, old in value.items()}
            changed |= {"half": False, "threads": 1} if name == "train" else {}
            tables += [f"[{name}]", *(f"{key} = {json.dumps(new)}" for key, new in changed.items())]
        else:
            lines.append(f"{name} = {json.dumps(value)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join([*lines, *tables]) + "\n", encoding="utf-8")


@pytest.mark.parametrize("document", ["README.md", "docs/training.md"])
def test_each_command_finds_what_an_earlier_one_made(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    made: set[str] = set()
    for name, recipe in COMMAND.findall(text):
        if name == "grid":
            made |= {
                str(run.folder / "best.pt") for run in grid.read(ROOT / recipe).runs(Path("runs", Path(recipe).stem))
            }
            continue
        settings = tomllib.loads((ROOT / recipe).read_text(encoding="utf-8"))
        assert {settings[name] for name in ("encoders", "start") if name in settings} <= made
        made.add(f"runs/{Path(recipe).stem}/best.pt")
    assert set(EXPORT.findall(text)[0]) <= made


def test_the_commands_train_encoders_and_captioner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = COMMAND.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(found) == 3
    for name, recipe in found:
        smaller(ROOT / recipe, tmp_path / recipe)
        assert command.main([name, "--config", recipe, "--data", str(DATA)]) == 0
    assert checkpoint.load("runs/captioner/best.pt").extra["settings"]["start"] == "runs/captioner_language/best.pt"
