"""Encrypts the databases of a folder, or decrypts them. Knows no table and no screen.

A database is copied into a new file (SQLCipher's export), which is checked, flushed and takes its place by one rename:
after a kill it is as it was, or all new. The main database goes first when it is encrypted, and last when it is
decrypted: it says what the folder is, and `finish` makes the rest follow it. The key file is there before any encrypted
database is, and goes after the last one.
"""

import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from engine.errors import UserError
from engine.progress import Progress, ignore
from engine.store.backup.backup import backups_of
from engine.store.backup.copying import is_intact
from engine.store.backup.making import SPARE
from engine.store.backup.restore import ASIDE
from engine.store.backup.source import Source
from engine.store.encryption import system_keyring
from engine.store.encryption.derived_file import is_encrypted_file
from engine.store.encryption.key_file import FILE, Key, check_strength, new_key, write_key
from engine.store.encryption.unlocked import is_encrypted, key_of, look_again, remember, unlocked_key
from engine.store.folder.archive_scale import FILE as SCALE
from engine.store.folder.sources import FILE as SOURCES
from engine.store.folder.vectors.vector_index import FILE as INDEX
from engine.store.safety.connection import damaged, is_read_only, opened, readable, unchangeable
from engine.store.safety.whole_file import flush, is_left

OTHER_DATABASES = (SOURCES,)
"""Beside the main one."""
DERIVED = (INDEX, SCALE)
"""Files that rebuild themselves."""
PROGRESS_EVERY = 1_000
"""Instructions of SQLite between two reports; a row with an image takes about ten."""


def encrypt(source: Source, passphrase: str, progress: Progress = ignore) -> None:
    """Encrypt an archive or workspace, which no program may have open.

    Raises:
        UserError: it is encrypted already, in use, read-only or damaged, the passphrase is too short, or the disk is
            full; nothing was changed.
    """
    check_strength(passphrase)
    if is_encrypted(source.path):
        raise UserError(f"{source.folder} is encrypted already.", source.folder)
    _require_changeable(source)
    key = new_key()
    remember(key)
    try:
        _convert(source.path, None, key, progress, partial(write_key, source.folder, key, passphrase))
    except BaseException:
        if not is_encrypted(source.path):
            (source.folder / FILE).unlink(missing_ok=True)
        raise
    finish(source)


def decrypt(source: Source, progress: Progress = ignore) -> None:
    """Decrypt an archive or workspace, which no program may have open.

    Raises:
        UserError: it is not encrypted, locked, in use, read-only or damaged, or the disk is full.
    """
    key = key_of(source.path)
    if key is None:
        raise UserError(f"{source.folder} is not encrypted.", source.folder)
    _require_changeable(source)
    for path in _others(source):
        if is_encrypted(path):
            _convert(path, key, None, progress)
    _convert(source.path, key, None, progress)
    with readable(source.folder):
        _remove(path for path in _derived(source) if is_encrypted_file(path))
        _remove([source.folder / FILE])
    with suppress(UserError):  # it opens nothing any more but earlier backups
        system_keyring.drop(key.id)


def change_passphrase(folder: Path, passphrase: str) -> None:
    """Protect the key of a folder with another passphrase; its files stay as they are.

    Raises:
        UserError: the folder is locked, the passphrase is too short, or the key file cannot be written; or all is
            done but that the keyring refused the new passphrase.
    """
    check_strength(passphrase)
    key = unlocked_key(folder)
    write_key(folder, key, passphrase)
    if system_keyring.recall(key.id) is not None:
        try:
            system_keyring.keep(key.id, passphrase)
        except UserError as error:
            text = f"The passphrase of {folder} was changed, but not in the keyring. {error}"
            raise UserError(text, folder) from None


def plain_copies(source: Source) -> list[Path]:
    """Backups of an encrypted folder, and folders that a restore set aside, that are not encrypted."""
    beside = source.folder.resolve().parent.glob(f"{glob.escape(source.folder.resolve().name)}.{ASIDE}-*")
    aside = source.folder.glob(f"{ASIDE}-*") if source.kind == "workspace" else beside
    folders = [*(one.path for one in backups_of(source)), *sorted(aside)]
    return [one for one in folders if (one / source.database).is_file() and not is_encrypted(one / source.database)]


def finish(source: Source) -> None:
    """Make all of an encrypted folder encrypted, also after a kill; does nothing for a plain one.

    Raises:
        UserError: it is locked, or what is left cannot be encrypted.
    """
    if not is_encrypted(source.path) or is_read_only(source.path):
        return
    key = key_of(source.path)
    databases = (source.database, *OTHER_DATABASES)
    with readable(source.folder):
        _remove(path for path in source.folder.iterdir() if any(is_left(path, name) for name in databases))
        _remove(path for path in _derived(source) if not is_encrypted_file(path))
    for path in _others(source):
        if not is_encrypted(path):
            _convert(path, None, key, ignore)


def _others(source: Source) -> list[Path]:
    paths = [source.folder / name for name in OTHER_DATABASES]
    return [path for path in paths if path.exists() and path.stat().st_size]


def _derived(source: Source) -> list[Path]:
    return [path for name in DERIVED if (path := source.folder / name).exists()]


def _remove(paths: Iterable[Path]) -> None:
    for path in [*paths]:
        path.unlink(missing_ok=True)


def _require_changeable(source: Source) -> None:
    if not source.path.is_file():
        raise UserError(f"There is no {source.database} in {source.folder}; choose another folder.", source.folder)
    if is_read_only(source.path):
        raise unchangeable(source.folder)
    needed, free = source.path.stat().st_size + SPARE, shutil.disk_usage(source.folder).free
    if free < needed:
        raise UserError(
            f"This needs {needed >> 20:,} MB in {source.folder}, which has {free >> 20:,} MB left; free some space.",
            source.folder,
        )


def _convert(
    path: Path, key: Key | None, to: Key | None, progress: Progress, begun: Callable[[], None] = lambda: None
) -> None:
    """Give a database another key in place of its key; None is none. Call `begun` once nobody else can open it."""
    with readable(path.parent):
        descriptor, name = tempfile.mkstemp(".new", f"{path.name}.", path.parent)  # created with mode 0600
        os.close(descriptor)
        copy = Path(name)
        try:
            _export(path, key, copy, to, progress, begun)
            flush(copy)
            copy.replace(path)
            look_again()
            flush(path.parent)
        except BaseException:
            copy.unlink(missing_ok=True)
            raise


def _export(
    path: Path, key: Key | None, copy: Path, to: Key | None, progress: Progress, begun: Callable[[], None]
) -> None:
    """Copy a database into an empty file, and check the copy. No other program may have it open."""
    from engine.store.encryption import cipher

    def report() -> None:
        progress(copy.stat().st_size, path.stat().st_size, f"Copying {path.name}")

    with closing(opened(path, key, wait=1)) as db:  # not by another library, which would not see locks of this process
        db.execute("PRAGMA journal_mode = DELETE")  # only without other connections; the log is in the file then
    with closing(cipher.connect(str(path), key, timeout=1, isolation_level=None)) as db:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")  # until it is closed
        db.execute(f'ATTACH ? AS copy KEY "{cipher.literal(to)}"', [str(copy)])
        db.execute(f"PRAGMA copy.{'page_size' if to is None else 'cipher_page_size'} = {cipher.PAGE_SIZE}")
        db.execute("PRAGMA copy.journal_mode = OFF")
        db.execute("PRAGMA copy.synchronous = OFF")  # it is flushed before it counts
        db.execute("BEGIN EXCLUSIVE")
        begun()
        db.set_progress_handler(report, PROGRESS_EVERY)
        db.execute("SELECT sqlcipher_export('copy')").fetchall()
        tables = [
            row[0]
            for row in db.execute("SELECT name FROM main.sqlite_master WHERE rootpage AND type = 'table'").fetchall()
        ]
        for table in tables:
            counts = f'SELECT (SELECT count(*) FROM main."{table}"), (SELECT count(*) FROM copy."{table}")'
            before, after = db.execute(counts).fetchone()
            if before != after:
                raise damaged(path.parent)
        db.execute("COMMIT")
        db.execute("DETACH copy")
        look_again()
        if not is_intact(copy):
            raise damaged(path.parent)
