"""Reads DICOM files: bytes, headers, pixel codecs, and listings of folders."""
