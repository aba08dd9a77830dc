"""Paths of shipped files, of the user's data, and of what the computer trusts. Does not know their content.

Works in a checkout, an installed wheel and a frozen app.
"""

import os
import ssl
import sys
from pathlib import Path

import platformdirs

HOME = "KINDRED_HOME"
AUTHORITIES = (
    *("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"),
    *("/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"),
)
"""Where Debian, Red Hat, SUSE and macOS keep the authorities that they trust. Hospitals add their own there."""
CHECKOUT = Path(__file__).resolve().parent.parent


def resource_path(*parts: str) -> Path:
    """The path of a file below resources/, whether or not it exists."""
    return (_frozen() or CHECKOUT).joinpath("resources", *parts)


def guide_page() -> Path:
    """The first page of the guides, whether or not they are built."""
    frozen = _frozen()
    return (frozen / "guide" if frozen else CHECKOUT / "build" / "guide") / "index.html"


def user_folder() -> Path:
    """The folder of the user's own data: $KINDRED_HOME, else the platform's data folder."""
    return Path(os.environ.get(HOME) or platformdirs.user_data_path("kindred", appauthor=False))


def trusted_authorities() -> str | None:
    """The file of the authorities that this computer trusts (PEM); None where it has none, as on Windows.

    A packed app, and a library that brings its own OpenSSL, look where the computer that packed them keeps theirs.
    """
    named = [os.environ.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile, *AUTHORITIES]
    return next((path for path in named if path and Path(path).is_file()), None)


def _frozen() -> Path | None:
    """Where a frozen app keeps its files."""
    frozen: str | None = getattr(sys, "_MEIPASS", None)
    return Path(frozen) if frozen else None
