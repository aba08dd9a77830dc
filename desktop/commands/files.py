"""Commands of the File menu that open and close studies, list rejected files and cancel background tasks."""

from desktop.commands.command import Command

ROWS = (
    Command("open_files", "Open files…", ("Ctrl+O",), "File", lambda d, w: w.dialogs.open_files(), "open"),
    Command("open_folder", "Open folder…", ("Ctrl+Shift+O",), "File", lambda d, w: w.dialogs.open_folder(), "folder"),
    Command(
        "open_recent",
        "Open recent…",
        ("Ctrl+Shift+R",),
        "File",
        lambda d, w: w.list_recent(),
        enabled=lambda d: bool(d.settings.now.recent),
    ),
    Command(
        "find_priors",
        "Find this patient's priors…",
        ("Ctrl+Alt+F",),
        "File",
        lambda d, w: w.dialogs.show_pacs_priors(),
        new_group=True,
        enabled=lambda d: d.pacs.priors.possible,
    ),
    Command(
        "pacs_settings", "PACS settings…", ("Ctrl+Alt+Shift+P",), "File", lambda d, w: w.dialogs.show_pacs_settings()
    ),
    Command(
        "close_study",
        "Close study",
        ("Ctrl+W",),
        "File",
        lambda d, w: d.studies.close(d.studies.study.uid) if d.studies.study else None,
        new_group=True,
        enabled=lambda d: d.studies.study is not None,
    ),
    Command(
        "close_all_studies",
        "Close all studies",
        ("Ctrl+Shift+W",),
        "File",
        lambda d, w: d.studies.close_all(),
        enabled=lambda d: bool(d.studies.studies or d.studies.documents or d.studies.rejected),
    ),
    Command(
        "show_rejected",
        "Rejected files…",
        ("Ctrl+Shift+L",),
        "File",
        lambda d, w: w.dialogs.show_rejected(),
        new_group=True,
        enabled=lambda d: bool(d.studies.rejected),
    ),
    Command(
        "cancel_task",
        "Cancel background task",
        ("Ctrl+.",),
        "File",
        lambda d, w: d.jobs.cancel_current(),
        enabled=lambda d: d.jobs.current is not None,
    ),
)

QUIT_ROWS = (Command("quit", "Quit", ("Ctrl+Q",), "File", lambda d, w: w.close(), new_group=True),)
"""The end of the menu, after the rows of export.py."""
