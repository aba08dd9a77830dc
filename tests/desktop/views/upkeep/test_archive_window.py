"""The Archive screen on a real archive: contents, duplicates, checks and deletion, reached from the menu."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.views.upkeep.archive_window import ArchiveWindow
from engine.archive import Archive
from engine.bundle import Bundle
from engine.importing.importer import import_path
from tests.desktop.conftest import dicom, settle

ROWS = "id,text,patient_id,modality\nA,Pleural effusion.,P1,CR\nB,Pleural effusion.,P1,CR\nC,Normal.,P2,CT\n"


@pytest.fixture
def screen(qtbot: QtBot, app: App, tmp_path: Path, starter_bundle: Bundle) -> ArchiveWindow:
    """The screen with an archive of an image and three reports, two of which have the same words."""
    (tmp_path / "reports.csv").write_text(ROWS)
    with Archive.create(tmp_path / "archive") as archive:
        import_path(archive, starter_bundle, tmp_path / "reports.csv")
        import_path(archive, starter_bundle, dicom("MR_small.dcm"))
    app.desk.archive._open_bundle = lambda path: starter_bundle
    app.desk.archive.load_bundle()
    app.desk.archive.open(tmp_path / "archive")
    settle(qtbot, app)
    app.actions.actions["archive_screen"].trigger()
    settle(qtbot, app)
    assert app.window.dialogs.archive is not None
    return app.window.dialogs.archive


def answer_yes(qtbot: QtBot, app: App, box: QMessageBox | None) -> str:
    assert box is not None
    asked = box.text()
    box.button(QMessageBox.StandardButton.Yes).click()
    settle(qtbot, app)
    return asked


def test_the_contents_follow_the_archive_while_the_screen_is_open(
    qtbot: QtBot, app: App, screen: ArchiveWindow
) -> None:
    assert screen.contents.sizes.text().startswith("4 cases")
    assert len(screen.contents.charts) == 5
    assert screen.minimumSizeHint().width() <= 1366
    assert screen.minimumSizeHint().height() <= 720
    assert "MR 1" in screen.contents.charts[0].accessibleDescription()
    app.desk.archive.import_into(dicom("CT_small.dcm"))
    settle(qtbot, app)
    assert screen.contents.sizes.text().startswith("5 cases")
    screen.close()
    app.desk.archive.import_into(dicom("RG1_UNCR.dcm"))
    settle(qtbot, app)
    assert app.desk.upkeep.statistics.sizes.startswith("5 cases")
    app.actions.actions["archive_screen"].trigger()
    settle(qtbot, app)
    assert app.desk.upkeep.statistics.sizes.startswith("6 cases")


def test_near_duplicates_are_merged_after_a_question(qtbot: QtBot, app: App, screen: ArchiveWindow) -> None:
    page = screen.duplicates
    assert not page.merge.isEnabled()
    page.look.click()
    settle(qtbot, app)
    assert page.line.text() == "1 group with 2 cases."
    page.tree.topLevelItem(0).setCheckState(0, Qt.CheckState.Checked)
    page.merge.click()
    assert answer_yes(qtbot, app, page.question).startswith("Merge 2 cases into 1?")
    assert page.line.text() == "1 group merged."
    assert app.desk.archive.stats["cases"] == 3


def test_a_check_says_what_is_damaged_and_the_index_is_rebuilt(qtbot: QtBot, app: App, screen: ArchiveWindow) -> None:
    page, archive = screen.maintenance, app.desk.archive.archive
    assert archive is not None
    page.buttons["check"].click()
    assert not page.buttons["rebuild"].isEnabled()
    settle(qtbot, app)
    lines = [page.found.item(row).text() for row in range(page.found.count())]
    assert "The database is intact, and every row has its checksum." in lines
    archive.index.path.write_bytes(b"damaged")
    page.buttons["rebuild"].click()
    settle(qtbot, app)
    assert page.found.item(0).text() == "The search index was rebuilt: 4 vectors."
    assert archive.index.state() == "intact"


def test_a_check_does_not_name_the_folder_while_patient_data_is_hidden(
    qtbot: QtBot, app: App, screen: ArchiveWindow, tmp_path: Path
) -> None:
    def named() -> bool:
        found = screen.maintenance.found
        return any(str(tmp_path / "archive") in found.item(row).text() for row in range(found.count()))

    screen.maintenance.buttons["check"].click()
    settle(qtbot, app)
    assert named()
    app.desk.layout.toggle_patient_data()
    assert not named()


def test_a_case_is_deleted_by_its_number_and_an_unknown_one_is_a_sentence(
    qtbot: QtBot, app: App, screen: ArchiveWindow
) -> None:
    page = screen.maintenance
    assert not page.delete.isEnabled()
    page.case.setText("99")
    page.delete.click()
    settle(qtbot, app)
    assert app.desk.messages.message is not None
    assert app.desk.messages.message.text == "The archive has no case 99."
    page.case.setText("1")
    page.delete_patient.click()
    settle(qtbot, app)
    boxes = app.window.findChildren(QMessageBox)
    assert "Delete 2 cases (1, 2)" in answer_yes(qtbot, app, boxes[-1])
    assert app.desk.archive.stats["cases"] == 2


def test_without_an_archive_the_screen_says_what_to_do(qtbot: QtBot, app: App) -> None:
    app.actions.actions["archive_screen"].trigger()
    window = app.window.dialogs.archive
    assert window is not None
    assert window.name.text() == "No archive is open"
    assert not window.begin[0].isEnabled()
    assert not window.maintenance.buttons["check"].isEnabled()
