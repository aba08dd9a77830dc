"""The panel of similar cases and the window of one case."""
