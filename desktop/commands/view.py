"""The menus "View" and "Help": what is written over the image, panels, windows, and what Kindred is."""

from desktop.commands.command import Command

GRIDS = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (2, 3), (3, 3), (3, 1), (3, 2))
"""Rows and columns, by their keys; the first ones as the number keys count viewports."""


def _grid(number: int, rows: int, columns: int) -> Command:
    words = "One image" if rows * columns == 1 else f"{rows} × {columns} images"
    return Command(
        f"grid_{rows}x{columns}",
        words,
        (f"Alt+{number}",),
        "View",
        lambda d, w: d.set_grid(rows, columns),
        checked=lambda d: (d.layout.rows, d.layout.columns) == (rows, columns),
        submenu="Layout",
    )


ROWS = (
    *(_grid(number, *size) for number, size in enumerate(GRIDS, 1)),
    Command(
        "maximise",
        "This image alone",
        ("X",),
        "View",
        lambda d, w: d.layout.toggle_maximised(),
        checked=lambda d: d.layout.maximised,
        enabled=lambda d: len(d.layout.viewports) > 1,
        new_group=True,
    ),
    Command(
        "next_viewport",
        "Next viewport",
        ("Ctrl+Right",),
        "View",
        lambda d, w: w.go_to_viewport(1),
        in_viewport=True,
        enabled=lambda d: len(d.layout.viewports) > 1,
    ),
    Command(
        "previous_viewport",
        "Previous viewport",
        ("Ctrl+Left",),
        "View",
        lambda d, w: w.go_to_viewport(-1),
        in_viewport=True,
        enabled=lambda d: len(d.layout.viewports) > 1,
    ),
    Command(
        "compare",
        "Compare with another series…",
        ("Shift+C",),
        "View",
        lambda d, w: w.choose_comparison(),
        new_group=True,
        enabled=lambda d: d.viewport.series is not None and sum(len(study.series) for study in d.studies.studies) > 1,
    ),
    Command(
        "link",
        "Link the viewports",
        ("Y",),
        "View",
        lambda d, w: d.links.toggle(),
        "link",
        checked=lambda d: d.links.linked,
    ),
    Command(
        "reference_lines",
        "Show where the active image cuts the others",
        ("L",),
        "View",
        lambda d, w: d.links.toggle_reference_lines(),
        checked=lambda d: d.links.reference_lines_visible,
    ),
    Command(
        "texts",
        "Show the texts in the corners",
        ("Space",),
        "View",
        lambda d, w: d.layout.toggle_overlay_text(),
        in_viewport=True,
        checked=lambda d: d.viewport.overlay_text_visible,
        new_group=True,
    ),
    Command(
        "identity",
        "Show the patient's identity",
        ("H",),
        "View",
        lambda d, w: d.layout.toggle_patient_data(),
        "identity",
        checked=lambda d: d.viewport.patient_data_visible,
    ),
    Command("show_studies", "Studies", ("Ctrl+1",), "View", lambda d, w: w.toggle_dock(w.studies_dock), new_group=True),
    Command("show_similar", "Similar cases", ("Ctrl+2",), "View", lambda d, w: w.toggle_dock(w.search_dock)),
    Command("show_report", "Report", ("Ctrl+3",), "View", lambda d, w: w.toggle_dock(w.report_dock)),
    Command(
        "detach",
        "Images in a window of their own",
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
    Command("image_memory", "Memory for images…", ("Ctrl+Alt+M",), "View", lambda d, w: w.dialogs.image_memory()),
    Command("full_screen", "Full screen", ("F11",), "View", lambda d, w: w.toggle_full_screen()),
)

HELP_ROWS = (
    Command("palette", "Find a command…", ("Ctrl+K",), "Help", lambda d, w: w.palette_wanted.emit()),
    Command("shortcuts", "Keyboard shortcuts…", ("Shift+F1",), "Help", lambda d, w: w.shortcuts_wanted.emit()),
    Command("about", "About Kindred", ("F1",), "Help", lambda d, w: w.dialogs.about(), new_group=True),
)
