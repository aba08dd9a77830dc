"""Every command of the app, one row each, in one file a menu; `desktop.actions` joins them into the one table."""
