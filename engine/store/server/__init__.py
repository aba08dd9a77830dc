"""An archive on a server: PostgreSQL with its full-text search, and pgvector."""
