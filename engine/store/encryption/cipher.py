"""Opens an encrypted SQLite file with SQLCipher (AES-256, each page with an HMAC). Knows no table and no passphrase.

Its library is a copy of Python's sqlite3 with another SQLite. Its errors are raised as those of sqlite3, so that the
callers need not know which of the two they use. Temporary tables stay in memory, where no file can keep them.
"""

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from sqlcipher3 import dbapi2

from engine.store.encryption.key_file import Key

PURPOSE = "database"
PAGE_SIZE = 8_192
"""Bytes of a page of every encrypted file; SQLCipher has to be told it before it can read one, so it never changes."""


def connect(name: str, key: Key | None, **options: Any) -> sqlite3.Connection:
    """A connection as sqlite3.connect(name, **options) gives it, to a file with this key; None for a plain one."""
    connection = dbapi2.connect(name, factory=_Connection, **options)
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")  # else it prints errors that are raised anyway
        if key is not None:
            connection.execute(f'PRAGMA key = "{literal(key)}"')
            connection.execute(f"PRAGMA cipher_page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        connection.close()
        raise
    return cast(sqlite3.Connection, connection)


def literal(key: Key | None) -> str:
    """A key as SQLCipher takes it: bytes, not a passphrase that it would stretch at each connection; "" is none."""
    return "" if key is None else f"x'{key.derived(PURPOSE).hex()}'"


def _as_sqlite3(method: Callable[..., Any]) -> Callable[..., Any]:
    """Raise the errors of the library as those of sqlite3, with their codes."""

    @wraps(method)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return method(*arguments, **options)
        except dbapi2.Error as error:
            same = getattr(sqlite3, type(error).__name__)(*error.args)
            same.sqlite_errorcode = getattr(error, "sqlite_errorcode", 0)
            same.sqlite_errorname = getattr(error, "sqlite_errorname", "")
            raise same from error

    return call


class _Cursor(dbapi2.Cursor):  # type: ignore[misc]
    execute = _as_sqlite3(dbapi2.Cursor.execute)
    executemany = _as_sqlite3(dbapi2.Cursor.executemany)
    executescript = _as_sqlite3(dbapi2.Cursor.executescript)
    fetchone = _as_sqlite3(dbapi2.Cursor.fetchone)
    fetchmany = _as_sqlite3(dbapi2.Cursor.fetchmany)
    fetchall = _as_sqlite3(dbapi2.Cursor.fetchall)
    __next__ = _as_sqlite3(dbapi2.Cursor.__next__)


class _Connection(dbapi2.Connection):  # type: ignore[misc]
    backup = _as_sqlite3(dbapi2.Connection.backup)
    commit = _as_sqlite3(dbapi2.Connection.commit)
    rollback = _as_sqlite3(dbapi2.Connection.rollback)

    @_as_sqlite3
    def cursor(self, factory: type = _Cursor) -> Any:
        return super().cursor(factory)

    def execute(self, *arguments: Any) -> Any:
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        return self.cursor().executemany(*arguments)

    def executescript(self, script: str) -> Any:
        return self.cursor().executescript(script)
