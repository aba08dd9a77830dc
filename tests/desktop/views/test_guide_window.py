"""The user guide: in the browser, else in a window of the app, else one sentence that says how it is built."""

import os
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QImage, QTextDocument
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop import outside
from desktop.app import App
from desktop.errors import PROBLEM
from desktop.outside import BEFORE, LIBRARIES, libraries_of_the_system
from desktop.views.guide_window import GuideWindow

PAGE = """<html><body><nav>All pages</nav><article role="main"><h1>{title}<a class="headerlink" href="#x">#</a></h1>
<p><a href="{link}">Go on</a></p><img src="wide.png"></article></body></html>"""


@pytest.fixture
def first_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pages that lead to each other, in place of the built guides."""
    for name, other in (("index", "second"), ("second", "index")):
        (tmp_path / f"{name}.html").write_text(PAGE.format(title=f"The {name} page", link=f"{other}.html"))
    image = QImage(3000, 300, QImage.Format.Format_RGB32)
    image.fill(0)
    assert image.save(str(tmp_path / "wide.png"))
    monkeypatch.setattr(outside, "guide_page", lambda: tmp_path / "index.html")
    return tmp_path / "index.html"


def opened_window(app: App) -> GuideWindow:
    window = app.window.findChild(GuideWindow)
    assert isinstance(window, GuideWindow)
    return window


def test_the_guide_opens_in_the_browser(app: App, first_page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: urls.append(url) or True)
    app.actions.actions["user_guide"].trigger()
    assert [url.toLocalFile() for url in urls] == [str(first_page)]
    assert app.window.findChild(GuideWindow) is None


def test_a_browser_that_may_not_read_files_leaves_the_window_of_the_app(
    app: App, first_page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: True)
    app.actions.actions["user_guide"].trigger()
    message = app.desk.messages.message
    assert message is not None
    assert message.action == "Read it here"
    assert message.run is not None
    message.run()
    assert opened_window(app).pages.toPlainText().startswith("The index page")


def test_without_a_browser_it_opens_in_a_window(
    qtbot: QtBot, app: App, first_page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    app.actions.actions["user_guide"].trigger()
    pages = opened_window(app).pages
    assert pages.toPlainText().startswith("The index page\nGo on")
    assert "All pages" not in pages.toPlainText()
    QTest.keyClicks(pages, "\t")  # to the link
    QTest.keyClick(pages, "\r")
    assert pages.toPlainText().startswith("The second page")
    assert pages.isBackwardAvailable()


def test_words_are_found_on_the_page_again_and_again(app: App, first_page: Path) -> None:
    window = GuideWindow(first_page, app.window)
    window.show()
    window.words.setText("go")
    for _ in range(2):
        QTest.keyClick(window.words, "\r")
        assert window.pages.textCursor().selectedText() == "Go"


def test_a_wide_picture_fits_the_window(qtbot: QtBot, app: App, first_page: Path) -> None:
    window = GuideWindow(first_page, app.window)
    window.show()
    assert not window.pages.horizontalScrollBar().isVisible()
    assert window.pages.document().idealWidth() <= window.pages.viewport().width()


def test_a_picture_that_cannot_be_decoded_takes_no_room(app: App, first_page: Path) -> None:
    (first_page.parent / "wide.png").write_bytes(b"no picture")
    window = GuideWindow(first_page, app.window)
    image = window.pages.loadResource(QTextDocument.ResourceType.ImageResource.value, QUrl("wide.png"))
    assert (image.width(), image.height()) == (1, 1)


def test_guides_that_are_not_built_are_told_with_the_command_that_builds_them(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "guide_page", lambda: tmp_path / "index.html")
    app.actions.actions["user_guide"].trigger()
    message = app.desk.messages.message
    assert message is not None
    assert (message.kind, "./do docs" in message.text) == (PROBLEM, True)


@pytest.mark.parametrize("before", [None, "/opt/lib"])
def test_a_program_that_the_frozen_app_starts_does_not_get_its_libraries(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", "/opt/kindred", raising=False)
    monkeypatch.setenv(LIBRARIES, "/opt/kindred")
    monkeypatch.delenv(BEFORE, raising=False)
    if before is not None:
        monkeypatch.setenv(BEFORE, before)
    with libraries_of_the_system():
        assert os.environ.get(LIBRARIES) == before
    assert os.environ[LIBRARIES] == "/opt/kindred"
