"""The file beside an encrypted database with its key, wrapped with a passphrase. Knows no database.

The key is random. It is encrypted (AES-256-GCM) with a key that scrypt (RFC 7914) makes of the passphrase, so that
another passphrase needs no other database. Without the passphrase nothing can be read; there is no other way in.
"""

import json
import secrets
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import DamagedError, UserError
from engine.store.safety.json_file import read_json
from engine.store.safety.whole_file import write_whole

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FILE = "encryption.json"
VERSION = 1
COST = 1 << 17
"""N of scrypt: with r = 8 it takes 128 MiB and some tenths of a second, also of who guesses."""
SHORTEST = 10
"""Characters of a passphrase."""


class WrongPassphraseError(UserError):
    """A passphrase does not open a key file."""


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a folder, which all its encrypted files share, and the backups made of it."""

    id: str
    """Names the key without telling anything of it."""
    secret: bytes = field(repr=False)
    """32 random bytes."""

    def derived(self, purpose: str) -> bytes:
        """32 bytes for one purpose (HKDF-SHA256, RFC 5869), so that no cipher shares a key with another one."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(hashes.SHA256(), 32, None, f"kindred {purpose}".encode()).derive(self.secret)


def new_key() -> Key:
    """A random key."""
    return Key(secrets.token_hex(8), secrets.token_bytes(32))


def check_strength(passphrase: str) -> None:
    """Raise UserError when a new passphrase is too short to withstand guessing."""
    if len(_normal(passphrase)) < SHORTEST:
        raise UserError(f"A passphrase needs at least {SHORTEST} characters; several words are best.")


def write_key(folder: Path, key: Key, passphrase: str) -> None:
    """Write the key file, or replace it, in one step.

    Raises:
        UserError: it cannot be written, and is as it was.
    """
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    wrapped = _wrapping(passphrase, salt, COST).encrypt(nonce, key.secret, key.id.encode())
    content = {
        "version": VERSION,
        "id": key.id,
        "scrypt": {"n": COST, "r": 8, "p": 1, "salt": salt.hex()},
        "aes-256-gcm": {"nonce": nonce.hex(), "wrapped": wrapped.hex()},
    }
    try:
        write_whole(folder / FILE, [json.dumps(content, indent=1).encode()])
    except OSError as error:
        raise UserError(f"{folder / FILE} cannot be written: {error.strerror}.", folder) from None


def read_id(folder: Path) -> str:
    """The id of the key.

    Raises:
        UserError: the file is missing, damaged or of a newer version.
    """
    return _read(folder)[0]


def unwrap(folder: Path, passphrase: str) -> Key:
    """The key, by the passphrase.

    Raises:
        WrongPassphraseError: it is another passphrase.
        UserError: the file is missing, damaged or of a newer version.
    """
    from cryptography.exceptions import InvalidTag

    key_id, cost, salt, nonce, wrapped = _read(folder)
    try:
        return Key(key_id, _wrapping(passphrase, salt, cost).decrypt(nonce, wrapped, key_id.encode()))
    except InvalidTag:
        raise WrongPassphraseError(f"This is not the passphrase of {folder}; type it again.", folder) from None


def _wrapping(passphrase: str, salt: bytes, cost: int) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return AESGCM(Scrypt(salt, 32, n=cost, r=8, p=1).derive(_normal(passphrase).encode()))


def _normal(passphrase: str) -> str:
    """One spelling of letters that keyboards compose in different ways."""
    return unicodedata.normalize("NFC", passphrase)


def _read(folder: Path) -> tuple[str, int, bytes, bytes, bytes]:
    """Id, cost, salt, nonce, wrapped key."""
    damaged = DamagedError(f"{folder / FILE} is missing or damaged; restore it from a backup.", folder)
    try:
        content = read_json(folder / FILE)
        version, key_id, scrypt, sealed = (content[name] for name in ("version", "id", "scrypt", "aes-256-gcm"))
        if version > VERSION:
            raise UserError(f"{folder} was encrypted by a newer version of Kindred; update Kindred.", folder)
        cost, salt, *rest = scrypt["n"], bytes.fromhex(scrypt["salt"]), scrypt["r"], scrypt["p"]
        nonce, wrapped = bytes.fromhex(sealed["nonce"]), bytes.fromhex(sealed["wrapped"])
    except (OSError, ValueError, KeyError, TypeError):
        raise damaged from None
    known = isinstance(key_id, str) and type(cost) is int and cost in [1 << bits for bits in range(10, 21)]
    if not known or rest != [8, 1] or len(salt) != 16 or len(nonce) != 12 or len(wrapped) != 48:
        raise damaged
    return key_id, cost, salt, nonce, wrapped
