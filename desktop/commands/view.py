"""The menus "View" and "Help": what is written over the image, panels, windows, and what Kindred is."""

from desktop.commands.command import Command

ROWS = (
    Command(
        "identity",
        "Show the patient's identity",
        ("H",),
        "View",
        lambda d, w: d.layout.toggle_identity(),
        "identity",
        checked=lambda d: d.viewport.identity_visible,
    ),
    Command("show_studies", "Studies", ("Ctrl+1",), "View", lambda d, w: w.toggle_dock(w.studies_dock), new_group=True),
    Command("show_similar", "Similar cases", ("Ctrl+2",), "View", lambda d, w: w.toggle_dock(w.search_dock)),
    Command("show_report", "Report", ("Ctrl+3",), "View", lambda d, w: w.toggle_dock(w.report_dock)),
    Command("full_screen", "Full screen", ("F11",), "View", lambda d, w: w.toggle_full_screen(), new_group=True),
)

HELP_ROWS = (Command("about", "About Kindred", ("F1",), "Help", lambda d, w: w.dialogs.about()),)
