"""Window presets: edit, add, restore defaults, more than nine of them; and the image cache size."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QInputDialog
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.mnemonics import plain
from desktop.state.settings import SettingsState
from desktop.views.viewer.presets_dialog import PresetsDialog
from engine.image.voi import Window
from engine.image.window import presets
from tests.desktop.conftest import dicom, open_paths, settle


def edit(app: App) -> PresetsDialog:
    app.actions.actions["edit_presets"].trigger()
    dialog = app.window.dialogs.presets
    assert dialog is not None
    return dialog


def write(dialog: PresetsDialog, row: int, *words: str) -> None:
    for column, text in enumerate(words):
        item = dialog.table.item(row, column)
        assert item is not None
        item.setText(text)


def test_edited_presets_apply_at_once_and_defaults_are_restored(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    dialog = edit(app)
    write(dialog, 0, "Mine", "12,5", "80")
    dialog.table.setCurrentCell(0, 0)
    dialog.move_row(1)
    dialog.accept()
    app.actions.actions["preset_2"].trigger()
    assert app.desk.viewport.window == Window(12.5, 80.0, "LINEAR", "Mine")
    assert plain(app.actions.actions["preset_2"].text()) == "Mine (W 80 L 12)"
    edit(app).restore_defaults()
    assert app.desk.viewport.presets == presets("CT")


def test_an_invalid_row_is_reported_and_nothing_is_stored(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    dialog = edit(app)
    for words in (("Bad", "x", "80"), ("Bad", "1", "0"), ("", "1", "2"), ("Bad", "nan", "2")):
        write(dialog, 1, *words)
        dialog.accept()
        assert dialog.problem.text().startswith("Row 2 needs")
    assert app.desk.viewport.presets == presets("CT")
    dialog.reject()


def test_the_window_on_screen_becomes_a_preset_of_its_modality(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    assert app.desk.viewport.presets == ()
    app.desk.viewport.set_window(Window(600, 300))
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("Knee", True))
    app.actions.actions["save_preset"].trigger()
    assert plain(app.actions.actions["preset_1"].text()) == "Knee (W 300 L 600)"
    app.desk.viewport.set_window(None)
    app.actions.actions["preset_1"].trigger()
    shown = app.desk.viewport.window
    assert shown is not None
    assert (shown.center, shown.width) == (600, 300)


def test_a_window_keeps_its_function_as_a_preset_through_the_dialog_and_the_file(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    shown = Window(600, 0.5, "SIGMOID")
    app.desk.viewport.set_window(shown)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("Soft", True))
    app.actions.actions["save_preset"].trigger()
    dialog = edit(app)
    dialog.add()
    dialog.move_row(-1)
    dialog.accept()
    settle(qtbot, app)
    assert plain(app.actions.actions["preset_2"].text()) == "Soft (W 0.500 L 600.000)"
    assert SettingsState(app.desk.settings._path.parent).presets("MR", ()) == (
        Window(40, 400, "LINEAR", "New preset"),
        replace(shown, name="Soft"),
    )


def test_presets_beyond_the_number_keys_are_in_the_menu(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    last = len(presets("CT"))
    assert last > 9
    app.actions.actions[f"preset_{last}"].trigger()
    assert app.desk.viewport.window == presets("CT")[-1]


def test_the_user_sets_the_image_cache_size(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (256, True))
    app.actions.actions["image_cache"].trigger()
    assert app.desk.frames.limit == 256 * 1024 * 1024
    assert app.desk.settings.now.cache_megabytes == 256
