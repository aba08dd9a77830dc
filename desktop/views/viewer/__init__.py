"""Viewports and their windows: measurements, DICOM tags, window presets, export and the detached viewer."""
