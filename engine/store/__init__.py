"""The parts of an archive: database and tables, keyed hashes, stored images, full-text and vector index."""
