"""Drafts with their evidence, the report of the open study, and signed reports on their way into the archive."""
