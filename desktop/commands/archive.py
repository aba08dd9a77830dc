"""The commands of the menus "Archive" and "Similar cases": archives, imports, models, and searches."""

from desktop.commands.command import Command
from desktop.commands.image import tool
from desktop.desk import Desk
from desktop.views.window import MainWindow


def _focus_text(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.search_dock)
    window.search_panel.focus_text()


def _search_image(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.search_dock)
    desk.search.search_image()


def _search_series(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.search_dock)
    desk.search.search_series()


def _compare_hit(desk: Desk, window: MainWindow) -> None:
    if desk.comparison.viewport is None:
        desk.comparison.start()
    else:
        desk.comparison.close()


def _shows_stack(desk: Desk) -> bool:
    picture = desk.layout.of_study.picture
    return picture is not None and len(picture.series.frames) > 1


ROWS = (
    Command(
        "open_archive", "Open archive…", ("Ctrl+Shift+A",), "Archive", lambda d, w: w.dialogs.open_archive(), "archive"
    ),
    Command(
        "open_server",
        "Open archive on a server…",
        ("Ctrl+Alt+Shift+A",),
        "Archive",
        lambda d, w: w.dialogs.open_server(),
    ),
    Command(
        "connect_at_start",
        "Connect to server of last session at start",
        ("Ctrl+Alt+Shift+O",),
        "Archive",
        lambda d, w: d.settings.change(server_at_start=not d.settings.now.server_at_start),
        checked=lambda d: d.settings.now.server_at_start,
    ),
    Command("new_archive", "New archive…", ("Ctrl+N",), "Archive", lambda d, w: w.dialogs.new_archive()),
    Command(
        "archive_screen",
        "Archive contents and maintenance…",
        ("Ctrl+Alt+A",),
        "Archive",
        lambda d, w: w.dialogs.show_archive(),
    ),
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
        "Import file…",
        ("Ctrl+Shift+I",),
        "Archive",
        lambda d, w: w.dialogs.import_file(),
        enabled=lambda d: d.archive.archive is not None,
    ),
    Command(
        "preview_import",
        "Preview import…",
        ("Ctrl+Alt+P",),
        "Archive",
        lambda d, w: w.dialogs.preview_import(),
        enabled=lambda d: d.archive.archive is not None,
    ),
    Command(
        "reindex_archive",
        "Re-index archive with current models",
        ("Ctrl+Shift+M",),
        "Archive",
        lambda d, w: d.reindex.start(),
        new_group=True,
        enabled=lambda d: not d.reindex.why_not(),
    ),
    Command(
        "model_screen",
        "Model…",
        ("Ctrl+Alt+B",),
        "Archive",
        lambda d, w: w.dialogs.show_model(),
        submenu="Models",
    ),
    Command(
        "teach",
        "Teach Kindred your reports…",
        ("Ctrl+Alt+L",),
        "Archive",
        lambda d, w: w.dialogs.show_model(teach=True),
        submenu="Models",
    ),
    Command(
        "load_models",
        "Load other models…",
        ("Ctrl+M",),
        "Archive",
        lambda d, w: w.dialogs.load_models(),
        submenu="Models",
    ),
    Command(
        "back_up",
        "Back up now",
        ("Ctrl+Alt+Shift+B",),
        "Archive",
        lambda d, w: d.upkeep.backups.back_up(),
        submenu="Backups",
        enabled=lambda d: not d.upkeep.backups.running,
    ),
    Command(
        "restore_backup",
        "Restore archive from backup…",
        ("Ctrl+Alt+Shift+R",),
        "Archive",
        lambda d, w: d.upkeep.backups.list_backups(),
        submenu="Backups",
        enabled=lambda d: d.archive.archive is not None,
    ),
    Command(
        "backup_folder",
        "Folder of backups…",
        ("Ctrl+Alt+Shift+F",),
        "Archive",
        lambda d, w: w.dialogs.choose_backup_folder(),
        submenu="Backups",
    ),
    Command("search_by_text", "Search by text", ("Ctrl+F",), "Similar cases", _focus_text),
    Command(
        "find_similar",
        "Find similar cases",
        ("Ctrl+E",),
        "Similar cases",
        _search_image,
        "similar",
        button="Find similar",
        enabled=lambda d: d.layout.of_study.picture is not None and d.archive.archive is not None,
    ),
    Command(
        "find_similar_to_series",
        "Find cases similar to series",
        ("Ctrl+Alt+E",),
        "Similar cases",
        _search_series,
        enabled=lambda d: _shows_stack(d) and d.archive.archive is not None,
    ),
    tool("search_roi", "Search by ROI", "Shift+S", menu="Similar cases"),
    Command(
        "find_similar_to_case",
        "Find cases similar to selected case",
        ("Ctrl+G",),
        "Similar cases",
        lambda d, w: d.search.search_selected_case(),
        enabled=lambda d: d.search.selected is not None,
    ),
    Command(
        "previous_search",
        "Back to previous search",
        ("Alt+Left",),
        "Similar cases",
        lambda d, w: d.search.go_back(),
        new_group=True,
        enabled=lambda d: d.search.can_go_back,
    ),
    Command(
        "next_search",
        "Forward to next search",
        ("Alt+Right",),
        "Similar cases",
        lambda d, w: d.search.go_forward(),
        enabled=lambda d: d.search.can_go_forward,
    ),
    Command(
        "mark_relevant",
        "Mark hit as relevant",
        ("Ctrl+L",),
        "Similar cases",
        lambda d, w: d.search.mark_relevant(True),
        new_group=True,
        enabled=lambda d: d.search.takes_feedback,
        checked=lambda d: d.search.selected is not None and d.search.selected.case_id in d.search.feedback.liked,
    ),
    Command(
        "mark_not_relevant",
        "Mark hit as not relevant",
        ("Ctrl+U",),
        "Similar cases",
        lambda d, w: d.search.mark_relevant(False),
        enabled=lambda d: d.search.takes_feedback,
    ),
    Command(
        "clear_feedback",
        "Clear relevance feedback",
        ("Ctrl+Alt+U",),
        "Similar cases",
        lambda d, w: d.search.clear_feedback(),
        enabled=lambda d: bool(d.search.feedback),
    ),
    Command(
        "compare_hit",
        "Compare selected case with current image",
        ("Shift+E",),
        "Similar cases",
        _compare_hit,
        new_group=True,
        enabled=lambda d: d.search.selected is not None or d.comparison.viewport is not None,
        checked=lambda d: d.comparison.viewport is not None,
    ),
    Command(
        "open_original_study",
        "Open original study of compared case",
        ("Ctrl+Shift+U",),
        "Similar cases",
        lambda d, w: d.comparison.open_original(),
        enabled=lambda d: d.comparison.original is not None,
    ),
    Command(
        "hit_grid",
        "Hits as a grid",
        ("Ctrl+Alt+G",),
        "Similar cases",
        lambda d, w: w.search_panel.toggle_grid(),
        checked=lambda d: d.settings.now.hit_grid,
        enabled=lambda d: bool(d.search.hits),
    ),
    Command(
        "hit_map",
        "Hits as a map",
        ("Ctrl+Shift+S",),
        "Similar cases",
        lambda d, w: d.space.toggle(),
        checked=lambda d: d.space.visible,
        enabled=lambda d: bool(d.search.hits) or d.space.visible,
    ),
    Command(
        "next_hit",
        "Next hit",
        ("Alt+Down",),
        "Similar cases",
        lambda d, w: d.search.select_next(1),
        enabled=lambda d: bool(d.search.hits),
    ),
    Command(
        "previous_hit",
        "Previous hit",
        ("Alt+Up",),
        "Similar cases",
        lambda d, w: d.search.select_next(-1),
        enabled=lambda d: bool(d.search.hits),
    ),
    Command(
        "open_selected_case",
        "Open selected case",
        ("Ctrl+Shift+E",),
        "Similar cases",
        lambda d, w: w.search_panel.open_case(),
        enabled=lambda d: d.search.selected is not None,
    ),
    Command(
        "copy_case_text",
        "Copy text of selected case",
        ("Ctrl+Alt+C",),
        "Similar cases",
        lambda d, w: w.search_panel.detail.copy_text(),
        enabled=lambda d: bool(d.search.selected_case.copy_text()),
    ),
    Command(
        "insert_case_text",
        "Insert text into report",
        ("Ctrl+Shift+V",),
        "Similar cases",
        lambda d, w: d.inserting.take_over(w.search_panel.detail.text.selected_report()),
        enabled=lambda d: d.inserting.can_take_over(),
    ),
    Command(
        "delete_case",
        "Delete selected case…",
        (),
        "Similar cases",
        lambda d, w: d.deletion.ask(),
        new_group=True,
        enabled=lambda d: d.deletion.possible,
    ),
    Command(
        "delete_patient",
        "Delete all cases of its patient…",
        (),
        "Similar cases",
        lambda d, w: d.deletion.ask(whole_patient=True),
        enabled=lambda d: d.deletion.possible,
    ),
)
