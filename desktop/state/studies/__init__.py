"""Which studies are open, and the rows of the study browser."""
