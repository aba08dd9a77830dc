"""Brings studies, image folders and reports into an archive, and re-indexes it with other models."""
