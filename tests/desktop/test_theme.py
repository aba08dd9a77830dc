"""The light theme applies at once, not under images, and is restored after a restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop import theme
from desktop.app import App, build
from tests.desktop.conftest import dicom, open_paths


@pytest.fixture(autouse=True)
def dark_again(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply(qapp)


def background(app: App) -> str:
    """Color of an empty area of the report panel, as painted."""
    panel = app.window.report_panel
    return panel.grab().toImage().pixelColor(3, 3).name()


def test_the_light_theme_is_switched_on_and_off_at_once(qtbot: QtBot, app: App, qapp: QApplication) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    assert background(app) == theme.DARK.panel
    toolbar_icon = app.actions.actions["invert"].icon().cacheKey()
    app.actions.actions["light_theme"].trigger()
    assert background(app) == theme.LIGHT.panel
    assert qapp.palette().color(QPalette.ColorRole.WindowText).name() == theme.LIGHT.text
    assert app.actions.actions["invert"].icon().cacheKey() != toolbar_icon
    app.actions.actions["light_theme"].trigger()
    assert background(app) == theme.DARK.panel


def test_images_stay_on_black_in_the_light_theme(app: App) -> None:
    app.actions.actions["light_theme"].trigger()
    view = app.window.viewport
    assert view.grab().toImage().pixelColor(20, view.height() - 20).name() == theme.VIEWER == "#000000"


def test_the_theme_comes_back_after_a_restart(app: App, tmp_path: Path) -> None:
    app.actions.actions["light_theme"].trigger()
    app.close()
    again = build(tmp_path / "workspace")
    assert theme.current.name == "light"
    assert again.actions.actions["light_theme"].isChecked()
    again.close()
    again.window.deleteLater()
