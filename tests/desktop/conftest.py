"""The real window on real DICOM files, without a screen."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from desktop import theme
from desktop.app import App, build
from desktop.background import Background
from engine.bundle import Bundle

NO_SCREEN = "This plugin does not support"  # how warnings of Qt's offscreen platform start


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.qt_log_ignore(NO_SCREEN, extend=True))


def dicom(name: str) -> Path:
    """A real file that is installed with pydicom or pydicom-data."""
    path = get_testdata_file(name, download=False)
    assert path, f"{name} is missing: install pydicom-data"
    return Path(str(path))


@pytest.fixture
def background(qtbot: QtBot) -> Iterator[Background]:
    """A Background whose workers must end with the test."""
    made = Background()
    yield made
    assert made.close()


@pytest.fixture
def unopened(qtbot: QtBot, qapp: object, tmp_path: Path) -> Iterator[App]:
    """The whole app, shown, without models or archive, before its workspace is open."""
    theme.apply(qapp)  # type: ignore[arg-type]
    made = build(tmp_path / "workspace")
    made.window.resize(1440, 900)  # Qt's virtual screen is smaller
    made.window.show()
    qtbot.waitExposed(made.window)
    yield made
    made.close()
    made.window.deleteLater()


@pytest.fixture
def app(qtbot: QtBot, unopened: App) -> App:
    """The whole app, shown, without models or archive."""
    unopened.desk.report.open_workspace()
    settle(qtbot, unopened)
    return unopened


@pytest.fixture
def launch(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, starter_bundle: Bundle
) -> Iterator[Callable[[Sequence[Path]], App]]:
    """Starts the app with these paths as `kindred PATH` does, again and again on one workspace, with real models."""
    theme.apply(qapp)
    started: list[App] = []

    def start(paths: Sequence[Path] = ()) -> App:
        made = build(tmp_path / "workspace")
        started.append(made)
        made.desk.archive._open_bundle = lambda path: starter_bundle
        made.window.resize(1440, 900)  # Qt's virtual screen is smaller
        made.window.show()
        qtbot.waitExposed(made.window)
        made.desk.begin(paths)
        return made

    yield start
    for made in started:
        made.close()
        made.window.deleteLater()


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is chosen in file dialogs, by their title."""
    answers: dict[str, Any] = {}
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda parent, title: str(answers[title]))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda parent, title, *_: answers[title])
    return answers


def settle(qtbot: QtBot, app: App) -> None:
    """Wait until no background work is left."""
    qtbot.waitUntil(app.desk.background.idle, timeout=60_000)


def open_paths(qtbot: QtBot, app: App, *paths: Path) -> None:
    app.desk.studies.open(paths)
    settle(qtbot, app)


def sign(app: App, name: str = "Ada Byron") -> None:
    """Sign the report on screen under a name, as the dialog does when it is answered."""
    question = app.desk.report.ask_to_sign()
    assert question is not None
    app.desk.report.sign(question, name)
