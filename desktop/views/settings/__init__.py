"""The settings dialog: every setting of the app on pages, and the keys of the commands."""
