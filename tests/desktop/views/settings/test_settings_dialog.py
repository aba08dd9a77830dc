"""The settings dialog: it shows what is set, applies at once, and Cancel brings back what was set before."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.views.settings.controls import Control
from desktop.views.settings.rows import PAGES
from desktop.views.settings.settings_dialog import SettingsDialog
from tests.desktop.conftest import settle


@pytest.fixture
def dialog(app: App) -> SettingsDialog:
    app.actions.actions["settings"].trigger()
    found = app.window.findChild(SettingsDialog)
    assert isinstance(found, SettingsDialog)
    return found


def control(dialog: SettingsDialog, label: str) -> Control:
    return next(one for page in dialog.controls for one in page if one.label == label)


def shown_pages(dialog: SettingsDialog) -> list[str]:
    items = [dialog.list.item(row) for row in range(dialog.list.count())]
    return [item.text() for item in items if not item.isHidden()]


def choose(dialog: SettingsDialog, label: str, text: str) -> None:
    box = control(dialog, label).findChild(QComboBox)
    box.setCurrentIndex(box.findText(text))
    box.activated.emit(box.currentIndex())


def test_a_change_applies_at_once_and_ok_keeps_it(app: App, dialog: SettingsDialog) -> None:
    choose(dialog, "Theme", "Light, for a bright office")
    control(dialog, "Write first, see draft afterwards").findChild(QCheckBox).click()
    control(dialog, "Memory for decoded images").findChild(QSpinBox).setValue(1024)
    now = app.desk.settings.now
    assert (now.theme, now.write_first, now.cache_megabytes) == ("light", True, 1024)
    dialog.accept()
    assert app.desk.settings.now == now


def test_cancel_brings_back_what_was_set_before(app: App, dialog: SettingsDialog) -> None:
    app.desk.settings.change(macros={"nad": "No acute disease."}, signers=("Ada Byron",), recent=("/scans/a",))
    before = app.desk.settings.now
    dialog.reject()
    app.actions.actions["settings"].trigger()
    again = app.window.findChildren(SettingsDialog)[-1]
    choose(again, "Theme", "Light, for a bright office")
    choose(again, "Theme", "Dark, for the reading room")
    choose(again, "Theme", "Light, for a bright office")
    choose(again, "Sort studies by", "Patient name")
    choose(again, "Viewports (rows × columns)", "2 × 2")
    for label in ("Hide patient data", "Detach viewer", "Link viewports"):
        control(again, label).findChild(QCheckBox).click()
    for label in ("Names offered when signing", "Recent studies"):
        forget = next(one for one in control(again, label).findChildren(QPushButton) if one.text() == "Forget")
        forget.click()
    again.shortcuts.choose("invert")
    again.shortcuts.key.setKeySequence(QKeySequence("Ctrl+D"))
    again.shortcuts.assign.click()
    changed = app.desk.settings.now
    assert (changed.signers, changed.recent, changed.theme, changed.grid) == ((), (), "light", (2, 2))
    assert app.window.detached
    assert app.desk.shortcuts.keys("draft_report") == ()
    again.reject()
    now = app.desk.settings.now
    assert (now.theme, now.study_order, now.grid) == (before.theme, before.study_order, before.grid)
    assert (now.signers, now.recent, now.macros) == (before.signers, before.recent, before.macros)
    assert (now.identity_visible, now.detached, now.shortcuts) == (True, False, {})
    assert not app.desk.links.linked
    assert app.desk.shortcuts.keys("draft_report") == ("Ctrl+D",)


def test_what_changes_elsewhere_is_shown_and_not_undone(app: App, dialog: SettingsDialog) -> None:
    app.actions.actions["light_theme"].trigger()
    app.actions.actions["hide_patient_data"].trigger()
    assert control(dialog, "Theme").findChild(QComboBox).currentText().startswith("Light")
    assert control(dialog, "Hide patient data").findChild(QCheckBox).isChecked()
    dialog.reject()
    assert app.desk.settings.now.theme == "light"
    app.actions.actions["light_theme"].trigger()


def test_typing_finds_settings_on_every_page(qtbot: QtBot, dialog: SettingsDialog) -> None:
    qtbot.keyClicks(dialog.search, "scroll")
    assert shown_pages(dialog) == ["Viewer", "Keyboard shortcuts"]
    assert not control(dialog, "Tool of the left mouse button").isHidden()
    assert control(dialog, "Overlay text").isHidden()
    qtbot.keyClicks(dialog.search, "xyz")
    assert not dialog.none.isHidden()
    dialog.search.clear()
    assert shown_pages(dialog) == [*(page.title for page in PAGES), "Keyboard shortcuts"]
    qtbot.keyClick(dialog.search, Qt.Key.Key_Down)
    assert dialog.pages.currentIndex() == 2  # the page after Viewer, which the search had chosen
    dialog.reject()


def test_a_conflict_is_told_before_the_key_is_stored(app: App, dialog: SettingsDialog) -> None:
    page = dialog.shortcuts
    page.choose("draft_report")
    page.key.setKeySequence(QKeySequence("Ctrl+E"))
    assert "Ctrl+E is the key of “Find similar cases”" in page.verdict.text()
    assert page.assign.text() == "Take over"
    assert app.desk.shortcuts.keys("find_similar") == ("Ctrl+E",)
    page.key.setKeySequence(QKeySequence("Alt+F"))
    assert page.verdict.text() == "Alt+F opens the menu File."
    assert not page.assign.isEnabled()
    page.key.setKeySequence(QKeySequence("Ctrl+Alt+J"))
    page.add.click()
    assert app.desk.shortcuts.keys("draft_report") == ("Ctrl+D", "Ctrl+Alt+J")
    page.reset.click()
    page.remove.click()
    assert app.desk.shortcuts.keys("draft_report") == ()
    page.reset_all.click()
    assert app.desk.settings.now.shortcuts == {}
    dialog.reject()


def test_settings_open_once(app: App, dialog: SettingsDialog) -> None:
    app.actions.actions["customize_shortcuts"].trigger()
    assert app.window.findChildren(SettingsDialog) == [dialog]
    assert dialog.pages.currentWidget() is dialog.shortcuts
    dialog.reject()


def test_every_stored_choice_has_a_row_or_is_a_layout(tmp_path: Path) -> None:
    """A new field of Settings is found by whoever forgets it here."""
    elsewhere = {
        *("geometry", "panels", "second_geometry"),  # where windows are
        *("archive", "recent", "signers", "macros", "presets", "models"),  # rows with buttons
        *("server", "server_at_start"),  # the dialog that asks for it, and a switch
        "models_before",  # a button of the Model screen
        *("theme", "grid", "detached", "identity_visible", "cache_megabytes", "write_first", "study_order"),
        *("shortcuts", "first_steps_seen", "hit_grid"),
    }
    from desktop.state.settings import Settings

    assert set(Settings.__dataclass_fields__) - elsewhere == set()


def test_folders_above_the_archive_are_hidden_with_patient_data(
    qtbot: QtBot, app: App, dialog: SettingsDialog, tmp_path: Path
) -> None:
    def shown() -> list[str]:
        return [label.text() for label in control(dialog, "Archive").findChildren(QLabel)]

    app.desk.archive.create(tmp_path / "teaching")
    settle(qtbot, app)
    assert str(tmp_path / "teaching") in shown()
    app.actions.actions["hide_patient_data"].trigger()
    assert "teaching" in shown()
    assert not any(str(tmp_path) in text for text in shown())
