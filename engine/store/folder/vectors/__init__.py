"""The nearest-neighbor index of an archive: derived from its database and kept in a file."""
