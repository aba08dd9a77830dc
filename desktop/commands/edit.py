"""The menu "Edit": the settings and the keys of the commands."""

from desktop.commands.command import Command
from desktop.views.settings.rows import SHORTCUTS

ROWS = (
    Command("settings", "Settings…", ("Ctrl+,",), "Edit", lambda d, w: w.settings_requested.emit("")),
    Command(
        "customize_shortcuts",
        "Customize keyboard shortcuts…",
        ("Ctrl+Alt+K",),
        "Edit",
        lambda d, w: w.settings_requested.emit(SHORTCUTS),
    ),
)
