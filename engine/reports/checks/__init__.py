"""Checks of a report before it is signed: pure functions of its text, its marks and what is known of the study."""
