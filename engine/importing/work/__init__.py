"""Imports and re-indexing by several processes, on one computer or many, which share an archive on a server."""
