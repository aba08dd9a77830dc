"""The open studies, and the rows of the study browser."""
