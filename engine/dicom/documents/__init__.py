"""DICOM objects of a study that are no images: structured reports, PDF, presentation states, segmentations."""
