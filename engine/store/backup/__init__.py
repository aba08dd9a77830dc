"""Backups of an archive and of the workspace: made, kept, dropped and restored."""
