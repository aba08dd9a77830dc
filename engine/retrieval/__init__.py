"""Finds archived cases by an image, by words, or by both."""
