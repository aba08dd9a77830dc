"""PACS settings in the real window: adding, editing, trying out and removing a PACS, and what was retrieved."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from benchmarks._pacs_servers import Server
from desktop.app import App
from desktop.views.pacs.address_form import GET, MOVE, WEB, AddressForm
from desktop.views.pacs.addresses_dialog import PacsAddressesDialog
from engine.pacs.address import Pacs
from engine.pacs.address_book import add, addresses
from engine.pacs.retrieve import retrieve
from engine.pacs.retrieved import retrieved_folder
from tests.desktop.conftest import open_paths, settle
from tests.engine.pacs.pacs_studies import Studies
from tests.memory_keyring import MemoryKeyring


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


def settings(qtbot: QtBot, app: App) -> PacsAddressesDialog:
    app.actions.actions["pacs_settings"].trigger()
    settle(qtbot, app)
    dialog = app.window.dialogs.pacs_settings
    assert dialog is not None
    return dialog


def form_of(dialog: PacsAddressesDialog) -> AddressForm:
    assert dialog.form is not None
    return dialog.form


def rows(dialog: PacsAddressesDialog) -> list[list[str]]:
    items = [dialog.list.topLevelItem(number) for number in range(dialog.list.topLevelItemCount())]
    return [[item.text(column) for column in range(3)] for item in items if item is not None]


def confirm(dialog: PacsAddressesDialog) -> None:
    assert dialog.question is not None
    dialog.question.button(QMessageBox.StandardButton.Yes).click()


def test_a_pacs_is_added_tried_out_renamed_and_removed(qtbot: QtBot, app: App, orthanc: Server, folder: Path) -> None:
    dialog = settings(qtbot, app)
    assert dialog.line.text() == "No PACS was added yet."
    dialog.add.click()
    form = form_of(dialog)
    form.name.setText("Radiology")
    form.texts["url"].setText(f"http://127.0.0.1:{orthanc.http}/dicom-web")
    form.save.click()
    settle(qtbot, app)
    assert rows(dialog) == [["Radiology", "DICOMweb", f"http://127.0.0.1:{orthanc.http}/dicom-web"]]
    dialog.test.click()
    settle(qtbot, app)
    assert dialog.line.text() == "Radiology answers."
    dialog.edit.click()
    form_of(dialog).name.setText("Archive")
    form_of(dialog).connection.setCurrentText(GET)
    form_of(dialog).texts["host"].setText("127.0.0.1")
    form_of(dialog).texts["port"].setText(str(orthanc.dicom))
    form_of(dialog).texts["called"].setText("ORTHANC")
    form_of(dialog).tls.setChecked(False)
    form_of(dialog).save.click()
    settle(qtbot, app)
    assert addresses(folder) == (Pacs("Archive", host="127.0.0.1", port=orthanc.dicom, called="ORTHANC"),)
    dialog.test.click()
    settle(qtbot, app)
    assert dialog.line.text() == "Archive answers."
    dialog.remove.click()
    confirm(dialog)
    settle(qtbot, app)
    assert (rows(dialog), addresses(folder)) == ([], ())
    assert not dialog.edit.isEnabled()


def test_what_is_wrong_is_said_in_the_form_which_stays_open(qtbot: QtBot, app: App, folder: Path) -> None:
    dialog = settings(qtbot, app)
    dialog.add.click()
    form = form_of(dialog)
    form.name.setText("Radiology")
    form.texts["url"].setText("http://pacs.example/dicom-web")
    form.save.click()
    settle(qtbot, app)
    assert form.problem.text().startswith("Without TLS")
    assert form.isVisible()
    form.allow_plain.setChecked(True)
    form.save.click()
    settle(qtbot, app)
    assert addresses(folder) == (Pacs("Radiology", url="http://pacs.example/dicom-web", allow_plain=True),)


def test_a_password_goes_into_the_keyring_and_stays_there_when_it_is_not_typed_again(
    qtbot: QtBot, app: App, folder: Path, ring: MemoryKeyring
) -> None:
    dialog = settings(qtbot, app)
    dialog.add.click()
    form = form_of(dialog)
    form.name.setText("Radiology")
    form.texts["url"].setText("https://pacs.example/dicom-web")
    form.texts["user"].setText("anna")
    form.save.click()
    settle(qtbot, app)
    assert form.problem.text().startswith("Type the password")
    form.texts["password"].setText("correct horse")
    form.save.click()
    settle(qtbot, app)
    assert set(ring.kept.values()) == {"correct horse"}
    dialog.edit.click()
    assert form_of(dialog).texts["password"].text() == ""
    form_of(dialog).name.setText("Archive")
    form_of(dialog).save.click()
    settle(qtbot, app)
    assert [one.name for one in addresses(folder)] == ["Archive"]
    assert set(ring.kept.values()) == {"correct horse"}
    assert "correct" not in "".join(path.read_text() for path in folder.glob("*.json"))


def test_each_connection_shows_its_own_fields(qtbot: QtBot, app: App) -> None:
    dialog = settings(qtbot, app)
    dialog.add.click()
    form = form_of(dialog)
    assert form.texts["url"].isVisible()
    assert not form.texts["host"].isVisible()
    form.connection.setCurrentText(MOVE)
    assert form.texts["receiver"].isVisible()
    assert not form.texts["password"].isVisible()
    form.connection.setCurrentText(GET)
    assert not form.texts["receiver"].isVisible()
    assert form.connection.findText(WEB) >= 0
    form.reject()


def test_a_damaged_list_is_said(qtbot: QtBot, app: App, folder: Path) -> None:
    (folder / "pacs.json").write_text("{")
    assert "is damaged" in settings(qtbot, app).line.text()


def test_retrieved_studies_are_deleted_but_not_those_that_are_open(
    qtbot: QtBot, app: App, orthanc: Server, studies: Studies, folder: Path
) -> None:
    pacs = Pacs("Radiology", url=f"http://127.0.0.1:{orthanc.http}/dicom-web")
    add(pacs, folder)
    to = retrieved_folder(folder)
    for uid in (studies.middle, studies.oldest):
        retrieve(pacs, uid, to)
    open_paths(qtbot, app, to / studies.middle)
    dialog = settings(qtbot, app)
    assert dialog.kept.text() == "2 retrieved studies on this computer, 1 MB."
    dialog.delete.click()
    confirm(dialog)
    settle(qtbot, app)
    assert [path.name for path in to.iterdir()] == [studies.middle]
    assert dialog.line.text() == "1 retrieved study deleted."
    assert dialog.kept.text().startswith("1 retrieved study on")
