"""What the caption decoder learns from, and how its captions are scored."""
