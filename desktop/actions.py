"""Every command of the app, one row each: name, words, shortcut, handler. Menus, toolbar and shortcuts come from here.

A handler gets the desk (the states) and the window. Commands of the viewport work while it has the keyboard, so that
arrows and page keys keep their meaning in lists and texts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QToolButton, QWidget

from desktop import theme
from desktop.desk import Desk
from desktop.views.window import MainWindow

Handler = Callable[[Desk, MainWindow], object]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing the user can do. `shortcuts`: the first is shown; `menu` "-" before the text starts a group."""

    name: str
    text: str
    shortcuts: tuple[str, ...]
    menu: str
    handler: Handler
    icon: str = ""
    in_viewport: bool = False
    new_group: bool = False
    checked: Callable[[Desk], bool] | None = None
    enabled: Callable[[Desk], bool] = lambda desk: True
    label: Callable[[Desk], str] | None = None
    button: str = ""
    """Words beside the icon in the toolbar."""


def _has_picture(desk: Desk) -> bool:
    return desk.viewport.series is not None


def _windowed(desk: Desk) -> bool:
    return desk.viewport.shown_window is not None


def _tool(name: str, text: str, key: str, icon: str, new_group: bool = False) -> Command:
    return Command(
        f"tool_{name}",
        text,
        (key,),
        "Image",
        lambda desk, window: desk.viewport.set_tool(name),
        icon,
        new_group=new_group,
        checked=lambda desk: desk.viewport.tool == name,
    )


def _move(name: str, text: str, keys: tuple[str, ...], step: Callable[[Desk], int], new_group: bool = False) -> Command:
    def go(desk: Desk, window: MainWindow) -> None:
        desk.viewport.scroll(step(desk))

    return Command(name, text, keys, "Image", go, in_viewport=True, new_group=new_group, enabled=_has_picture)


def _preset_label(number: int, desk: Desk) -> str:
    presets = desk.viewport.presets
    if number == 0:
        return "As the image says"
    if number > len(presets):
        return f"Preset {number}"
    preset = presets[number - 1]
    return f"{preset.name} (W {preset.width:.0f} L {preset.center:.0f})"


def _preset(number: int) -> Command:
    return Command(
        f"preset_{number}",
        f"Window preset {number}" if number else "Window as the image says",
        (str(number),),
        "Window",
        lambda desk, window: desk.viewport.apply_preset(number),
        enabled=lambda desk: _windowed(desk) and number <= len(desk.viewport.presets),
        label=partial(_preset_label, number),
    )


def _copy_report(desk: Desk, window: MainWindow) -> None:
    text = desk.report.copy_text()
    if text:
        QGuiApplication.clipboard().setText(text)
        desk.messages.tell("The report was copied, marked as a research draft.")


def _focus_report(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.report_dock)
    window.report_panel.focus_text()


def _focus_words(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.search_dock)
    window.search_panel.focus_words()


def _search_image(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.search_dock)
    desk.search.search_image()


def _draft(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.report_dock)
    desk.report.draft()


COMMANDS: tuple[Command, ...] = (
    Command("open_files", "Open files…", ("Ctrl+O",), "File", lambda d, w: w.dialogs.open_files(), "open"),
    Command("open_folder", "Open folder…", ("Ctrl+Shift+O",), "File", lambda d, w: w.dialogs.open_folder(), "folder"),
    Command(
        "close_studies",
        "Close all studies",
        ("Ctrl+W",),
        "File",
        lambda d, w: d.studies.close_all(),
        enabled=lambda d: bool(d.studies.studies or d.studies.rejected),
    ),
    Command(
        "show_rejected",
        "Files left out…",
        ("Ctrl+Shift+L",),
        "File",
        lambda d, w: w.dialogs.show_rejected(),
        new_group=True,
        enabled=lambda d: bool(d.studies.rejected),
    ),
    Command(
        "stop",
        "Stop background work",
        ("Ctrl+.",),
        "File",
        lambda d, w: d.jobs.cancel_current(),
        enabled=lambda d: d.jobs.current is not None,
    ),
    Command("quit", "Quit", ("Ctrl+Q",), "File", lambda d, w: w.close(), new_group=True),
    _tool("window", "Window tool", "W", "window"),
    _tool("pan", "Pan tool", "T", "pan"),
    _tool("zoom", "Zoom tool", "Z", "zoom"),
    _tool("scroll", "Scroll tool", "S", "scroll"),
    Command("fit", "Fit to the window", ("F",), "Image", lambda d, w: d.viewport.fit(), "fit", new_group=True),
    Command(
        "actual_size",
        "One to one",
        ("A",),
        "Image",
        lambda d, w: d.viewport.actual_size(),
        "actual",
        enabled=_has_picture,
    ),
    Command("zoom_in", "Zoom in", ("+", "="), "Image", lambda d, w: d.viewport.zoom_by(1.25), enabled=_has_picture),
    Command("zoom_out", "Zoom out", ("-",), "Image", lambda d, w: d.viewport.zoom_by(0.8), enabled=_has_picture),
    Command(
        "invert",
        "Invert",
        ("I",),
        "Image",
        lambda d, w: d.viewport.toggle_invert(),
        "invert",
        checked=lambda d: d.viewport.inverted,
        enabled=_has_picture,
    ),
    Command("reset", "Reset the view", ("R",), "Image", lambda d, w: d.viewport.reset(), "reset", enabled=_has_picture),
    _move("next_image", "Next image", ("Down", "Right"), lambda d: 1, new_group=True),
    _move("previous_image", "Previous image", ("Up", "Left"), lambda d: -1),
    _move("forward", "Ten images on", ("PgDown",), lambda d: 10),
    _move("back", "Ten images back", ("PgUp",), lambda d: -10),
    _move("first_image", "First image", ("Home",), lambda d: -d.viewport.count),
    _move("last_image", "Last image", ("End",), lambda d: d.viewport.count),
    Command("next_series", "Next series", ("Shift+Down",), "Image", lambda d, w: d.studies.step(1), new_group=True),
    Command("previous_series", "Previous series", ("Shift+Up",), "Image", lambda d, w: d.studies.step(-1)),
    *(_preset(number) for number in range(1, 10)),
    _preset(0),
    Command(
        "auto_window",
        "Window over the image's range",
        ("U",),
        "Window",
        lambda d, w: d.viewport.auto_window(),
        enabled=_windowed,
    ),
    Command(
        "identity",
        "Show the patient's identity",
        ("H",),
        "View",
        lambda d, w: d.viewport.toggle_identity(),
        "identity",
        checked=lambda d: d.viewport.identity_visible,
    ),
    Command(
        "show_studies",
        "Studies",
        ("Ctrl+1",),
        "View",
        lambda d, w: w.toggle_dock(w.studies_dock),
        new_group=True,
    ),
    Command("show_similar", "Similar cases", ("Ctrl+2",), "View", lambda d, w: w.toggle_dock(w.search_dock)),
    Command("show_report", "Report", ("Ctrl+3",), "View", lambda d, w: w.toggle_dock(w.report_dock)),
    Command("full_screen", "Full screen", ("F11",), "View", lambda d, w: w.toggle_full_screen(), new_group=True),
    Command(
        "open_archive", "Open archive…", ("Ctrl+Shift+A",), "Archive", lambda d, w: w.dialogs.open_archive(), "archive"
    ),
    Command("new_archive", "New archive…", ("Ctrl+N",), "Archive", lambda d, w: w.dialogs.new_archive()),
    Command(
        "import_folder",
        "Import folder…",
        ("Ctrl+I",),
        "Archive",
        lambda d, w: w.dialogs.import_folder(),
        "import",
        new_group=True,
        enabled=lambda d: d.archive.archive is not None,
    ),
    Command(
        "import_file",
        "Import file, zip or CSV…",
        ("Ctrl+Shift+I",),
        "Archive",
        lambda d, w: w.dialogs.import_file(),
        enabled=lambda d: d.archive.archive is not None,
    ),
    Command(
        "load_models", "Use other models…", ("Ctrl+M",), "Archive", lambda d, w: w.dialogs.load_models(), new_group=True
    ),
    Command("focus_words", "Search by words", ("Ctrl+F",), "Similar", _focus_words),
    Command(
        "search_image",
        "Find cases like this image",
        ("Ctrl+E",),
        "Similar",
        _search_image,
        "similar",
        button="Find similar",
        enabled=lambda d: d.viewport.picture is not None and d.archive.archive is not None,
    ),
    Command(
        "draft",
        "Draft the report",
        ("Ctrl+D",),
        "Report",
        _draft,
        "draft",
        button="Draft",
        enabled=lambda d: not d.report.why_no_draft() and not d.report.drafting,
    ),
    Command("write", "Write the report", ("Ctrl+R",), "Report", _focus_report),
    Command(
        "save_report",
        "Save",
        ("Ctrl+S",),
        "Report",
        lambda d, w: d.report.save(),
        new_group=True,
        enabled=lambda d: d.report.page is not None,
    ),
    Command(
        "sign_report",
        "Sign",
        ("Ctrl+Return",),
        "Report",
        lambda d, w: d.report.sign(),
        enabled=lambda d: bool(d.report.page and d.report.page.text.strip() and not d.report.page.signed),
    ),
    Command(
        "copy_report",
        "Copy as research draft",
        ("Ctrl+Shift+C",),
        "Report",
        _copy_report,
        enabled=lambda d: bool(d.report.copy_text()),
    ),
    Command("about", "About Kindred", ("F1",), "Help", lambda d, w: w.dialogs.about()),
)

MENUS = ("File", "View", "Image", "Window", "Archive", "Similar", "Report", "Help")
TOOLBAR = (
    ("open_files", "open_folder", "open_archive", "import_folder"),
    ("tool_window", "tool_pan", "tool_zoom", "tool_scroll"),
    ("fit", "actual_size", "invert", "reset", "identity"),
    ("search_image", "draft"),
)


class Actions(QObject):
    """The rows as QActions, kept in step with the states."""

    def __init__(self, desk: Desk, window: MainWindow) -> None:
        super().__init__(window)
        self._desk, self._window = desk, window
        self.actions = {command.name: self._make(command) for command in COMMANDS}
        for changed in (
            desk.studies.changed,
            desk.studies.rejected_changed,
            desk.viewport.series_changed,
            desk.viewport.picture_changed,
            desk.viewport.tool_changed,
            desk.viewport.identity_changed,
            desk.jobs.changed,
            desk.archive.changed,
            desk.report.changed,
            desk.report.page_changed,
        ):
            changed.connect(self.refresh)
        self._fill_menus()
        self._fill_toolbar()
        self.refresh()

    def _make(self, command: Command) -> QAction:
        action = QAction(command.text, self)
        action.setObjectName(command.name)
        action.setShortcuts([QKeySequence(key) for key in command.shortcuts])
        action.setCheckable(command.checked is not None)
        action.setToolTip(f"{command.text.rstrip('…')} ({command.shortcuts[0]})")
        if command.icon:
            action.setIcon(theme.icon(command.icon))
        home: QWidget = self._window.viewport if command.in_viewport else self._window
        context = Qt.ShortcutContext.WidgetShortcut if command.in_viewport else Qt.ShortcutContext.WindowShortcut
        action.setShortcutContext(context)
        home.addAction(action)
        action.triggered.connect(lambda checked=False: self._run(command))
        return action

    def _run(self, command: Command) -> None:
        try:
            command.handler(self._desk, self._window)
        except Exception as error:
            self._desk.messages.show_error(error)
        self.refresh()

    def refresh(self) -> None:
        for command in COMMANDS:
            action = self.actions[command.name]
            enabled = command.enabled(self._desk)
            action.setEnabled(enabled)
            if command.checked:
                action.setChecked(command.checked(self._desk))
            if command.label:
                action.setText(command.label(self._desk))
                action.setVisible(command.name == "preset_0" or enabled)

    def _fill_menus(self) -> None:
        for title in MENUS:
            menu = self._window.menuBar().addMenu(title)
            for command in COMMANDS:
                if command.menu == title:
                    if command.new_group:
                        menu.addSeparator()
                    menu.addAction(self.actions[command.name])

    def _fill_toolbar(self) -> None:
        for number, group in enumerate(TOOLBAR):
            if number:
                self._window.toolbar.addSeparator()
            for name in group:
                self._window.toolbar.addAction(self.actions[name])
        for command in COMMANDS:
            shown = self._window.toolbar.widgetForAction(self.actions[command.name])
            if command.button and isinstance(shown, QToolButton):
                self.actions[command.name].setIconText(command.button)
                shown.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
