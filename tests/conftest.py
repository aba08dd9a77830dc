"""What every test shares: no display, a home of its own, and the shipped starter bundle."""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest

from engine.bundle import Bundle


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the workspace of the person who runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("KINDRED_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def starter_bundle() -> Iterator[Bundle]:
    """The bundle that ships in resources/, opened once."""
    yield Bundle.open()
