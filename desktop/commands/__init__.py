"""The commands of the app, one row each, one file per menu; `desktop.actions` joins them into one table."""
