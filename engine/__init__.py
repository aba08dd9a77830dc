"""DICOM reading, inference, archive, search and draft. Knows neither Qt nor torch."""
