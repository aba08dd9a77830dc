"""The panel "Similar cases" and the window of the selected case."""
