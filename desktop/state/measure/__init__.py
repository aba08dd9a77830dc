"""Measurements on the open studies."""
