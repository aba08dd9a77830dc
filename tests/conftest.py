"""What every test shares: no display, a home of its own, and the shipped starter bundle."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from engine.bundle import Bundle


def pytest_configure() -> None:
    """Tests run without a display unless the caller names a platform."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the workspace of the person who runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("KINDRED_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def starter_bundle() -> "Bundle":
    """The bundle that ships in resources/, opened once."""
    from engine.bundle import Bundle

    return Bundle.open()
