"""Opens one connection to an SQLite file, writable or read-only, and says what went wrong with it. Knows no table.

Files may come from others, so a connection trusts nothing in them: nothing in the schema runs but harmless functions
(`trusted_schema`), cells are checked before they are used, and deleted rows are overwritten with zeros
(https://sqlite.org/security.html).
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlite_utils import Database

from engine.errors import DamagedError, UserError
from engine.store.encryption.key_file import Key
from engine.store.encryption.unlocked import key_of
from engine.store.safety.salvaged import MARKER

WAIT = 30.0
"""Seconds to wait for another process."""
PAGE_SIZE = 8192
"""Bytes of a page of a new file: rows of 1.1 KB, as of vectors, would leave a fifth of the usual 4096 empty."""
CAREFUL = ("trusted_schema = OFF", "cell_size_check = ON", "foreign_keys = ON")
WRITABLE = ("synchronous = NORMAL", "secure_delete = ON")
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_TOOBIG}
DAMAGE_WITHOUT_CODE = ("decode to UTF-8", "unsupported file format")
"""Words of errors that have the code of wrong SQL, or that Python finds: about a text, or the first page."""
DISK = {
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY),
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOLFS),
}


def is_read_only(path: Path) -> bool:
    """Whether a database cannot be changed, or not its folder, which SQLite needs for its own files, or shall not."""
    if not path.exists():  # asked first: another process may create it in this moment
        return False
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return not writable or (path.parent / MARKER).exists()


def state_of(path: Path) -> tuple[int, ...]:
    """Changes when another process changes a database."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, _unmerged(path)


def opened(name: Path | str, key: Key | None, *, wait: float = WAIT, uri: bool = False) -> sqlite3.Connection:
    """A connection as SQLite opens it, with a key or without; the library of ciphers is loaded for a key only."""
    if key is None:
        return sqlite3.connect(name, timeout=wait, isolation_level=None, check_same_thread=False, uri=uri)
    from engine.store.encryption import cipher

    return cipher.connect(str(name), key, timeout=wait, isolation_level=None, check_same_thread=False, uri=uri)


def connect(path: Path) -> Database:
    """A connection that may write; the file is created if it is missing, and readable by its owner only.

    Raises:
        LockedError: it is encrypted, and its passphrase was not given.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    key = key_of(path)
    connection = opened(path, key)
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        if key is None:  # else it has that of the cipher
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        _use_wal(connection)
        for pragma in (*CAREFUL, *WRITABLE):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return Database(connection)


def connect_read_only(path: Path, immutable: bool = True) -> Database:
    """A connection that changes nothing.

    SQLite leaves its own files beside a database in WAL mode even when it only reads. So a database that no process
    has open is declared immutable, unless the caller forbids it; the others need the files that the writing process has
    made.

    Raises:
        LockedError: it is encrypted, and its passphrase was not given.
    """
    form = "mode=ro&immutable=1" if immutable and not _unmerged(path) else "mode=ro"
    name = f"file:{quote(os.fsencode(path.absolute()))}?{form}"
    connection = opened(name, key_of(path), uri=True)
    for pragma in CAREFUL:
        connection.execute(f"PRAGMA {pragma}")
    return Database(connection)


def _unmerged(path: Path) -> int:
    """Bytes in the write-ahead log: changes that are not in the database file yet."""
    log = path.with_name(f"{path.name}-wal")
    try:
        return log.stat().st_size
    except OSError:
        return 0


def _use_wal(connection: sqlite3.Connection) -> None:
    """Change to WAL mode. SQLite waits for nobody there, so that of two that create a database one would fail."""
    end = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file into UserError; errors in our SQL keep their traceback."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{error.strerror}: {folder}; check the disk and its permissions.", folder) from error
    except UnicodeDecodeError as error:  # of a message of SQLite that cites what it could not read
        raise damaged(folder) from error
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extension of the code
        if code in DAMAGE or any(words in str(error) for words in DAMAGE_WITHOUT_CODE):
            raise damaged(folder) from error
        if code in DISK:
            raise UserError(f"{_problem(folder, str(error))}, then try again.", folder) from error
        raise


def damaged(folder: Path) -> DamagedError:
    """The error for a database whose content is not what was written."""
    return DamagedError(f"The database in {folder} is damaged; restore it from a backup.", folder)


def unchangeable(folder: Path) -> UserError:
    """The error for a change of a read-only database."""
    if (folder / MARKER).exists():
        return UserError(
            f"{folder} is read-only: it holds what could be read of a damaged archive; restore a backup, or delete "
            f"{MARKER} in it to use it as it is.",
            folder,
        )
    return UserError(
        f"{folder} is read-only: it can be searched but not changed; copy it to a folder that you can write to.",
        folder,
    )


def _problem(folder: Path, error: str) -> str:
    if "locked" in error:
        return f"The database in {folder} is locked by another program; close that program"
    if "full" in error:
        return f"The database in {folder} cannot be written since the disk is full; free some space"
    return f"The database in {folder} cannot be read or written ({error}); check the disk and its permissions"
