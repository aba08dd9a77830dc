"""Exports the images of a study without its identifiers."""
