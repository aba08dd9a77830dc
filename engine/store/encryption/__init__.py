"""Encryption at rest: the key file, the keys in use, encrypted databases and derived files, and converting between."""
