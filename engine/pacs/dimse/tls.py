"""The TLS contexts of DIMSE (PS3.15 B): the certificate of the other side is verified, always."""

import ssl

from engine.errors import UserError
from engine.pacs.address import Pacs
from engine.resources import trusted_authorities


def client_context(pacs: Pacs) -> ssl.SSLContext:
    """For an association that Kindred requests: certificate and host name of the PACS are verified.

    Raises:
        UserError: a file of the certificates cannot be used.
    """
    return _context(pacs, ssl.Purpose.SERVER_AUTH)


def server_context(pacs: Pacs) -> ssl.SSLContext:
    """For the receiver: a PACS whose authority is known must show its own certificate.

    Raises:
        UserError: a file of the certificates cannot be used.
    """
    context = _context(pacs, ssl.Purpose.CLIENT_AUTH)
    if pacs.ca_file:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _context(pacs: Pacs, purpose: ssl.Purpose) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(purpose, cafile=pacs.ca_file or trusted_authorities())
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if pacs.certificate:
            context.load_cert_chain(pacs.certificate, pacs.key, password=_no_passphrase)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise UserError(
            f"The certificate files of {pacs.name} cannot be used ({error}); give PEM files, and a key without a "
            "passphrase."
        ) from None
    return context


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase")
