"""Connects to a PostgreSQL server, and says what went wrong with it. Knows no table.

Off this computer, TLS with a checked certificate is required (address.py). A password comes from the keyring of the
operating system, or from where PostgreSQL's own programs look (~/.pgpass, PGPASSWORD); it is in no message and no log.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.types import TypeInfo

from engine.errors import DamagedError, UnreachableError, UserError
from engine.resources import trusted_authorities
from engine.store.address import Address
from engine.store.server.passwords import password_of
from engine.store.server.silence import WatchedConnection
from engine.store.shared_sql import StoredVector

SCHEMA = "kindred"
"""Of all tables; others in the same database are left alone."""
WAIT = 10
"""Seconds to wait for the server to answer at all."""
BUSY = 30
"""Seconds to wait for other writers."""
LOST = 20
"""Seconds after which a server that confirms nothing counts as lost."""
SESSION = {
    "search_path": f"{SCHEMA},public",
    "jit": "off",  # compiling takes longer than most of our questions
    "lock_timeout": f"{BUSY}s",
    # A desk that loses its power in a write keeps all others from writing until the server ends its transaction.
    "idle_in_transaction_session_timeout": "2min",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "client_connection_check_interval": "10s",
}
ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 1000 * LOST}
ELSEWHERE = ("PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE")
"""Variables of libpq by which another server than that of the address would be asked."""
REFUSED = ("password", "authentication", "no pg_hba.conf entry", "role", "permission denied for database")
"""What a server says, in English, that does not let an account in."""
FULL = (errors.DiskFull, errors.OutOfMemory)
DAMAGED = (errors.DataCorrupted, errors.IndexCorrupted)


class NoFreeConnectionError(UnreachableError):
    """The server answers, but has no connection left."""


def connect(address: Address) -> WatchedConnection:
    """A connection that commits each statement by itself.

    Raises:
        UserError: the server cannot be reached, or does not let this account in; or the environment names another.
    """
    connection = _connected(address)
    connection.answers = lambda: _answers(address)
    try:
        with reachable(address):
            _teach_vectors(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _connected(address: Address) -> WatchedConnection:
    for name in ELSEWHERE:
        if address.is_local and os.environ.get(name):  # elsewhere, the certificate has to fit the address
            raise UserError(f"The environment variable {name} would send the archive elsewhere; unset it.")
    options: dict[str, Any] = {**ALIVE, **dict(address.options)}
    if not address.is_local:  # whatever the environment says; GSSAPI would take the place of TLS
        trusted = {"sslrootcert": trusted_authorities() or "system", **options}
        options = {**trusted, "sslmode": "verify-full", "gssencmode": "disable"}
    try:
        return WatchedConnection.connect(
            host=address.host,
            port=address.port,
            dbname=address.database,
            user=address.user or None,
            password=password_of(address),
            autocommit=True,
            connect_timeout=WAIT,
            application_name="kindred",
            client_encoding="utf8",
            options=" ".join(f"-c {name}={value}" for name, value in SESSION.items()),
            **options,
        )
    except psycopg.OperationalError as error:
        raise _not_connected(address, error) from None  # the message of the library names user and host again
    except ValueError:  # a name that no server can have, such as one whose parts are longer than 63 letters
        raise unreachable(address) from None


def _answers(address: Address) -> bool:
    """Whether the server answers somebody, if only to refuse."""
    try:
        _connected(address).close()
    except UnreachableError as error:
        return isinstance(error, NoFreeConnectionError)
    except UserError:
        return True
    return True


@contextmanager
def reachable(address: Address) -> Iterator[None]:
    """Turn errors about the server into UserError; errors in our SQL keep their traceback.

    Raises:
        UnreachableError: the server went away; what was not committed is not there.
        UserError: the account may not do that, the disk of the server is full, or others write for long.
    """
    try:
        yield
    except (errors.LockNotAvailable, errors.DeadlockDetected):
        raise UserError(f"Others are writing to the archive {address} for long; try again later.") from None
    except errors.InsufficientPrivilege:
        raise UserError(
            f"Your account may not do this in the archive {address}; ask its administrator for the right."
        ) from None
    except errors.ReadOnlySqlTransaction:
        raise UserError(f"The server of the archive {address} is read-only at present; try again later.") from None
    except errors.QueryCanceled:
        raise UserError(
            f"The archive {address} took too long to answer; search with fewer words or more filters, or ask its "
            "administrator."
        ) from None
    except errors.ProgramLimitExceeded:
        raise UserError(f"A text is longer than the archive {address} can take; shorten it.") from None
    except FULL:
        raise UserError(
            f"The server of the archive {address} has no space left; tell its administrator, then try again."
        ) from None
    except DAMAGED as error:
        raise damaged(address) from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise unreachable(address) from error


def unreachable(address: Address) -> UnreachableError:
    """The error for a server that does not answer."""
    return UnreachableError(f"The archive {address} cannot be reached; check the network, or ask its administrator.")


def damaged(address: Address) -> DamagedError:
    """The error for a database whose content is not what was written."""
    return DamagedError(f"The archive {address} is damaged; its administrator can restore it from a backup.")


def unchangeable(address: Address) -> UserError:
    """The error for a change by an account that may only read."""
    return UserError(
        f"Your account may search the archive {address} but not change it; ask its administrator for the role of a "
        "writer."
    )


def _not_connected(address: Address, error: psycopg.OperationalError) -> UserError:
    said = str(error).lower()
    for place in ('at "{}"', 'socket "{}/', "host '{}'", "host: '{}'"):  # its name may have any of the words below
        said = said.replace(place.format(address.host.lower()), "")
    if "too many" in said or "connection slots" in said:
        return NoFreeConnectionError(f"The server of the archive {address} has no free connection; try again later.")
    if any(word in said for word in REFUSED):
        return UserError(
            f"The server of the archive {address} does not let this account in; check the user name and the password, "
            "which `kindred department login` keeps, or ask its administrator."
        )
    if "syscall" in said or "closed unexpectedly" in said:  # as when it is restarted meanwhile
        return unreachable(address)
    if "invalid response" in said:
        return UserError(f"What answers at {address} is no PostgreSQL server; check the address and its port.")
    if "certificate" in said or "ssl" in said:
        return UserError(
            f"The server of the archive {address} has no certificate that this computer trusts; ask its administrator "
            "for the file, and add ?sslrootcert=FILE to the address."
        )
    if f'database "{address.database.lower()}" does not exist' in said:
        return UserError(f"There is no database {address.database} on the server; ask its administrator to create it.")
    return unreachable(address)


def _teach_vectors(connection: psycopg.Connection[Any]) -> None:
    """Send and receive `halfvec` as float16, as pgvector's binary format has it: two int16 and big-endian numbers."""
    info = TypeInfo.fetch(connection, "halfvec")
    if info is None:  # pgvector is not installed in this database yet
        return
    info.register(connection)
    number = info.oid

    class VectorDumper(Dumper):
        format = pq.Format.BINARY
        oid = number

        def dump(self, obj: StoredVector) -> bytes:
            return struct.pack(">hh", len(obj) // 2, 0) + _swapped(obj)

    class VectorLoader(Loader):
        format = pq.Format.BINARY

        def load(self, data: Buffer) -> StoredVector:
            return StoredVector(_swapped(bytes(data)[4:]))

    connection.adapters.register_dumper(StoredVector, VectorDumper)
    connection.adapters.register_loader(number, VectorLoader)


def _swapped(numbers: bytes) -> bytes:
    """Two-byte numbers in the other order of bytes."""
    swapped = bytearray(len(numbers))
    swapped[::2], swapped[1::2] = numbers[1::2], numbers[::2]
    return bytes(swapped)
