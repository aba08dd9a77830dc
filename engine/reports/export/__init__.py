"""Writes the report of a study as a file: text, HTML, DICOM, FHIR, HL7. Nothing is sent anywhere."""
