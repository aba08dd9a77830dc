"""Reads DICOM files: bytes, headers, pixel codecs, and listings of folders."""

from engine.dicom.coding.character_sets import install

install()
