"""Builds gap-closed encoders and the captioner. Knows torch; never the archive's users or the desktop."""
