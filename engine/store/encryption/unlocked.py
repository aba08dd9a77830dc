"""The keys that this process has unlocked, and which files need one. Asks nobody itself; knows no passphrase.

A folder is encrypted when one of its databases is, which its first bytes say: the key file may be there before, or
after. They are read once for each file: closing a file drops the locks that SQLite has on it in this process
(https://sqlite.org/howtocorrupt.html, section 2.2). Keys stay in memory until the process ends, since backups and jobs
that still run need them.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from engine.errors import LockedError, UserError
from engine.store.encryption import system_keyring
from engine.store.encryption.key_file import FILE, Key, WrongPassphraseError, read_id, unwrap

VARIABLE = "KINDRED_PASSPHRASE_FILE"
"""Variable of the environment: a file, or the path of a descriptor, with the passphrase."""
PLAIN = b"SQLite format 3\0"

_keys: dict[str, Key] = {}
_forms: dict[tuple[int, int, str], tuple[Path, bool]] = {}
"""Where a file was, by its device and number, and whether it is encrypted, beside a key file with this id."""
_lock = threading.RLock()
_ask: list[Callable[[Path], None]] = []


def ask_with(ask: Callable[[Path], None]) -> None:
    """Let this function ask for the passphrase of a folder and `unlock` it, as the command line does."""
    _ask[:] = [ask]


def remember(key: Key) -> None:
    """Use this key from now on."""
    _keys[key.id] = key


def unlock(folder: Path, passphrase: str) -> None:
    """Unlock what is encrypted with the key of a folder.

    Raises:
        WrongPassphraseError: it is another passphrase.
        UserError: the key file is missing or damaged.
    """
    remember(unwrap(folder, passphrase))


def is_unlocked(folder: Path) -> bool:
    """Whether the key of an encrypted folder is known. UserError: the key file is damaged."""
    return read_id(folder) in _keys


def is_encrypted(path: Path) -> bool:
    """Whether a database is encrypted; one that does not exist yet, or is empty, will be as another one in its folder.

    Raises:
        UserError: the key file is damaged.
    """
    if not (path.parent / FILE).exists():
        return False
    key_id, file = read_id(path.parent), _status(path)
    if file is None:
        return is_folder_encrypted(path.parent)
    form = file.st_dev, file.st_ino, key_id
    known = _forms.get(form)
    if known is None:
        known = path, _start(path) != PLAIN if file.st_size else is_folder_encrypted(path.parent)
        _forms[form] = known
    return known[1]


def look_again() -> None:
    """Forget the files that are gone or replaced: another one may get the number of one of these.

    The others may be open, and are not read again.
    """
    for form, (path, _) in [*_forms.items()]:
        file = _status(path)
        if file is None or form[:2] != (file.st_dev, file.st_ino):
            _forms.pop(form, None)


def is_folder_encrypted(folder: Path) -> bool:
    """Whether a database in a folder is encrypted. UserError: the key file is damaged."""
    if not (folder / FILE).exists():
        return False
    files = [path for path in folder.glob("*.db") if (status := _status(path)) is not None and status.st_size]
    return any(is_encrypted(path) for path in files)


def key_of(path: Path) -> Key | None:
    """The key of a database; None for a plain one.

    Raises:
        LockedError: its passphrase was not given.
        UserError: its key file is damaged, or the passphrase in VARIABLE is wrong.
    """
    return unlocked_key(path.parent) if is_encrypted(path) else None


def key_of_folder(folder: Path) -> Key | None:
    """The key of the derived files in a folder; None for plain ones. Raises as `key_of`."""
    return unlocked_key(folder) if is_folder_encrypted(folder) else None


def unlocked_key(folder: Path) -> Key:
    """The key that the key file of a folder names; asks for the passphrase where there is someone to ask.

    Raises:
        LockedError: the passphrase was not given.
        UserError: the key file is damaged, or the passphrase in VARIABLE is wrong.
    """
    key_id = read_id(folder)
    with _lock:  # so that two threads do not ask twice
        if key_id not in _keys:
            _unlock_unasked(folder)
        for ask in _ask if key_id not in _keys else ():
            ask(folder)
        if key_id in _keys:
            return _keys[key_id]
    raise LockedError(
        f"{folder} is encrypted; type its passphrase, or name a file with it in the variable {VARIABLE}.", folder
    )


def given_passphrase() -> str | None:
    """The passphrase in the file that VARIABLE names, without the end of its line; None without that.

    Raises:
        UserError: it cannot be read.
    """
    name = os.environ.get(VARIABLE)
    return read_passphrase(Path(name)) if name else None


def read_passphrase(path: Path) -> str:
    """The passphrase in a file, without the end of its line.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UserError(f"The passphrase cannot be read from {path}: {reason}.", path) from None


def _unlock_unasked(folder: Path) -> None:
    passphrase = given_passphrase()
    if passphrase is None:
        kept = system_keyring.recall(read_id(folder))
        if kept is not None:
            with suppress(WrongPassphraseError):  # it was changed on another computer
                unlock(folder, kept)
        return
    try:
        unlock(folder, passphrase)
    except WrongPassphraseError:
        raise WrongPassphraseError(
            f"The file that {VARIABLE} names does not hold the passphrase of {folder}; correct it.", folder
        ) from None


def _start(path: Path) -> bytes:
    """The first bytes of a database."""
    with path.open("rb") as file:
        return file.read(len(PLAIN))


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
