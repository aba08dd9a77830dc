"""Finds the file of the authorities that are trusted: those of the computer, or the one that was given for a PACS."""

import os
import ssl
from pathlib import Path

from engine.pacs.address import Pacs

OF_SYSTEMS = (
    *("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"),
    *("/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"),
)
"""Where Debian, Red Hat, SUSE and macOS keep the authorities that they trust. Hospitals add their own there."""


def authorities(pacs: Pacs) -> str | None:
    """The PEM file for a PACS; None where the computer has none, as on Windows.

    The OpenSSL of a packed app looks where the computer that packed it keeps them, and requests brings a list along.
    """
    if pacs.ca_file:
        return pacs.ca_file
    named = [os.environ.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile, *OF_SYSTEMS]
    return next((path for path in named if path and Path(path).is_file()), None)
