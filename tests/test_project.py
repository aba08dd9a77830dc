"""The promises that the tree itself makes: who imports whom, how long a file may be, what is pinned."""

import ast
import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.paths import ROOT

ROOMS = ("desktop", "engine", "training", "export", "resources")


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    return [ROOT / line for line in listed if line and (ROOT / line).is_file()]


def python_files(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


def requirement_name(requirement: str) -> str:
    for mark in "[<>=!~ ;":
        requirement = requirement.split(mark)[0]
    return requirement.lower().replace("_", "-")


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_is_the_one_in_this_repository_and_not_a_package_of_the_same_name(room: str) -> None:
    module = importlib.import_module(room)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve().parent == ROOT / room


def test_the_app_runs_without_torch_and_transformers() -> None:
    code = (
        "import engine.bundle, engine.archive, desktop.app, sys; "
        "assert not {'torch', 'transformers'} & set(sys.modules), 'torch was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_app_and_the_commands_start_without_what_speaks_to_a_network() -> None:
    code = (
        "import engine.cli.main, desktop.app, sys; "
        "found = {'requests', 'urllib3', 'pynetdicom', 'dicomweb_client', 'psycopg'} & set(sys.modules); "
        "assert not found, f'imported: {found}'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    "path", python_files(*ROOMS, "tests", "benchmarks"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_file_is_too_long_to_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_every_dependency_is_pinned_to_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    pinned = dict(
        line.lower().replace("_", "-").split("==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert {requirement_name(name) for name in wanted} <= set(pinned)


def test_the_repository_stays_small_enough_to_clone_in_a_minute() -> None:
    assert sum(path.stat().st_size for path in tracked_files()) < 48 * 2**20


@pytest.mark.parametrize("module", ["engine.models.runtime", "export.quantize", "desktop.app"])
def test_the_telemetry_of_onnxruntime_is_off_before_its_first_import(module: str) -> None:
    code = f"""
import importlib, os, sys
seen = []
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            seen.append(os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Watch())
importlib.import_module("{module}")
import onnxruntime
assert seen == ["1"], seen
"""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=environment)
