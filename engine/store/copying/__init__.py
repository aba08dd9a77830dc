"""Copies an archive from one store into another: folder or server, with the same rows, ids and checksums."""
