"""The address of a PACS: a DICOMweb service, or host, port and AE titles for DIMSE. Connects to nothing.

Passwords are no part of it: they are in the keyring of the account only (`passwords.py`).
"""

import ipaddress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from engine.errors import UserError

CALLING = "KINDRED"
"""AE title of this workstation, unless the PACS knows it under another one."""
LONGEST_AE = 16
"""PS3.5 6.2, AE."""
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Pacs:
    """Where a PACS is and how it is asked. Either `url` is set (DICOMweb), or `host`, `port` and `called` (DIMSE)."""

    name: str
    """What the user calls it."""
    url: str = ""
    """Base address of DICOMweb, such as https://pacs.example/dicom-web."""
    user: str = ""
    """User name for DICOMweb (HTTP Basic)."""
    host: str = ""
    port: int = 0
    called: str = ""
    """AE title of the PACS."""
    calling: str = CALLING
    """AE title of this workstation, as the PACS knows it."""
    receiver: str = ""
    """Address and port on which this workstation receives a C-MOVE, such as 10.0.0.7:11112; "" for C-GET."""
    tls: bool = False
    """Whether DIMSE uses TLS; DICOMweb does with https."""
    ca_file: str = ""
    """PEM file of the authority that signed the certificate of the PACS; "" for the public ones."""
    certificate: str = ""
    """PEM file with the certificate of this workstation, for a PACS that asks for one and for a receiver with TLS."""
    key: str = ""
    """PEM file with the private key of `certificate`."""
    allow_plain: bool = False
    """Whether a connection without TLS may leave this computer."""

    @property
    def is_web(self) -> bool:
        """Whether it is asked by DICOMweb."""
        return bool(self.url)

    @property
    def where(self) -> str:
        """The address for messages and lists."""
        return self.url or f"{self.called} at {self.host}:{self.port}"

    @property
    def way(self) -> str:
        """How studies are retrieved."""
        return "DICOMweb" if self.is_web else "C-MOVE" if self.receiver else "C-GET"

    @property
    def receiver_address(self) -> tuple[str, int]:
        """Address and port of the receiver."""
        return split_host(self.receiver)

    def as_dict(self) -> dict[str, object]:
        """For JSON: what differs from the defaults."""
        default = asdict(Pacs(""))
        return {name: value for name, value in asdict(self).items() if value != default[name]}


def split_host(text: str) -> tuple[str, int]:
    """Host and port of HOST:PORT, where an IPv6 address stands in brackets.

    Raises:
        UserError: there is no port, or it is no port number.
    """
    host, colon, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise UserError(f"{text} is not an address and a port; write it like 10.0.0.7:11112.")
    return host, int(port)


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
        split_host(pacs.receiver)
        if pacs.tls and not pacs.certificate:
            raise UserError("A receiver with TLS needs a certificate and its private key: give both files.")
    _refuse_plain(pacs, not pacs.tls, pacs.host)


def _refuse_plain(pacs: Pacs, plain: bool, host: str) -> None:
    if plain and not is_loopback(host) and not pacs.allow_plain:
        raise UserError(
            f"Without TLS, everybody on the network can read what goes to and comes from {host}: use https or TLS, or "
            "allow connections without TLS for this PACS."
        )
