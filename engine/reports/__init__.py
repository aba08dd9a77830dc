"""Drafts with evidence, the report of the open study, and archiving of signed reports."""
