"""Decoding, caching, prefetching and rendering of frames for the screen."""
