"""Trains the projections of a bundle further on the reports of an archive, and keeps what is better."""
