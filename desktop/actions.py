"""Builds the menus, toolbar, shortcuts and command palette from one table of commands.

The rows of the table are in desktop/commands, one file per menu. This module does not know what a command does.
"""

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QComboBox, QLineEdit, QMenu, QPlainTextEdit, QToolButton
from typing_extensions import override

from desktop import theme
from desktop.coalesce import Coalescer
from desktop.commands import archive, context_menus, edit, export, files, image, measure, mpr, report, view, windowing
from desktop.commands.command import Command
from desktop.commands.sentences import SENTENCES
from desktop.commands.synonyms import SYNONYMS
from desktop.desk import Desk
from desktop.mnemonics import plain, with_mnemonics
from desktop.state.measure.drawing_tools import measurement_at
from desktop.state.shortcuts import Bound
from desktop.state.viewer.tools import Gesture
from desktop.views.chooser import Choice
from desktop.views.settings.settings_dialog import SettingsDialog
from desktop.views.viewer.viewport import ViewportView
from desktop.views.window import MainWindow

COMMANDS: tuple[Command, ...] = (
    *files.ROWS,
    *export.ROWS,
    *files.QUIT_ROWS,
    *edit.ROWS,
    *view.ROWS,
    *image.ROWS,
    *windowing.ROWS,
    *measure.ROWS,
    *mpr.ROWS,
    *archive.ROWS,
    *report.ROWS,
    *view.HELP_ROWS,
)

MENUS = ("File", "Edit", "View", "Image", "Window", "Measure", "Archive", "Similar cases", "Report", "Help")
"""Alt and the first letter opens each of them."""
TOOLBAR = (
    ("open_files", "open_folder", "open_archive", "import_folder"),
    ("tool_window", "tool_pan", "tool_zoom", "tool_scroll", "magnifier"),
    (
        "tool_length",
        "tool_angle",
        "tool_rectangle",
        "tool_ellipse",
        "tool_region",
        "tool_probe",
        "tool_arrow",
        "tool_text",
    ),
    (
        "fit_to_viewport",
        "actual_pixels",
        "rotate_right",
        "flip_horizontally",
        "invert",
        "reset_view",
        "hide_patient_data",
    ),
    ("link_viewports", "play_cine", "mark_key_image"),
    ("find_similar", "draft_report"),
)

HIT_MENU = (
    *("compare_hit", "open_selected_case", "copy_case_text"),
    *("find_similar_to_case", "mark_relevant", "mark_not_relevant", "delete_case"),
)
"""The context menu of a hit."""
STILL_MS = 50
"""Milliseconds after the last new picture until the actions are refreshed, so that scrolling is not slowed down."""


class Actions(QObject):
    """One QAction per command, updated when a state changes."""

    def __init__(self, desk: Desk, window: MainWindow) -> None:
        super().__init__(window)
        self._desk, self._window = desk, window
        self._refresh = Coalescer(self.refresh, self)
        self._still = QTimer(self, singleShot=True, interval=STILL_MS)
        self._still.timeout.connect(self.refresh)
        self._menus: list[QMenu] = []
        menus = {f"Alt+{title[0]}": title for title in MENUS}
        desk.shortcuts.define([_bound(command) for command in COMMANDS], menus)
        self.actions = {command.name: self._make(command) for command in COMMANDS}
        for changed in (
            desk.studies.changed,
            desk.studies.rejected_changed,
            desk.layout.changed,
            desk.layout.active_changed,
            desk.layout.active_proxy.series_changed,
            desk.layout.active_proxy.redaction_changed,
            desk.layout.active_proxy.overlay_changed,
            desk.tools.changed,
            desk.tools.hold_ended,
            desk.links.changed,
            desk.cine.changed,
            desk.key_images.changed,
            desk.measurements.changed,
            desk.mpr.changed,
            desk.slab.changed,
            desk.settings.changed,
            desk.jobs.changed,
            desk.messages.changed,
            desk.archive.changed,
            desk.upkeep.backups.changed,
            desk.report.changed,
            desk.report.page_changed,
            desk.report.selection_changed,
            desk.checking.changed,
            desk.search.hits_changed,
            desk.writing.changed,
            desk.search.selected_case.changed,
            desk.comparison.changed,
            desk.first_steps.changed,
            desk.space.changed,
            desk.pacs.addresses.changed,
        ):
            changed.connect(self._refresh.request)
        desk.layout.active_proxy.picture_changed.connect(self._still.start)
        desk.shortcuts.changed.connect(self._show_keys)
        self._show_keys()
        self.show_icons()
        self._fill_menus()
        self._fill_toolbar()
        for field_type in (QLineEdit, QPlainTextEdit, QComboBox):
            for field in window.findChildren(field_type):
                field.installEventFilter(self)
        for top_level in (window, window.detached_viewer):
            top_level.installEventFilter(self)
        window.search_panel.hits.addActions([self.actions[name] for name in HIT_MENU])
        window.report_panel.editor.add_to_menu = lambda menu: self._add_groups(menu, context_menus.REPORT)
        window.series_list.menu_requested.connect(lambda point: self._pop_up(context_menus.SERIES, point))
        self.context_menu: QMenu | None = None
        """The one that is open."""
        window.palette_requested.connect(self.open_palette)
        window.shortcuts_requested.connect(self.show_shortcuts)
        window.settings_requested.connect(self.open_settings)
        for viewport in window.grid.views:
            self._add_viewport_actions(viewport)
        window.grid.view_made.connect(self._add_viewport_actions)
        window.first_steps.bind(self.actions)
        self.refresh()

    def _make(self, command: Command) -> QAction:
        action = QAction(command.text, self)
        action.setObjectName(command.name)
        action.setWhatsThis(SENTENCES.get(command.name, ""))  # screen readers say it
        action.setCheckable(command.checked is not None)
        repeats = command.menu != "Report"  # a key that is held must not decide on proposals unread
        action.setAutoRepeat(repeats and not command.held)
        context = Qt.ShortcutContext.WidgetShortcut if command.in_viewport else Qt.ShortcutContext.WindowShortcut
        action.setShortcutContext(context)
        if not command.in_viewport:
            self._window.addAction(action)
            self._window.detached_viewer.addAction(action)
        action.triggered.connect(lambda checked=False: self._run(command))
        return action

    def _show_keys(self) -> None:
        """Set the keys of all actions, and name them in their tooltips."""
        shortcuts = self._desk.shortcuts
        for command in COMMANDS:
            action, name = self.actions[command.name], command.name
            action.setShortcuts([QKeySequence(key) for key in shortcuts.keys(name)])
            action.setToolTip(shortcuts.fill(f"{command.text.rstrip('…')} ({{{name}}})"))

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Before a shortcut is looked up: refresh pending actions, and decide between shortcuts and typing.

        Ctrl+K opens the palette also in text fields, which would cut a line. A letter selects in a combo box.
        """
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            if self._still.isActive():
                self._still.stop()
                self.refresh()
            keys = QKeySequence(event.keyCombination())
            if keys in self.actions["command_palette"].shortcuts():
                event.ignore()
                return True
            opens = keys in (QKeySequence("Alt+Down"), QKeySequence("Alt+Up"))  # its list, on every desktop
            letter = event.text().isalnum() and not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
            if (letter or opens) and isinstance(watched, QComboBox):
                event.accept()
                return True
        return super().eventFilter(watched, event)

    def _add_viewport_actions(self, viewport: ViewportView) -> None:
        viewport.addActions([self.actions[command.name] for command in COMMANDS if command.in_viewport])
        viewport.key_released.connect(self._end_held)
        viewport.menu_requested.connect(self._pop_up_on_image)

    def _pop_up_on_image(self, gesture: Gesture, point: QPoint) -> None:
        """The menu of the measurement there, which is selected, else of the image."""
        hit = measurement_at(self._desk.measurements, gesture)
        if hit is not None:
            self._desk.measurements.select(hit[0].id)
        self._pop_up(context_menus.IMAGE if hit is None else context_menus.MEASUREMENT, point)

    def _pop_up(self, groups: context_menus.Groups, point: QPoint) -> None:
        """Open a context menu at a point of the screen."""
        self.context_menu = menu = QMenu(self._window)
        self._add_groups(menu, groups)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(point)

    def _add_groups(self, menu: QMenu, groups: context_menus.Groups) -> None:
        """Add what is enabled, one group below the other."""
        self.refresh()
        for names in groups:
            enabled = [self.actions[name] for name in names if self.actions[name].isEnabled()]
            if enabled and not menu.isEmpty():
                menu.addSeparator()
            menu.addActions(enabled)

    def _end_held(self, key: int) -> None:
        """End what lasts while its key is held, if this is that key; modifiers may have been released before."""
        held = [command.name for command in COMMANDS if command.held]
        keys = [QKeySequence(one) for name in held for one in self._desk.shortcuts.keys(name)]
        if any(one[0].key() == key for one in keys):  # type: ignore[index]
            self._desk.tools.hold_ended.emit()

    def show_icons(self) -> None:
        """Set the icons of all actions in the colors of the current theme."""
        for command in COMMANDS:
            if command.icon:
                self.actions[command.name].setIcon(theme.icon(command.icon))
        extension = self._window.toolbar.findChild(QToolButton, "qt_toolbar_ext_button")
        if isinstance(extension, QToolButton):  # Qt's own icon is as dark as the dark theme
            extension.setIcon(theme.icon("more"))

    def open_palette(self) -> None:
        """Open the command palette; unavailable commands are listed as disabled."""
        self.refresh()
        choices = [self._choice(command) for command in COMMANDS if command.name != "command_palette"]
        self._window.choose("Command palette", "commands", choices)

    def show_shortcuts(self) -> None:
        """List every command that has shortcuts, with all of them; choosing one runs it."""
        self.refresh()
        keys = self._desk.shortcuts.keys
        choices = [self._choice(command, all_keys=True) for command in COMMANDS if keys(command.name)]
        self._window.choose("Keyboard shortcuts", "keyboard shortcuts", choices)

    def open_settings(self, page: str) -> None:
        """Open the settings at a page, or bring them to the front."""
        self.refresh()
        shown = (one for one in self._window.findChildren(SettingsDialog) if one.isVisible())
        dialog = next(shown, None) or SettingsDialog(self._desk, self.actions, self._window)
        dialog.go_to(page)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def _choice(self, command: Command, all_keys: bool = False) -> Choice:
        action = self.actions[command.name]
        keys = self._desk.shortcuts.shown(command.name, every=all_keys)
        text = plain(action.text()) if action.isVisible() else command.text
        context = f"{command.menu}, {command.submenu}" if command.submenu else command.menu
        return Choice(text, action.trigger, context, keys, action.isEnabled(), SYNONYMS.get(command.name, ""))

    def _run(self, command: Command) -> None:
        try:
            command.handler(self._desk, self._window)
        except Exception as error:
            self._desk.show_problem(error)
        self.refresh()

    def refresh(self) -> None:
        """Update enabled, checked, label and visibility of every action."""
        relabeled = False
        for command in COMMANDS:
            action = self.actions[command.name]
            enabled = command.enabled(self._desk)
            action.setEnabled(enabled)
            if command.checked:
                action.setChecked(command.checked(self._desk))
            if command.label:
                before, text = (plain(action.text()), action.isVisible()), command.label(self._desk)
                visible = command.name == "default_window" or enabled
                if before != (text, visible):
                    action.setText(text)
                    action.setVisible(visible)
                    relabeled = True
        if relabeled:
            self._mark_menus()

    def _fill_menus(self) -> None:
        for title in MENUS:
            menu = self._window.menuBar().addMenu(f"&{title}")
            self._menus.append(menu)
            submenus: dict[str, QMenu] = {}
            for command in COMMANDS:
                if command.menu == title:
                    if command.submenu and command.submenu not in submenus:
                        submenus[command.submenu] = menu.addMenu(command.submenu)
                        self._menus.append(submenus[command.submenu])
                    target = submenus.get(command.submenu, menu)
                    if command.new_group:
                        target.addSeparator()
                    target.addAction(self.actions[command.name])
        self._mark_menus()

    def _mark_menus(self) -> None:
        """Give every visible item of each menu a letter of its own."""
        for menu in self._menus:
            shown = [action for action in menu.actions() if action.isVisible() and not action.isSeparator()]
            for action, text in zip(shown, with_mnemonics([plain(action.text()) for action in shown]), strict=True):
                action.setText(text)

    def _fill_toolbar(self) -> None:
        for number, group in enumerate(TOOLBAR):
            if number:
                self._window.toolbar.addSeparator()
            for name in group:
                self._window.toolbar.addAction(self.actions[name])
        for command in COMMANDS:
            button = self._window.toolbar.widgetForAction(self.actions[command.name])
            if command.button and isinstance(button, QToolButton):
                self.actions[command.name].setIconText(command.button)
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)


def _bound(command: Command) -> Bound:
    return Bound(command.name, command.text, command.menu, command.shortcuts, command.in_viewport)
