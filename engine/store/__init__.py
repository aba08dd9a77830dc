"""The parts an archive is made of: database, identity, thumbnails, vector index."""
