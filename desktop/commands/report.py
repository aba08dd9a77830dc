"""The commands of the menu "Report": draft, decide on proposals, edit, save, sign, copy, export."""

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from desktop.commands.command import Command
from desktop.desk import Desk
from desktop.state.formatting import format_date, format_time
from desktop.views.chooser import Choice
from desktop.views.report.macros_dialog import MacrosDialog
from desktop.views.report.templates_dialog import TemplatesDialog
from desktop.views.window import MainWindow
from engine.facts.fact import value_of
from engine.study import Study
from engine.text.words import counted

PRIVATE = "Counted from the reports on this computer, for you alone: it is neither stored nor exported."


def _focus_report(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.report_dock)
    window.report_panel.focus_text()


def _focus_proposals(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.report_dock)
    window.report_panel.focus_proposals()


def _focus_checks(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.report_dock)
    window.report_panel.focus_checks()


def _insert_template(desk: Desk, window: MainWindow) -> None:
    """Choose a template; the one that suits the study stands first."""
    window.show_dock(window.report_dock)
    choices = [
        Choice(
            one.name,
            partial(desk.writing.insert, one),
            " ".join(part for part in (one.modality, one.region, "own" if one.own else "") if part),
        )
        for one in desk.writing.by_fit()
    ]
    window.choose("Insert template", "templates", choices)


def _edit_templates(desk: Desk, window: MainWindow) -> None:
    facts = desk.checking.known.facts
    TemplatesDialog(desk.writing, value_of(facts, "modality"), value_of(facts, "region"), window).open()


def _edit_macros(desk: Desk, window: MainWindow) -> None:
    MacrosDialog(desk.settings.now.macros, lambda macros: desk.settings.change(macros=macros), window).open()


def _show_statistics(desk: Desk, window: MainWindow) -> None:
    """Tell what became of the proposals, once they are counted."""
    desk.report.count_decisions(lambda found: window.dialogs.tell("Draft statistics", f"{found.text}\n\n{PRIVATE}"))


def _insert_from_prior(desk: Desk, window: MainWindow) -> None:
    """Choose one of several earlier studies, the latest first, then a sentence of its report or all of it."""
    studies = desk.inserting.required_earlier_studies()
    if len(studies) == 1:
        _insert_from(desk, window, studies[0])
        return
    choices = [
        Choice(
            f"{format_date(study.date)} {format_time(study.time)}".strip(),
            partial(_insert_from, desk, window, study),
            study.description,
        )
        for study in studies
    ]
    window.choose("Insert from earlier report", "earlier studies", choices)


def _insert_from(desk: Desk, window: MainWindow, study: Study) -> None:
    def choose(found: list[str]) -> None:
        take = partial(desk.inserting.take_over_prior, study)
        rows = [Choice(one, partial(take, one)) for one in found]
        every = Choice("Whole report", partial(take, " ".join(found)), counted(len(found), "sentence"))
        window.choose(f"Insert from report of {format_date(study.date)}", "sentences", [*rows, every])

    desk.inserting.read_prior(study, choose)


def _sign(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.report_dock)
    window.report_panel.ask_to_sign()


def _begin_addendum(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.report_dock)
    window.report_panel.begin_addendum()


def _draft(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.report_dock)
    desk.report.draft()


def _export(desk: Desk, window: MainWindow) -> None:
    choices = {one.filter: one for one in desk.export.choices()}
    name, chosen = QFileDialog.getSaveFileName(window, "Export report", "report", ";;".join(choices))
    if name:
        desk.export.export(choices.get(chosen) or next(iter(choices.values())), Path(name))


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
        "review_proposals",
        "Review proposals",
        ("Ctrl+J",),
        "Report",
        _focus_proposals,
        new_group=True,
        enabled=lambda d: bool(d.report.rows),
    ),
    Command(
        "accept_proposal",
        "Accept proposal",
        ("Ctrl+Shift+Y",),
        "Report",
        lambda d, w: d.report.accept(),
        enabled=lambda d: d.report.can_decide,
    ),
    Command(
        "edit_proposal",
        "Edit proposal",
        ("Ctrl+Shift+J",),
        "Report",
        lambda d, w: d.report.edit_selected(),
        enabled=lambda d: d.report.can_decide,
    ),
    Command(
        "dismiss_proposal",
        "Dismiss proposal",
        ("Ctrl+Shift+N",),
        "Report",
        lambda d, w: d.report.dismiss(),
        enabled=lambda d: d.report.can_decide,
    ),
    Command(
        "accept_all_proposals",
        "Accept all proposals",
        ("Ctrl+Shift+G",),
        "Report",
        lambda d, w: d.report.accept_all(),
        enabled=lambda d: d.report.can_decide_all,
    ),
    Command(
        "dismiss_all_proposals",
        "Dismiss all proposals",
        ("Ctrl+Shift+X",),
        "Report",
        lambda d, w: d.report.dismiss_all(),
        enabled=lambda d: d.report.can_decide_all,
    ),
    Command(
        "insert_template",
        "Insert template…",
        ("Ctrl+Alt+T",),
        "Report",
        _insert_template,
        enabled=lambda d: d.writing.can_insert(),
    ),
    Command(
        "insert_from_prior",
        "Insert from earlier report…",
        ("Ctrl+Shift+B",),
        "Report",
        _insert_from_prior,
        enabled=lambda d: d.inserting.can_insert_from_prior(),
    ),
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
        "review_checks",
        "Review checks",
        ("F8",),
        "Report",
        _focus_checks,
        enabled=lambda d: bool(d.checking.checks),
    ),
    Command(
        "sign_report",
        "Sign report",
        ("Ctrl+Return",),
        "Report",
        _sign,
        enabled=lambda d: d.report.can_sign,
    ),
    Command(
        "write_addendum",
        "Write addendum",
        ("Ctrl+Shift+Return",),
        "Report",
        _begin_addendum,
        enabled=lambda d: d.report.can_begin_addendum,
    ),
    Command("edit_templates", "Templates…", ("Ctrl+Alt+Shift+T",), "Report", _edit_templates, new_group=True),
    Command("edit_macros", "Macros…", ("Ctrl+Alt+Shift+M",), "Report", _edit_macros),
    Command(
        "write_first",
        "Write first, see draft afterwards",
        ("Ctrl+Alt+W",),
        "Report",
        lambda d, w: d.settings.change(write_first=not d.settings.now.write_first),
        checked=lambda d: d.settings.now.write_first,
    ),
    Command("draft_statistics", "Draft statistics…", ("Ctrl+Alt+D",), "Report", _show_statistics),
    Command(
        "copy_report",
        "Copy report as research draft",
        ("Ctrl+Shift+C",),
        "Report",
        lambda d, w: w.report_panel.copy_report(),
        enabled=lambda d: bool(d.report.copy_text()),
    ),
    Command(
        "export_report",
        "Export report…",
        ("Ctrl+Alt+R",),
        "Report",
        _export,
        enabled=lambda d: d.export.can_export,
    ),
)
