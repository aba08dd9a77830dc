"""Whatever has the keyboard looks different, in both themes: also a checked, a flat and the primary button."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop import theme


def button(**properties: bool) -> QPushButton:
    made = QPushButton("Search")
    for name, value in properties.items():
        made.setProperty(name, value)
    return made


def tool(chip: bool, checked: bool) -> QToolButton:
    made = QToolButton()
    made.setText("Chest")
    made.setProperty("chip", chip)
    made.setCheckable(True)
    made.setChecked(checked)
    return made


def tabs() -> QWidget:
    made = QTabWidget()
    made.setDocumentMode(True)
    made.addTab(QWidget(), "Contents")
    made.addTab(QWidget(), "Import")
    return made


CONTROLS: dict[str, Callable[[], QWidget]] = {
    "button": button,
    "primary button": lambda: button(primary=True),
    "flat button": lambda: button(flat=True),
    "link": lambda: button(link=True),
    "tool button": lambda: tool(chip=False, checked=False),
    "checked tool button": lambda: tool(chip=False, checked=True),
    "chip": lambda: tool(chip=True, checked=False),
    "check box": lambda: QCheckBox("Current image"),
    "combo box": QComboBox,
    "spin box": QSpinBox,
    "line": QLineEdit,
    "text": QPlainTextEdit,
    "list": QListWidget,
    "tabs": tabs,
    "scrolled page": QScrollArea,
}


@pytest.fixture(params=theme.THEMES)
def themed(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[None]:
    theme.apply(qapp, request.param)
    yield
    theme.apply(qapp)


@pytest.mark.parametrize("kind", CONTROLS)
def test_the_keyboard_is_seen(qtbot: QtBot, themed: None, kind: str) -> None:
    window, made = QWidget(), CONTROLS[kind]()
    control = made.tabBar() if isinstance(made, QTabWidget) else made
    qtbot.addWidget(window)
    layout, other = QVBoxLayout(window), QLineEdit()
    layout.addWidget(other)
    layout.addWidget(made)
    window.resize(300, 200)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    other.setFocus()
    size, without = control.size(), control.grab().toImage()
    control.setFocus()
    qtbot.waitUntil(control.hasFocus)
    focused = control.grab().toImage()
    assert control.size() == size  # nothing moves
    changed = sum(
        without.pixelColor(x, y) != focused.pixelColor(x, y)
        for x in range(without.width())
        for y in range(without.height())
    )
    assert changed > without.width()
