"""DICOM over the network: finds and retrieves studies of a PACS whose address the user gave. Sends no image."""
