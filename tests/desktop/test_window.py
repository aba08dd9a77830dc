"""The real window on real files: open, scroll, window by drag, presets, drop, messages, keyboard, accessible names."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop import theme
from desktop.app import App
from desktop.errors import Message
from desktop.views.status import NOTICE
from engine.archive import Archive
from engine.errors import Rejected, UserError
from engine.image.window import presets
from engine.importing.import_result import ImportResult
from tests.desktop.conftest import dicom, open_paths, settle


def wheel(view: QWidget, steps: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    point = QPointF(view.rect().center())
    event = QWheelEvent(
        point,
        QPointF(view.mapToGlobal(point.toPoint())),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def drag(qtbot: QtBot, view: QWidget, button: Qt.MouseButton, right: int, down: int) -> None:
    start = view.rect().center()
    qtbot.mousePress(view, button, pos=start)
    qtbot.mouseMove(view, start + QPoint(right, down))
    qtbot.mouseRelease(view, button, pos=start + QPoint(right, down))


def press(qtbot: QtBot, app: App, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(app.window.viewport, key, keys)
    settle(qtbot, app)


def test_the_window_says_that_it_is_not_for_diagnostic_use(app: App) -> None:
    assert app.window.status.notice.isVisible()
    assert app.window.status.notice.text() == NOTICE


def test_an_opened_study_is_listed_and_shown(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"), dicom("emri_small.dcm"))
    texts = [", ".join(app.window.series_list.model.lines(row)) for row in app.window.series_list.model.rows]
    assert any("CT · 1 image" in text for text in texts)
    assert any("MR · 10 images" in text for text in texts)
    shown = app.window.grab().toImage()
    centre = app.window.viewport.mapTo(app.window, app.window.viewport.rect().center())
    area = [shown.pixelColor(centre + QPoint(x, y)).lightness() for x in range(-40, 40, 8) for y in range(-40, 40, 8)]
    assert max(area) > 40  # something is painted on the black


def test_the_wheel_scrolls_the_stack_and_with_control_it_zooms(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    wheel(app.window.viewport, -3)
    settle(qtbot, app)
    assert app.desk.viewport.index == 3
    scale = app.desk.viewport.scale
    wheel(app.window.viewport, 2, Qt.KeyboardModifier.ControlModifier)
    assert app.desk.viewport.scale > scale
    assert app.desk.viewport.index == 3


def test_keys_scroll_the_stack(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    app.window.viewport.setFocus()
    for key, index in ((Qt.Key.Key_Down, 1), (Qt.Key.Key_Right, 2), (Qt.Key.Key_Up, 1), (Qt.Key.Key_End, 9)):
        press(qtbot, app, key)
        assert app.desk.viewport.index == index


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton])
def test_a_drag_changes_the_window(qtbot: QtBot, app: App, button: Qt.MouseButton) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    before = app.desk.viewport.shown_window
    drag(qtbot, app.window.viewport, button, 40, 20)
    settle(qtbot, app)
    after = app.desk.viewport.shown_window
    assert before is not None
    assert after is not None
    assert after.width > before.width
    assert after.center > before.center


def test_the_pan_tool_moves_the_image(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    window = app.desk.viewport.window
    app.window.viewport.setFocus()
    press(qtbot, app, Qt.Key.Key_T)
    drag(qtbot, app.window.viewport, Qt.MouseButton.LeftButton, 30, 10)
    assert app.desk.viewport.view.pan == (30, 10)
    assert app.desk.viewport.window == window


def test_number_keys_choose_presets_and_letters_the_rest(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.window.viewport.setFocus()
    press(qtbot, app, Qt.Key.Key_2)
    assert app.desk.viewport.window == presets("CT")[1]
    press(qtbot, app, Qt.Key.Key_I)
    assert app.desk.viewport.inverted
    press(qtbot, app, Qt.Key.Key_O)
    assert app.desk.viewport.scale == pytest.approx(1)
    press(qtbot, app, Qt.Key.Key_R)
    assert (app.desk.viewport.window, app.desk.viewport.inverted) == (None, False)
    press(qtbot, app, Qt.Key.Key_H)
    assert not app.desk.viewport.patient_data_visible
    assert "Patient data hidden" in app.window.series_list.model.lines(app.window.series_list.model.rows[0])


def test_letters_typed_into_a_text_field_run_no_commands(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    words = app.window.search_panel.text
    words.setFocus()
    qtbot.keyClicks(words, "fit 2 iw")
    assert words.text() == "fit 2 iw"
    assert app.desk.tools.chosen == "window"
    assert not app.desk.viewport.inverted


def test_a_letter_typed_into_a_combo_box_selects_there(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    box = app.window.search_panel.filters.kind
    box.setFocus()
    letter = box.itemText(1)[0]
    qtbot.keyClick(box, letter.lower())
    assert box.currentIndex() == 1
    qtbot.keyClick(box, Qt.Key.Key_I)
    settle(qtbot, app)
    assert not app.desk.viewport.inverted


def test_choosing_a_series_in_the_list_shows_it(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"), dicom("MR_small.dcm"))
    rows = app.window.series_list.model.rows
    other = next(n for n, row in enumerate(rows) if row.series and row.series is not app.desk.viewport.series)
    app.window.series_list.list.setCurrentIndex(app.window.series_list.model.index(other))
    settle(qtbot, app)
    assert app.desk.viewport.series is rows[other].series


def test_dropped_files_are_opened_and_an_archive_becomes_the_archive(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    Archive.create(tmp_path / "archive").close()
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in (dicom("CT_small.dcm"), tmp_path / "archive")])
    where, buttons, keys = QPointF(300, 300), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(where.toPoint(), Qt.DropAction.CopyAction, mime, buttons, keys)
    QApplication.sendEvent(app.window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(app.window, QDropEvent(where, Qt.DropAction.CopyAction, mime, buttons, keys))
    settle(qtbot, app)
    assert len(app.desk.studies.studies) == 1
    assert app.desk.archive.name == "archive"
    assert app.desk.studies.rejected == []


def test_rejected_files_are_listed_without_a_message(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    letter = tmp_path / "letters" / "letter.pdf"
    letter.parent.mkdir()
    letter.write_bytes(b"%PDF-1.4")
    open_paths(qtbot, app, dicom("CT_small.dcm"), letter.parent)
    assert app.window.status.rejected.text() == "1 file rejected"
    assert not app.window.message_bar.isVisible()
    qtbot.mouseClick(app.window.status.rejected, Qt.MouseButton.LeftButton)
    dialog = app.window.dialogs.rejected
    assert dialog is not None
    assert dialog.isVisible()
    model = dialog.table.model()
    assert model.index(0, 0).data() == str(letter)
    assert model.index(0, 1).data()
    dialog.close()


def test_a_user_error_is_one_sentence_without_details(qtbot: QtBot, app: App) -> None:
    app.desk.messages.show_error(UserError("The folder is empty; choose another one."))
    assert app.window.message_bar.isVisible()
    assert app.window.message_bar.text.text() == "The folder is empty; choose another one."
    assert not app.window.message_bar.copy.isVisible()
    qtbot.mouseClick(app.window.message_bar.close_button, Qt.MouseButton.LeftButton)
    assert not app.window.message_bar.isVisible()


def test_a_bug_comes_with_details_to_copy(qtbot: QtBot, app: App) -> None:
    try:
        raise KeyError("series")
    except KeyError as error:
        app.desk.messages.show_error(error)
    assert app.window.message_bar.copy.isVisible()
    qtbot.mouseClick(app.window.message_bar.copy, Qt.MouseButton.LeftButton)
    assert "Traceback" in QApplication.clipboard().text()


def test_a_missing_file_is_reported(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    open_paths(qtbot, app, tmp_path / "gone.dcm")
    assert isinstance(app.desk.messages.message, Message)
    assert "gone.dcm" in app.desk.messages.message.text


def test_a_message_that_names_a_folder_is_dismissed_when_patient_data_is_hidden(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    open_paths(qtbot, app, tmp_path / "DOE^JANE")
    assert app.desk.messages.message is not None
    app.desk.layout.toggle_patient_data()
    assert app.desk.messages.message is None


def test_the_list_of_rejected_files_closes_when_patient_data_is_hidden(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    (tmp_path / "DOE^JANE.txt").write_text("no image")
    open_paths(qtbot, app, tmp_path)
    app.window.dialogs.show_rejected()
    dialog = app.window.dialogs.rejected
    assert dialog is not None
    with qtbot.waitSignal(dialog.destroyed):
        app.desk.layout.toggle_patient_data()


def drop(target: QWidget, data: QMimeData) -> None:
    button, keys, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    QApplication.sendEvent(target, QDragEnterEvent(QPoint(9, 9), copy, data, button, keys))
    QApplication.sendEvent(target, QDropEvent(QPointF(9, 9), copy, data, button, keys))


@pytest.mark.parametrize("field", ["report", "words"])
def test_a_study_dropped_on_a_text_field_is_opened_and_not_typed_in(qtbot: QtBot, app: App, field: str) -> None:
    editor, words = app.window.report_panel.editor, app.window.search_panel.text
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(dicom("CT_small.dcm")))])
    drop(editor.viewport() if field == "report" else words, mime)
    settle(qtbot, app)
    assert [study.description for study in app.desk.studies.studies] == ["e+1"]
    assert (editor.toPlainText(), words.text()) == ("", "")


def test_text_dropped_on_the_report_is_inserted(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    mime = QMimeData()
    mime.setText("effusion")
    drop(app.window.report_panel.editor.viewport(), mime)
    assert app.window.report_panel.editor.toPlainText() == "effusion"


def test_a_missing_file_is_not_named_while_patient_data_is_hidden(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    app.desk.layout.toggle_patient_data()
    open_paths(qtbot, app, tmp_path / "DOE^JANE")
    message = app.desk.messages.message
    assert message is not None
    assert message.text == "The file does not exist; check the name and the drive."


def test_a_damaged_image_is_rejected_or_fails_in_its_viewport(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("MR_truncated.dcm"), dicom("CT_small.dcm"))
    reasons = " ".join(item.reason for item in app.desk.studies.rejected) + app.desk.viewport.failure
    assert app.desk.studies.studies
    assert reasons


def controls(window: QWidget) -> list[QWidget]:
    kinds = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit)
    return [
        widget
        for kind in kinds
        for widget in window.findChildren(kind)
        if widget.isVisibleTo(window) and not widget.objectName().startswith("qt_")
    ]


def test_every_control_can_be_reached_by_the_keyboard(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    for control in controls(app.window):
        if control.parent() is app.window.toolbar or type(control).__name__ == "QDockWidgetTitleButton":
            continue  # each has a shortcut and a menu row
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control


def test_every_control_has_a_name_for_screen_readers(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    for control in controls(app.window):
        text = control.text() if isinstance(control, QAbstractButton) else ""
        assert control.accessibleName() or text or control.toolTip(), control


@pytest.mark.parametrize("name", theme.THEMES)
def test_text_is_readable_on_its_background(name: str) -> None:
    colors = theme.THEMES[name]
    for ground in ("panel", "window", "field", "selected"):
        for color in ("text", "muted", "amber", "green", "accent", "red"):
            assert contrast(getattr(colors, color), getattr(colors, ground)) >= 4.5, (color, ground)


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio of two "#rrggbb" colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    levels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_screen_with_another_scale_factor_is_noticed(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    view = app.window.viewport
    monkeypatch.setattr(view, "devicePixelRatioF", lambda: 2.0)
    QApplication.sendEvent(view, QEvent(QEvent.Type.DevicePixelRatioChange))
    assert view.state.view.device_ratio == 2.0


def test_files_that_an_import_rejected_are_listed(app: App) -> None:
    rejected = Rejected("/data/a.png", "It cannot be read.")
    app.desk.archive.imported.emit(ImportResult(added=2, rejected=[rejected]))
    assert app.desk.messages.message is not None
    assert app.desk.messages.message.text == "Import finished: 2 cases added, 1 rejected (Ctrl+Shift+L lists them)."
    assert app.window.status.rejected.text() == "1 file rejected"
    assert app.desk.studies.rejected == [rejected]
