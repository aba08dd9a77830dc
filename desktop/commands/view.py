"""Commands of the View and Help menus: layout, overlays, panels, windows and help."""

from desktop.commands.command import Command, has_picture
from desktop.desk import Desk
from desktop.state.studies.study_list import ORDERS
from desktop.views.window import MainWindow

GRIDS = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (2, 3), (3, 3), (3, 1), (3, 2))
"""Rows and columns of the layouts on Alt+1 to Alt+9."""


def _grid(number: int, rows: int, columns: int) -> Command:
    return Command(
        f"grid_{rows}x{columns}",
        f"{rows} × {columns}",
        (f"Alt+{number}",),
        "View",
        lambda d, w: d.set_grid(rows, columns),
        checked=lambda d: (d.layout.rows, d.layout.columns) == (rows, columns),
        submenu="Layout",
    )


def _step(name: str, text: str, key: str, step: int) -> Command:
    return Command(
        name,
        text,
        (key,),
        "View",
        lambda d, w: w.go_to_viewport(step),
        in_viewport=True,
        enabled=_has_several_viewports,
    )


def _scroll_alone(name: str, text: str, key: str, step: int) -> Command:
    return Command(
        name,
        text,
        (key,),
        "View",
        lambda d, w: d.links.scroll_alone(d.viewport, step),
        in_viewport=True,
        enabled=has_picture,
    )


def _sort(order: str, text: str) -> Command:
    return Command(
        f"sort_by_{order}",
        text,
        (),
        "View",
        lambda d, w: d.study_list.sort(order),
        checked=lambda d: d.study_list.order == order,
        submenu="Sort studies",
    )


def _search_studies(desk: Desk, window: MainWindow) -> None:
    window.show_dock(window.studies_dock)
    window.series_list.search.focus_text()


def _has_several_viewports(desk: Desk) -> bool:
    return len(desk.layout.viewports) > 1


ROWS = (
    *(_grid(number, *size) for number, size in enumerate(GRIDS, 1)),
    Command(
        "maximize_viewport",
        "Maximize viewport",
        ("X",),
        "View",
        lambda d, w: d.layout.toggle_maximized(),
        checked=lambda d: d.layout.maximized,
        enabled=_has_several_viewports,
        new_group=True,
    ),
    _step("next_viewport", "Next viewport", "Ctrl+Right", 1),
    _step("previous_viewport", "Previous viewport", "Ctrl+Left", -1),
    Command("go_to_image", "Go to image", ("F6",), "View", lambda d, w: w.focus_image()),
    Command(
        "go_to_message",
        "Go to message",
        ("F7",),
        "View",
        lambda d, w: w.message_bar.focus_action(),
        enabled=lambda d: d.messages.message is not None,
    ),
    Command(
        "compare_with_series",
        "Compare with another series…",
        ("Shift+C",),
        "View",
        lambda d, w: w.choose_comparison(),
        new_group=True,
        enabled=lambda d: d.viewport.series is not None and sum(len(study.series) for study in d.studies.studies) > 1,
    ),
    Command(
        "compare_with_prior",
        "Compare with prior",
        ("Shift+V",),
        "View",
        lambda d, w: d.prior.start(),
        enabled=lambda d: d.prior.possible,
    ),
    Command(
        "link_viewports",
        "Link viewports",
        ("Y",),
        "View",
        lambda d, w: d.links.toggle(),
        "link",
        checked=lambda d: d.links.linked,
    ),
    _scroll_alone("scroll_alone_forward", "Next image without linked viewports", "Shift+PgDown", 1),
    _scroll_alone("scroll_alone_back", "Previous image without linked viewports", "Shift+PgUp", -1),
    Command(
        "reference_lines",
        "Reference lines",
        ("L",),
        "View",
        lambda d, w: d.links.toggle_reference_lines(),
        checked=lambda d: d.links.reference_lines_visible,
    ),
    Command(
        "overlay_text",
        "Overlay text",
        ("Space",),
        "View",
        lambda d, w: d.layout.toggle_overlay_text(),
        in_viewport=True,
        checked=lambda d: d.viewport.overlay_text_visible,
        new_group=True,
    ),
    Command(
        "hide_patient_data",
        "Hide patient data",
        ("H",),
        "View",
        lambda d, w: d.layout.toggle_patient_data(),
        "identity",
        checked=lambda d: not d.viewport.patient_data_visible,
    ),
    Command("show_studies", "Studies", ("Ctrl+1",), "View", lambda d, w: w.toggle_dock(w.studies_dock), new_group=True),
    Command(
        "search_studies",
        "Search open studies",
        ("Ctrl+Shift+F",),
        "View",
        _search_studies,
        enabled=lambda d: bool(d.studies.studies or d.studies.documents),
    ),
    *(_sort(order, f"By {text[0].lower()}{text[1:]}") for order, text in ORDERS.items()),
    Command("show_similar", "Similar cases", ("Ctrl+2",), "View", lambda d, w: w.toggle_dock(w.search_dock)),
    Command("show_report", "Report", ("Ctrl+3",), "View", lambda d, w: w.toggle_dock(w.report_dock)),
    Command(
        "detach_viewer",
        "Detach viewer",
        ("F12",),
        "View",
        lambda d, w: w.set_detached(not w.detached),
        checked=lambda d: d.settings.now.detached,
        new_group=True,
    ),
    Command(
        "light_theme",
        "Light theme",
        ("Ctrl+Shift+T",),
        "View",
        lambda d, w: d.settings.change(theme="dark" if d.settings.now.theme == "light" else "light"),
        checked=lambda d: d.settings.now.theme == "light",
    ),
    Command("image_cache", "Image cache size…", ("Ctrl+Alt+M",), "View", lambda d, w: w.dialogs.set_cache_size()),
    Command("menu_bar", "Go to menu bar", ("F10",), "View", lambda d, w: w.focus_menu_bar()),
    Command("full_screen", "Full screen", ("F11",), "View", lambda d, w: w.toggle_full_screen()),
)

HELP_ROWS = (
    Command("user_guide", "User guide", ("F1",), "Help", lambda d, w: w.dialogs.show_guide()),
    Command(
        "command_palette",
        "Command palette…",
        ("Ctrl+K",),
        "Help",
        lambda d, w: w.palette_requested.emit(),
        new_group=True,
    ),
    Command(
        "keyboard_shortcuts", "Keyboard shortcuts…", ("Shift+F1",), "Help", lambda d, w: w.shortcuts_requested.emit()
    ),
    Command(
        "first_steps",
        "First steps",
        ("Ctrl+F1",),
        "Help",
        lambda d, w: d.first_steps.skip() if d.first_steps.visible else d.first_steps.show(),
        checked=lambda d: d.first_steps.visible,
    ),
    Command("about", "About Kindred", ("Ctrl+Shift+F1",), "Help", lambda d, w: w.dialogs.about(), new_group=True),
)
