"""The commands of the menu "Report": draft, edit, save, sign, copy."""

from PySide6.QtGui import QGuiApplication

from desktop.commands.command import Command
from desktop.desk import Desk
from desktop.views.window import MainWindow


def _copy_report(desk: Desk, window: MainWindow) -> None:
    text = desk.report.copy_text()
    if text:
        QGuiApplication.clipboard().setText(text)
        desk.messages.show_text("The report was copied with the research draft notice.")


def _focus_report(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.report_dock)
    window.report_panel.focus_text()


def _draft(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.report_dock)
    desk.report.draft()


ROWS = (
    Command(
        "draft_report",
        "Draft report",
        ("Ctrl+D",),
        "Report",
        _draft,
        "draft",
        button="Draft",
        enabled=lambda d: not d.report.why_no_draft() and not d.report.drafting,
    ),
    Command("edit_report", "Edit report", ("Ctrl+R",), "Report", _focus_report),
    Command(
        "save_report",
        "Save report",
        ("Ctrl+S",),
        "Report",
        lambda d, w: d.report.save(),
        new_group=True,
        enabled=lambda d: d.report.page is not None,
    ),
    Command(
        "sign_report",
        "Sign report",
        ("Ctrl+Return",),
        "Report",
        lambda d, w: d.report.sign(),
        enabled=lambda d: d.report.can_sign,
    ),
    Command(
        "copy_report",
        "Copy report as research draft",
        ("Ctrl+Shift+C",),
        "Report",
        _copy_report,
        enabled=lambda d: bool(d.report.copy_text()),
    ),
)
