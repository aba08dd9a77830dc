"""The address of a PACS: a DICOMweb service, or host, port and AE titles for DIMSE. Connects to nothing.

Passwords are no part of it: they are in the keyring of the account only (`passwords.py`).
"""

from dataclasses import asdict, dataclass

from engine.errors import UserError

CALLING = "KINDRED"
"""AE title of this workstation, unless the PACS knows it under another one."""


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
