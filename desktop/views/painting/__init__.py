"""Paints images, overlays, measurements and text with QPainter."""
