"""The open archive, the search in it, and the selected case."""
