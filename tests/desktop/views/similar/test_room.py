"""Both panels at the right have room for what is decided in them: nothing of it needs scrolling."""

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.similar.query import SearchForm
from desktop.views.similar.hit_row import RowDelegate
from engine.archive import Archive
from engine.bundle import Bundle
from engine.importing.importer import import_path
from engine.reports.draft import Draft, Sentence
from tests.desktop.conftest import dicom, open_paths, settle, sign

SENTENCES = ("Clear lungs.", "Normal heart size.", "No effusion.", "No pneumothorax.", "Bones are intact.")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory, starter_bundle: Bundle) -> Path:
    """An archive of the same report twice, and of an image."""
    folder = tmp_path_factory.mktemp("cases")
    (folder / "reports.csv").write_text("case_id,text\na,Granuloma of the lung.\nb,Granuloma of the lung.\n")
    with Archive.create(folder / "archive") as archive:
        import_path(archive, starter_bundle, folder / "reports.csv")
        import_path(archive, starter_bundle, dicom("CT_small.dcm"))
    return folder / "archive"


@pytest.fixture
def searched(qtbot: QtBot, app: App, cases: Path, starter_bundle: Bundle, tmp_path: Path) -> App:
    """The app at 1440 x 900 with the hits of a search."""
    desk = app.desk
    desk.archive._open_bundle = lambda path: starter_bundle
    desk.archive.load_bundle()
    desk.archive.open(shutil.copytree(cases, tmp_path / "archive"))
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    desk.search.set_form(SearchForm(text="granuloma", with_image=False, mode="lexical"))
    desk.search.search()
    settle(qtbot, app)
    assert len(desk.search.hits) == 2
    return app


def whole(widget: QWidget) -> bool:
    """Whether all of a widget is in sight."""
    return widget.isVisible() and widget.visibleRegion().boundingRect() == widget.rect()


def test_the_selected_case_is_in_sight_below_the_hits(qtbot: QtBot, searched: App) -> None:
    detail = searched.window.search_panel.detail
    qtbot.waitUntil(lambda: whole(detail.text) and whole(detail.open))


def test_five_proposals_can_be_accepted_at_once_without_scrolling(qtbot: QtBot, searched: App) -> None:
    desk, panel = searched.desk, searched.window.report_panel
    page = desk.report.page
    assert page is not None
    draft = Draft(tuple(Sentence(text, None) for text in SENTENCES), "double", study_uid=page.study)
    desk.report._take_draft(page, "", draft, "an image")  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: whole(panel.accept_all) and whole(panel.tree))


def test_an_addendum_is_written_in_sight(qtbot: QtBot, searched: App) -> None:
    searched.desk.report.edit("The lungs are clear.")
    sign(searched)
    settle(qtbot, searched)
    searched.actions.actions["write_addendum"].trigger()
    addendum = searched.window.report_panel.addendum
    qtbot.waitUntil(lambda: whole(addendum) and addendum.hasFocus())
    qtbot.keyClicks(addendum, "Rib fracture.")
    sign(searched)
    settle(qtbot, searched)
    assert searched.window.report_panel.editor.hasFocus()


def test_the_line_above_the_hits_never_moves_them(qtbot: QtBot, searched: App) -> None:
    panel = searched.window.search_panel
    assert panel.summary.height() < 2 * panel.fontMetrics().lineSpacing()
    before = panel.body.geometry()
    panel.summary.setText(200 * "long ")
    layout = panel.layout()
    assert layout is not None
    layout.activate()
    assert panel.body.geometry() == before


def test_a_report_alone_shows_its_case_number(searched: App) -> None:
    delegate = RowDelegate(searched.desk.search, searched.window)
    painted = []
    for row in range(2):  # their text is the same
        image = QImage(400, 24, QImage.Format.Format_RGB32)
        image.fill(0)
        option = QStyleOptionViewItem()
        option.rect, option.font = QRect(0, 0, 400, 24), searched.window.font()
        with QPainter(image) as painter:
            delegate.paint(painter, option, searched.window.search_panel.hits.model().index(row, 0))
        painted.append(image)
    assert [hit.image_id for hit in searched.desk.search.hits] == [None, None]
    assert painted[0] != painted[1]
