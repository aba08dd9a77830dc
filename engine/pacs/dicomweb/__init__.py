"""Asks a PACS by DICOMweb (PS3.18)."""
