"""Every benchmark can be started: it imports what there is and reads files that exist."""

import importlib

import pytest

from benchmarks import familiarity
from tests.paths import ROOT

NAMES = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_imports(name: str) -> None:
    importlib.import_module(f"benchmarks.{name}")


def test_the_pages_of_text_exist() -> None:
    assert [page for page in familiarity.PAGES if not (ROOT / page).is_file()] == []
