"""An archive in a folder: SQLite with FTS5, and faiss."""
