"""What every test shares: no display, a home of its own, and the shipped starter bundle."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.paths import ROOT

if TYPE_CHECKING:
    from engine.bundle import Bundle
    from tests.memory_keyring import MemoryKeyring
    from tools.department_server import DepartmentServer


def pytest_configure() -> None:
    """Tests run without a display unless the caller names a platform."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"  # not that of the person who runs them
    if "PYTEST_XDIST_WORKER" in os.environ:  # a process a core: threads of their own would only wait for each other
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


SLOW = ("desktop/test_every_command.py", "export", "training")
"""Files and rooms that take longest, in the order in which they start."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with what is slow, so that no process is left alone with it at the end.

    The first process takes the first file and the second one the next, so that they do not both start with the exports,
    which share their graphs.
    """

    def rank(item: pytest.Item) -> int:
        return next((i for i, name in enumerate(SLOW) if item.path.is_relative_to(ROOT / "tests" / name)), len(SLOW))

    items.sort(key=rank)


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


@pytest.fixture
def ring() -> "Iterator[MemoryKeyring]":
    """The keyring of the account, empty."""
    import keyring

    from tests.memory_keyring import MemoryKeyring

    before, made = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture(scope="session")
def server() -> "Iterator[DepartmentServer]":
    """A PostgreSQL server with pgvector; each test makes a database of its own."""
    from tools.department_server import UNFLUSHED, DepartmentServer

    folder = Path(tempfile.mkdtemp(prefix="kindred-server-"))  # pytest's folders are closed to the server's own user
    started = DepartmentServer(folder / "data", UNFLUSHED)
    yield started
    started.stop()
    shutil.rmtree(folder)
