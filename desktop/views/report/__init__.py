"""The report panel."""
