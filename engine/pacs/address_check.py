"""Checks the address of a PACS: whether it is complete, and a connection would be private. Connects to nothing."""

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from engine.errors import UserError
from engine.pacs.address import Pacs, split_host

LONGEST_AE = 16
"""PS3.5 6.2, AE."""
LONGEST_NAME = 64


def is_loopback(host: str) -> bool:
    """Whether a host is this computer itself. Looks nothing up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked(pacs: Pacs) -> Pacs:
    """The same address, if it is complete and may be used.

    Raises:
        UserError: something is missing or wrong, or the connection would leave this computer without TLS.
    """
    if not pacs.name.strip() or len(pacs.name) > LONGEST_NAME or not pacs.name.isprintable():
        raise UserError(f"Give the PACS a name of at most {LONGEST_NAME} characters.")
    if bool(pacs.url) == bool(pacs.host):
        raise UserError("Give either the address of DICOMweb, or host, port and AE title of the PACS.")
    (_check_web if pacs.is_web else _check_dimse)(pacs)
    for path in filter(None, (pacs.ca_file, pacs.certificate, pacs.key)):
        if not Path(path).is_file():
            raise UserError(f"{path} does not exist; give the PEM file of the certificate or key.", path)
    if bool(pacs.certificate) != bool(pacs.key):
        raise UserError("A certificate and its private key belong together: give both files, or neither.")
    return pacs


def _check_web(pacs: Pacs) -> None:
    try:
        parts = urlsplit(pacs.url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment or not pacs.url.isprintable():
        raise UserError(f"{pacs.url} is not the address of DICOMweb; write it like https://pacs.example/dicom-web.")
    if parts.username is not None or parts.password is not None:
        raise UserError("An address contains no user and no password: give the user name beside it.")
    if pacs.receiver or pacs.tls or pacs.called:
        raise UserError("AE titles, a receiver and TLS are settings of DIMSE; DICOMweb has TLS by https.")
    _refuse_plain(pacs, parts.scheme == "http", host)


def _check_dimse(pacs: Pacs) -> None:
    if not 0 < pacs.port < 1 << 16:
        raise UserError(f"{pacs.port} is not a port; those of a PACS are often 104 or 11112.")
    for title in (pacs.called, pacs.calling):
        plain = title.isascii() and title.isprintable() and "\\" not in title
        if not title.strip() or len(title) > LONGEST_AE or not plain:
            raise UserError(f"“{title}” is not an AE title: 1 to {LONGEST_AE} letters and digits, as the PACS has it.")
    if pacs.user:
        raise UserError("DIMSE has no user names; the PACS knows this workstation by its AE title.")
    if pacs.receiver:
        own, _ = split_host(pacs.receiver)
        _refuse_plain(pacs, not pacs.tls, own)  # a PACS behind a tunnel on this computer sends to it from elsewhere
        if pacs.tls and not pacs.certificate:
            raise UserError("A receiver with TLS needs a certificate and its private key: give both files.")
    _refuse_plain(pacs, not pacs.tls, pacs.host)


def _refuse_plain(pacs: Pacs, plain: bool, host: str) -> None:
    if plain and not is_loopback(host) and not pacs.allow_plain:
        raise UserError(
            f"Without TLS, everybody on the network can read what goes to and comes from {host}: use https or TLS, or "
            "allow connections without TLS for this PACS."
        )
