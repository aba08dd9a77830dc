"""Frames decoded, cached, prefetched and rendered for the screen."""
