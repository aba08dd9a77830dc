"""Finds archived cases by an image, by text, or by both."""
