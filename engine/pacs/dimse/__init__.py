"""Asks a PACS by DIMSE (PS3.7), and receives what it sends by request."""
