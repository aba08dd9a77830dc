"""Colors, spacing and icons: dark for the reading room, light for a bright office. Knows no views.

Contrast in both themes (WCAG 2.1): text on panel at least 12:1, muted text 6:1, accents 4.5:1. Views read
`theme.current` when they paint, so that `apply` changes the colors while the app runs; never copy a color at import.
"""

from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from engine.resources import resource_path

VIEWER = "#000000"
"""Background of images, black in every theme; the colors of text and graphics over it follow."""
ON_IMAGE = "#d9dee4"
ON_IMAGE_MUTED = "#9ca6b2"
ON_IMAGE_MARK = "#dcae5a"
ON_IMAGE_ACCENT = "#74b3d1"
ON_IMAGE_WARNING = "#e58a7b"
ON_IMAGE_LINE = "#2a2f36"

GAP = 8
"""Logical pixels between widgets."""
ICON = 20
"""Logical pixels, the side of an icon."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The colors of one theme, as "#rrggbb"."""

    name: str
    """As the settings store it."""
    window: str
    """Ground of the window, the toolbar and the menu bar."""
    panel: str
    """Ground of docks, lists and disabled buttons."""
    field: str
    """Ground of text fields and check boxes."""
    raised: str
    """Buttons, menus and tooltips."""
    hover: str
    """A button under the mouse."""
    border: str
    handle: str
    """Scroll bar handles."""
    handle_over: str
    """A scroll bar handle under the mouse."""
    text: str
    muted: str
    """Secondary text."""
    disabled: str
    accent: str
    """Focus rings, links and progress."""
    primary: str
    """Border of the primary button."""
    selected: str
    """Ground of selected rows and checked buttons."""
    amber: str
    """Notices and warnings."""
    red: str
    """Errors and contradictions."""
    green: str
    """Success and agreement."""


DARK = Theme(
    name="dark",
    window="#141619",
    panel="#1b1e22",
    field="#111316",
    raised="#272b31",
    hover="#30353c",
    border="#363c44",
    handle="#40464f",
    handle_over="#566069",
    text="#d9dee4",
    muted="#9ca6b2",
    disabled="#636c77",
    accent="#74b3d1",
    primary="#3b6a84",
    selected="#1f3c4d",
    amber="#dcae5a",
    red="#e58a7b",
    green="#86bf9b",
)
LIGHT = Theme(
    name="light",
    window="#dfe3e7",
    panel="#f3f5f7",
    field="#ffffff",
    raised="#e3e7ec",
    hover="#d3d9df",
    border="#b4bdc7",
    handle="#b3bac3",
    handle_over="#949da8",
    text="#1c2126",
    muted="#4a5460",
    disabled="#8b95a0",
    accent="#1b5d7f",
    primary="#6f9fb8",
    selected="#c5dfec",
    amber="#744900",
    red="#9c2c1b",
    green="#255c3b",
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT)}

current = DARK
"""The theme in use; `apply` replaces it."""


def style(theme: Theme) -> str:
    """Qt's style sheet in the colors of a theme."""
    c = theme
    shade = "-light" if theme is LIGHT else ""
    return f"""
QToolTip {{ background: {c.raised}; color: {c.text}; border: 1px solid {c.border}; padding: 4px; }}
QMainWindow::separator {{ background: {c.window}; width: 5px; height: 5px; }}
QMainWindow::separator:hover {{ background: {c.selected}; }}
QToolBar {{ background: {c.window}; border: none; border-bottom: 1px solid {c.border};
    padding: 3px 6px; spacing: 2px; }}
QToolBar::separator {{ background: {c.border}; width: 1px; margin: 5px 6px; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 4px; }}
QToolButton:hover {{ background: {c.raised}; }}
QToolButton:checked {{ background: {c.selected}; border-color: {c.accent}; }}
QToolButton:focus {{ border: 2px solid {c.accent}; padding: 3px; }}
QToolButton[chip="true"] {{ border-color: {c.border}; border-radius: 9px; padding: 1px 8px; color: {c.muted}; }}
QToolButton[chip="true"]:focus {{ border-color: {c.accent}; padding: 0px 7px; color: {c.text}; }}
QToolButton[chip="true"]:hover {{ border-color: {c.accent}; color: {c.text}; }}
QToolButton[chip="true"]::menu-indicator, QToolButton[bare="true"]::menu-indicator {{ image: none; }}
QMenuBar {{ background: {c.window}; padding: 2px 4px; }}
QMenuBar::item {{ padding: 4px 9px; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {c.raised}; }}
QMenu {{ background: {c.raised}; border: 1px solid {c.border}; padding: 4px; }}
QMenu::item {{ padding: 5px 26px 5px 26px; border-radius: 3px; }}
QMenu::item:selected {{ background: {c.selected}; }}
QMenu::item:disabled {{ color: {c.disabled}; }}
QMenu::separator {{ height: 1px; background: {c.border}; margin: 4px 6px; }}
QDockWidget {{ font-weight: 600; }}
QDockWidget > QWidget {{ background: {c.panel}; }}
QDockWidget::title {{ background: {c.panel}; padding: 7px 10px; border-bottom: 1px solid {c.border};
    text-align: left; }}
QTabBar::tab {{ background: {c.window}; color: {c.muted}; padding: 6px 14px; border: none; }}
QTabBar::tab:selected {{ background: {c.panel}; color: {c.text}; border-bottom: 2px solid {c.accent}; }}
QTabBar::tab:selected:focus {{ background: {c.selected}; }}
QScrollArea {{ border: 1px solid transparent; }}
QScrollArea:focus {{ border: 1px solid {c.accent}; }}
QLineEdit, QPlainTextEdit, QTextBrowser, QComboBox, QSpinBox {{
    background: {c.field}; border: 1px solid {c.border}; border-radius: 4px; padding: 4px 6px;
    selection-background-color: {c.selected}; selection-color: {c.text}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextBrowser:focus, QComboBox:focus, QSpinBox:focus {{
    border-color: {c.accent}; }}
QComboBox::drop-down {{ border: none; width: 15px; }}
QComboBox::down-arrow {{ image: url(ICONS/chevron{shade}.svg); width: 10px; height: 10px; }}
QCheckBox::indicator, QTreeView::indicator {{ width: 14px; height: 14px; border: 1px solid {c.muted};
    border-radius: 3px; background: {c.field}; }}
QCheckBox::indicator:checked, QTreeView::indicator:checked {{ background: {c.selected}; border-color: {c.accent};
    image: url(ICONS/check{shade}.svg); }}
SearchPanel, ReportPanel {{ background: {c.panel}; }}
QComboBox QAbstractItemView {{ background: {c.raised}; border: 1px solid {c.border};
    selection-background-color: {c.selected}; }}
QListView, QTreeView, QTableView {{ background: {c.panel}; border: 1px solid transparent; outline: none; }}
QListView:focus, QTreeView:focus, QTableView:focus {{ border: 1px solid {c.accent}; }}
QTreeView[roomy="true"]::item {{ padding: 5px 6px; }}
QToolButton#qt_toolbar_ext_button {{ padding: 0; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QPushButton {{ background: {c.raised}; border: 1px solid {c.border}; border-radius: 4px; padding: 5px 12px; }}
QPushButton:hover {{ background: {c.hover}; }}
QPushButton:pressed {{ background: {c.selected}; }}
QPushButton:focus {{ border: 2px solid {c.accent}; padding: 4px 11px; }}
QPushButton:disabled {{ color: {c.disabled}; background: {c.panel}; }}
QPushButton[primary="true"] {{ background: {c.selected}; border-color: {c.primary}; }}
QPushButton[primary="true"]:focus {{ border: 2px solid {c.accent}; }}
QPushButton[primary="true"]:disabled {{ color: {c.disabled}; background: {c.panel}; border-color: {c.border}; }}
QPushButton[flat="true"] {{ background: transparent; border: 1px solid transparent; padding: 3px 8px;
    color: {c.accent}; }}
QPushButton[flat="true"]:checked {{ background: {c.selected}; }}
QPushButton[link="true"] {{ background: transparent; border: 1px solid transparent; padding: 3px 4px; color: {c.accent};
    text-align: left; }}
QPushButton[link="true"]:hover {{ text-decoration: underline; }}
QPushButton[link="true"]:focus {{ border: 2px solid {c.accent}; padding: 2px 3px; }}
QPushButton[flat="true"]:focus {{ border: 2px solid {c.accent}; padding: 2px 7px; }}
QCheckBox {{ spacing: 6px; padding: 2px; border: 1px solid transparent; border-radius: 4px; }}
QCheckBox:focus {{ border-color: {c.accent}; }}
QStatusBar {{ background: {c.window}; border-top: 1px solid {c.border}; }}
QStatusBar::item {{ border: none; }}
QProgressBar {{ background: {c.field}; border: 1px solid {c.border}; border-radius: 3px; max-height: 8px; }}
QProgressBar::chunk {{ background: {c.accent}; border-radius: 2px; }}
QHeaderView::section {{ background: {c.panel}; color: {c.muted}; border: none; border-bottom: 1px solid {c.border};
    padding: 5px; }}
QScrollBar:vertical {{ background: transparent; width: 10px; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; }}
QScrollBar::handle {{ background: {c.handle}; border-radius: 4px; min-height: 24px; min-width: 24px; margin: 1px; }}
QScrollBar::handle:hover {{ background: {c.handle_over}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QLabel[muted="true"] {{ color: {c.muted}; }}
QLabel[heading="true"] {{ font-size: 14pt; font-weight: 600; }}
QLabel[notice="true"] {{ color: {c.amber}; }}
"""


def apply(app: QApplication, name: str = "dark") -> None:
    """Switch to a theme: Qt's Fusion style in its colors, in the system's sizes and fonts.

    Qt repaints every widget, unless the theme is in use; the caller sets the icons of existing buttons again.

    Raises:
        KeyError: there is no theme of that name.
    """
    global current
    sheet = style(THEMES[name]).replace("ICONS", resource_path("icons").as_posix())
    if app.styleSheet() == sheet:
        return
    current = THEMES[name]
    icon.cache_clear()
    app.setStyle("Fusion")
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: current.window,
        QPalette.ColorRole.WindowText: current.text,
        QPalette.ColorRole.Base: current.field,
        QPalette.ColorRole.AlternateBase: current.panel,
        QPalette.ColorRole.Text: current.text,
        QPalette.ColorRole.Button: current.raised,
        QPalette.ColorRole.ButtonText: current.text,
        QPalette.ColorRole.BrightText: current.red,
        QPalette.ColorRole.ToolTipBase: current.raised,
        QPalette.ColorRole.ToolTipText: current.text,
        QPalette.ColorRole.Highlight: current.selected,
        QPalette.ColorRole.HighlightedText: current.text,
        QPalette.ColorRole.PlaceholderText: current.muted,
        QPalette.ColorRole.Link: current.accent,
    }
    for role, color in roles.items():
        palette.setColor(role, QColor(color))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(current.disabled))
    app.setPalette(palette)
    app.setStyleSheet(sheet)


@cache
def icon(name: str) -> QIcon:
    """The line icon resources/icons/NAME.svg in the current theme's colors, sharp up to 300 % scaling."""
    source = resource_path("icons", f"{name}.svg").read_text("utf-8")
    drawn = QIcon()
    for mode, color in ((QIcon.Mode.Normal, current.text), (QIcon.Mode.Disabled, current.disabled)):
        renderer = QSvgRenderer(QByteArray(source.replace("currentColor", color).encode()))
        for ratio in (1, 2, 3):
            pixmap = QPixmap(ICON * ratio, ICON * ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            renderer.render(painter, QRectF(0, 0, ICON * ratio, ICON * ratio))
            painter.end()
            pixmap.setDevicePixelRatio(ratio)
            drawn.addPixmap(pixmap, mode)
    return drawn
