"""Colours, spacing and icons: dark for the reading room, light for a bright office. Knows no views.

Contrast in both (WCAG 2.1): TEXT on PANEL at least 12:1, MUTED 6:1, accents 4.5:1. The names below are the colours in
use; views read them when they paint, so that `apply` can change them while the app runs.
"""

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from engine.resources import resource_path

NAME = "dark"
VIEWER = "#000000"
WINDOW = "#141619"
PANEL = "#1b1e22"
FIELD = "#111316"
RAISED = "#272b31"
HOVER = "#30353c"
BORDER = "#363c44"
HANDLE = "#40464f"
HANDLE_OVER = "#566069"
TEXT = "#d9dee4"
MUTED = "#9ca6b2"
DISABLED = "#636c77"
ACCENT = "#74b3d1"
PRIMARY = "#3b6a84"
SELECTED = "#1f3c4d"
AMBER = "#dcae5a"
RED = "#e58a7b"
GREEN = "#86bf9b"

LIGHT = {
    "WINDOW": "#dfe3e7",
    "PANEL": "#f3f5f7",
    "FIELD": "#ffffff",
    "RAISED": "#e3e7ec",
    "HOVER": "#d3d9df",
    "BORDER": "#b4bdc7",
    "HANDLE": "#b3bac3",
    "HANDLE_OVER": "#949da8",
    "TEXT": "#1c2126",
    "MUTED": "#4a5460",
    "DISABLED": "#8b95a0",
    "ACCENT": "#1b5d7f",
    "PRIMARY": "#6f9fb8",
    "SELECTED": "#c5dfec",
    "AMBER": "#744900",
    "RED": "#9c2c1b",
    "GREEN": "#255c3b",
}
DARK = {name: globals()[name] for name in LIGHT}
THEMES = {"dark": DARK, "light": LIGHT}

# Over an image the ground is black in every theme.
ON_IMAGE = "#d9dee4"
ON_IMAGE_MUTED = "#9ca6b2"
ON_IMAGE_MARK = "#dcae5a"
ON_IMAGE_ACCENT = "#74b3d1"
ON_IMAGE_WARNING = "#e58a7b"
ON_IMAGE_LINE = "#2a2f36"

GAP = 8
ICON = 20


def style() -> str:
    """Qt's style sheet in the colours in use."""
    shade = "" if NAME == "dark" else "-light"
    return f"""
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {BORDER}; padding: 4px; }}
QMainWindow::separator {{ background: {WINDOW}; width: 5px; height: 5px; }}
QMainWindow::separator:hover {{ background: {SELECTED}; }}
QToolBar {{ background: {WINDOW}; border: none; border-bottom: 1px solid {BORDER}; padding: 3px 6px; spacing: 2px; }}
QToolBar::separator {{ background: {BORDER}; width: 1px; margin: 5px 6px; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 4px; }}
QToolButton:hover {{ background: {RAISED}; }}
QToolButton:checked {{ background: {SELECTED}; border-color: {ACCENT}; }}
QToolButton:focus {{ border-color: {ACCENT}; }}
QMenuBar {{ background: {WINDOW}; padding: 2px 4px; }}
QMenuBar::item {{ padding: 4px 9px; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {RAISED}; }}
QMenu {{ background: {RAISED}; border: 1px solid {BORDER}; padding: 4px; }}
QMenu::item {{ padding: 5px 26px 5px 26px; border-radius: 3px; }}
QMenu::item:selected {{ background: {SELECTED}; }}
QMenu::item:disabled {{ color: {DISABLED}; }}
QMenu::separator {{ height: 1px; background: {BORDER}; margin: 4px 6px; }}
QDockWidget {{ font-weight: 600; }}
QDockWidget > QWidget {{ background: {PANEL}; }}
QDockWidget::title {{ background: {PANEL}; padding: 7px 10px; border-bottom: 1px solid {BORDER}; text-align: left; }}
QTabBar::tab {{ background: {WINDOW}; color: {MUTED}; padding: 6px 14px; border: none; }}
QTabBar::tab:selected {{ background: {PANEL}; color: {TEXT}; border-bottom: 2px solid {ACCENT}; }}
QLineEdit, QPlainTextEdit, QTextBrowser, QComboBox {{
    background: {FIELD}; border: 1px solid {BORDER}; border-radius: 4px; padding: 4px 6px;
    selection-background-color: {SELECTED}; selection-color: {TEXT}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextBrowser:focus, QComboBox:focus {{ border-color: {ACCENT}; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url(ICONS/chevron{shade}.svg); width: 10px; height: 10px; }}
QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {MUTED}; border-radius: 3px;
    background: {FIELD}; }}
QCheckBox::indicator:checked {{ background: {SELECTED}; border-color: {ACCENT}; image: url(ICONS/check{shade}.svg); }}
SearchPanel, ReportPanel {{ background: {PANEL}; }}
QComboBox QAbstractItemView {{ background: {RAISED}; border: 1px solid {BORDER};
    selection-background-color: {SELECTED}; }}
QListView, QTreeView, QTableView {{ background: {PANEL}; border: 1px solid transparent; outline: none; }}
QListView:focus, QTreeView:focus, QTableView:focus {{ border: 1px solid {ACCENT}; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QPushButton {{ background: {RAISED}; border: 1px solid {BORDER}; border-radius: 4px; padding: 5px 12px; }}
QPushButton:hover {{ background: {HOVER}; }}
QPushButton:pressed {{ background: {SELECTED}; }}
QPushButton:focus {{ border-color: {ACCENT}; }}
QPushButton:disabled {{ color: {DISABLED}; background: {PANEL}; }}
QPushButton[primary="true"] {{ background: {SELECTED}; border-color: {PRIMARY}; }}
QPushButton[primary="true"]:focus {{ border-color: {ACCENT}; }}
QPushButton[primary="true"]:disabled {{ color: {DISABLED}; background: {PANEL}; border-color: {BORDER}; }}
QPushButton[flat="true"] {{ background: transparent; border: 1px solid transparent; padding: 3px 8px;
    color: {ACCENT}; }}
QPushButton[link="true"] {{ background: transparent; border: 1px solid transparent; padding: 3px 4px; color: {ACCENT};
    text-align: left; }}
QPushButton[link="true"]:hover {{ text-decoration: underline; }}
QPushButton[link="true"]:focus {{ border-color: {ACCENT}; }}
QPushButton[flat="true"]:focus {{ border-color: {ACCENT}; }}
QCheckBox {{ spacing: 6px; padding: 2px; border: 1px solid transparent; border-radius: 4px; }}
QCheckBox:focus {{ border-color: {ACCENT}; }}
QStatusBar {{ background: {WINDOW}; border-top: 1px solid {BORDER}; }}
QStatusBar::item {{ border: none; }}
QProgressBar {{ background: {FIELD}; border: 1px solid {BORDER}; border-radius: 3px; max-height: 8px; }}
QProgressBar::chunk {{ background: {ACCENT}; border-radius: 2px; }}
QHeaderView::section {{ background: {PANEL}; color: {MUTED}; border: none; border-bottom: 1px solid {BORDER};
    padding: 5px; }}
QScrollBar:vertical {{ background: transparent; width: 10px; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; }}
QScrollBar::handle {{ background: {HANDLE}; border-radius: 4px; min-height: 24px; min-width: 24px; margin: 1px; }}
QScrollBar::handle:hover {{ background: {HANDLE_OVER}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QLabel[muted="true"] {{ color: {MUTED}; }}
QLabel[notice="true"] {{ color: {AMBER}; }}
"""


def apply(app: QApplication, name: str = "dark") -> None:
    """Fusion in the colours of a theme; sizes and fonts stay those of the system.

    What was painted before is painted again by Qt; icons that are already on buttons have to be set again.
    """
    globals().update(THEMES[name], NAME=name)
    icon.cache_clear()
    app.setStyle("Fusion")
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: WINDOW,
        QPalette.ColorRole.WindowText: TEXT,
        QPalette.ColorRole.Base: FIELD,
        QPalette.ColorRole.AlternateBase: PANEL,
        QPalette.ColorRole.Text: TEXT,
        QPalette.ColorRole.Button: RAISED,
        QPalette.ColorRole.ButtonText: TEXT,
        QPalette.ColorRole.BrightText: RED,
        QPalette.ColorRole.ToolTipBase: RAISED,
        QPalette.ColorRole.ToolTipText: TEXT,
        QPalette.ColorRole.Highlight: SELECTED,
        QPalette.ColorRole.HighlightedText: TEXT,
        QPalette.ColorRole.PlaceholderText: MUTED,
        QPalette.ColorRole.Link: ACCENT,
    }
    for role, color in roles.items():
        palette.setColor(role, QColor(color))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(DISABLED))
    app.setPalette(palette)
    app.setStyleSheet(style().replace("ICONS", resource_path("icons").as_posix()))


@cache
def icon(name: str) -> QIcon:
    """The line icon resources/icons/NAME.svg in the theme's colours, sharp up to 300 %."""
    source = resource_path("icons", f"{name}.svg").read_text("utf-8")
    drawn = QIcon()
    for mode, color in ((QIcon.Mode.Normal, TEXT), (QIcon.Mode.Disabled, DISABLED)):
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
