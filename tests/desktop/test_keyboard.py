"""Tab, forth and back, reaches everything, and each has a name for screen readers: in the window and its dialogs."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.errors import Message
from desktop.views.settings.settings_dialog import SettingsDialog
from desktop.views.table_dialog import TableDialog
from engine.archive import Archive
from engine.bundle import Bundle
from engine.importing.importer import import_path
from tests.desktop.conftest import dicom, open_paths, settle
from tests.desktop.test_every_command import WINDOWS, everything, windows
from tests.engine.dicom_samples import derive_stack

LATE = {"delete_case", "delete_patient", "draft_statistics"}
MENUS = {"menu_bar"}
"""Opens a menu, which arrow keys go through."""
ELSEWHERE = {"detach_viewer", "show_rejected"}
"""The first moves the viewports, the other needs rejected files; both are tested below."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack derived from a real slice, and a file to reject."""
    folder = tmp_path_factory.mktemp("stack")
    derive_stack(folder, [5.0 * n for n in range(5)], FrameOfReferenceUID="1.2.3", StudyInstanceUID="1.2")
    (folder / "notes.txt").write_text("no image")
    return folder


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory, starter_bundle: Bundle) -> Path:
    """An archive of one report and one image."""
    folder = tmp_path_factory.mktemp("cases")
    (folder / "reports.csv").write_text('case_id,text\na,"Small calcified granuloma of the spleen."\n')
    with Archive.create(folder / "archive") as archive:
        import_path(archive, starter_bundle, folder / "reports.csv")
        import_path(archive, starter_bundle, dicom("MR_small.dcm"))
    return folder / "archive"


@pytest.fixture
def full(
    qtbot: QtBot,
    app: App,
    request: pytest.FixtureRequest,
    stack: Path,
    cases: Path,
    starter_bundle: Bundle,
    tmp_path: Path,
) -> App:
    """The app with something in every panel."""
    app.desk.settings.change(recent=(str(stack),))
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    archive, proposals = shutil.copytree(cases, tmp_path / "archive"), "sign_report" not in request.node.name
    everything(qtbot, app, stack, archive, starter_bundle, proposals=proposals)
    app.desk.key_images.toggle()
    app.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is app.window)
    return app


def wanted(top: QWidget) -> set[QWidget]:
    """What Tab has to reach in a window."""
    return {
        one
        for one in top.findChildren(QWidget)
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.isVisible()
        and one.isEnabled()
        and one.window() is top
        and one.focusProxy() is None
    }


def around(top: QWidget, key: Qt.Key) -> set[QWidget]:
    """What has the keyboard while Tab, or Shift+Tab, goes through a window."""
    seen: set[QWidget] = set()
    for _ in range(2 * len(wanted(top)) + 20):  # the report takes some for its fields
        QTest.keyClick(top.focusWidget() or top, key)
        focus = top.focusWidget()
        if focus is not None:
            seen.add(focus)
    return seen


def named(widgets: set[QWidget]) -> list[str]:
    return sorted(f"{type(one).__name__} {one.accessibleName()} {getattr(one, 'text', str)()}" for one in widgets)


def nameless(top: QWidget) -> list[str]:
    """What can have the keyboard and has nothing that a screen reader could say of it."""
    found = []
    for one in top.findChildren(QWidget):
        inner = one.objectName().startswith("qt_")  # such as the text field of a box, which has the name
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.isVisible() and not inner:
            interface = QAccessible.queryAccessibleInterface(one)
            name = interface.text(QAccessible.Text.Name) if interface is not None else ""
            if not name:
                found.append(f"{type(one).__name__} in {type(one.parent()).__name__}")
    return found


def check(top: QWidget) -> None:
    assert named(wanted(top) - around(top, Qt.Key.Key_Tab)) == []
    assert named(wanted(top) - around(top, Qt.Key.Key_Backtab)) == []
    assert nameless(top) == []


def test_tab_goes_through_the_whole_window(full: App) -> None:
    check(full.window)


@pytest.mark.parametrize("name", ["hit_map", "hit_grid", "compare_hit", "first_steps", "detach_viewer"])
def test_tab_goes_through_what_a_command_adds_to_the_window(qtbot: QtBot, full: App, name: str) -> None:
    full.desk.report.edit("The lungs are clear.")
    qtbot.waitUntil(full.actions.actions[name].isEnabled)
    full.actions.actions[name].trigger()
    settle(qtbot, full)
    full.window.activateWindow()
    qtbot.waitUntil(full.window.isActiveWindow)
    check(full.window)
    for top in windows(full):
        check(top)
        top.close()


def test_tab_goes_through_the_window_with_nothing_open(qtbot: QtBot, app: App, stack: Path) -> None:
    app.desk.settings.change(recent=(str(stack),))
    app.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is app.window)
    check(app.window)


@pytest.mark.parametrize("name", sorted(set(WINDOWS) - MENUS - ELSEWHERE))
def test_tab_goes_through_each_dialog_and_esc_leaves_it(qtbot: QtBot, full: App, name: str) -> None:
    action = full.actions.actions[name]
    qtbot.waitUntil(action.isEnabled)
    full.window.viewport.setFocus()
    action.trigger()
    settle(qtbot, full)
    (top,) = windows(full)
    top.activateWindow()
    qtbot.waitUntil(top.isActiveWindow)
    for page in pages_of(top):
        page()
        check(top)
    qtbot.keyClick(top.focusWidget() or top, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not windows(full))


def pages_of(top: QWidget) -> list[Callable[[], object]]:
    """Turns to each page of a dialog."""
    tabs = top.findChild(QTabWidget)
    if isinstance(top, SettingsDialog):
        return [lambda row=row: top.list.setCurrentRow(row) for row in range(top.list.count())]
    if tabs is not None:
        return [lambda row=row: tabs.setCurrentIndex(row) for row in range(tabs.count())]
    return [lambda: None]


def test_tab_leaves_the_images_from_the_active_one_and_begins_no_report(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    desk, window = app.desk, app.window
    derive_stack(tmp_path / "chest", [0.0, 5.0, 10.0], StudyDescription="CT chest")
    open_paths(qtbot, app, tmp_path / "chest")
    desk.writing.load()
    settle(qtbot, app)
    assert desk.writing.suggested is not None
    desk.layout.set_grid(1, 2)
    shown, text = desk.layout.viewports[0], window.report_panel.editor
    desk.layout.activate(shown)
    window.viewport.setFocus()
    seen = around(window, Qt.Key.Key_Tab) & around(window, Qt.Key.Key_Backtab)
    assert text in seen
    assert desk.layout.active is shown
    assert text.toPlainText() == ""
    app.actions.actions["edit_report"].trigger()
    QTest.keyClick(text, Qt.Key.Key_Tab)
    assert "[" in text.toPlainText()  # where the keyboard was taken to the text, Tab begins with the template


def test_a_key_goes_to_the_message_and_esc_dismisses_it_and_goes_back_to_the_image(qtbot: QtBot, app: App) -> None:
    asked: list[str] = []
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is app.window)
    app.window.viewport.setFocus()
    app.desk.messages.show(Message("The archive is damaged.", action="Salvage", run=lambda: asked.append("salvage")))
    qtbot.waitUntil(app.actions.actions["go_to_message"].isEnabled)
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_F7)
    assert app.window.message_bar.action.hasFocus()
    qtbot.keyClick(app.window.message_bar.action, Qt.Key.Key_Escape)
    assert app.desk.messages.message is None
    assert app.window.viewport.hasFocus()
    assert asked == []


@pytest.mark.parametrize("name", ["edit_macros", "edit_presets"])
def test_tab_goes_from_the_table_to_the_buttons_below_it_before_ok(qtbot: QtBot, app: App, name: str) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.actions.actions[name].trigger()
    (top,) = windows(app)
    assert isinstance(top, TableDialog)
    top.activateWindow()
    qtbot.waitUntil(top.isActiveWindow)
    top.table.setFocus()
    texts = []
    for _ in range(len(wanted(top)) - 1):
        QTest.keyClick(top.focusWidget() or top, Qt.Key.Key_Tab)
        focus = top.focusWidget()
        assert isinstance(focus, QPushButton)
        texts.append(focus.text().replace("&", ""))
    assert texts[0] == "Add"
    assert texts[-2:] == ["OK", "Cancel"]
    top.close()
