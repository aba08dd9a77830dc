"""The address of an archive on a PostgreSQL server, as a user types it. Connects to nothing.

Nothing of a report crosses a network unencrypted: off this computer, TLS with a checked certificate is required. A
password has no place in an address, which is kept in settings and shown on screens.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from engine.errors import UserError

SCHEMES = ("postgresql", "postgres")
PORT = 5432
ALLOWED = ("sslrootcert", "sslcert", "sslkey", "sslmode")
"""What an address may say besides."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the database is, and who asks."""

    host: str
    """A name or number, or the folder of a Unix socket."""
    port: int
    database: str
    user: str
    """"" for the name of this account."""
    options: tuple[tuple[str, str], ...] = ()
    """TLS: names and values of ALLOWED."""

    @property
    def name(self) -> str:
        """Of the database, for titles."""
        return self.database

    @property
    def is_local(self) -> bool:
        """Whether the server is on this computer, so that nothing crosses a network."""
        if self.host.startswith("/") or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        who = f"{quote(self.user, safe='')}@" if self.user else ""
        port = "" if self.port == PORT else str(self.port)
        query = dict(self.options)
        if self.host.startswith("/"):
            where, query = "", {"host": self.host, **({"port": port} if port else {}), **query}
        else:
            where = (f"[{self.host}]" if ":" in self.host else quote(self.host)) + (f":{port}" if port else "")
        options = "&".join(f"{name}={quote(value)}" for name, value in query.items())
        return f"postgresql://{who}{where}/{quote(self.database, safe='')}" + (f"?{options}" if options else "")


def is_address(where: object) -> bool:
    """Whether a text is meant as an address, not as a folder."""
    return isinstance(where, str) and where.split("://")[0].lower() in SCHEMES and "://" in where


def place_of(where: Path | str | Address) -> Path | Address:
    """A folder or an address, from what was typed. Raises UserError for an address that cannot be used."""
    if isinstance(where, Address | Path):
        return where
    return parse_address(where) if is_address(where) else Path(where)


def parse_address(text: str) -> Address:
    """An address as postgresql://USER@HOST:PORT/DATABASE, with TLS options.

    Raises:
        UserError: it is none, has a password, or would connect to another computer without TLS.
    """
    example = "write it as postgresql://USER@HOST/DATABASE"
    try:
        parts = urlsplit(text)
        port, query = (
            PORT if parts.port is None else parts.port,
            {name: values[-1] for name, values in parse_qs(parts.query).items()},
        )
        host = query.pop("host", "") or _host(parts)
        port = int(query.pop("port", port))
        if not 0 < port < 65536 or not unquote(text).isprintable() or not is_address(text):
            raise ValueError
        if "," in host:  # PostgreSQL takes it for several servers, of which the first may be here and others not
            raise ValueError
        has_password = parts.password is not None or "password" in query
    except ValueError:
        raise UserError(f"The address of the archive cannot be read; {example}.") from None
    if has_password:
        raise UserError(
            "A password does not belong in an address; leave it out, and type `kindred department login ADDRESS`, "
            "which keeps it in the keyring."
        )
    database = unquote(parts.path.strip("/"))
    if not host or not database or "/" in database:
        raise UserError(f"The address of the archive names no {'database' if host else 'server'}; {example}.")
    unknown = sorted(query.keys() - set(ALLOWED))
    if unknown:
        raise UserError(f"The address of the archive has an option that Kindred does not use: {unknown[0]}.")
    address = Address(host, port, database, unquote(parts.username or ""), tuple(sorted(query.items())))
    mode = query.get("sslmode", "verify-full")
    if not address.is_local and mode != "verify-full":
        raise UserError(f"The archive on {host} is reached with a checked certificate only; leave out sslmode={mode}.")
    return address


def _host(parts: SplitResult) -> str:
    """A name or number in lower case; the folder of a socket as it was typed."""
    typed = unquote(parts.netloc.rpartition("@")[2].partition(":")[0])
    return typed if typed.startswith("/") else unquote(parts.hostname or "")
