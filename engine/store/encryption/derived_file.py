"""Files that are derived from a database, such as the vector index: encrypted where it is. Knows not what is in them.

A magic line, then blocks, each with its length, a nonce, and the bytes (AES-256-GCM, RFC 5116). That a block is missing
at the end is for the checksum inside to find.
"""

import io
import itertools
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from engine.store.encryption.key_file import Key
from engine.store.encryption.unlocked import key_of_folder
from engine.store.safety.whole_file import write_whole

MAGIC = b"kindred encrypted 1\n"
BLOCK = 64 << 20
"""Bytes that are encrypted at once."""
NONCE = 12
PURPOSE = "derived files"


def write_derived(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file in one step, encrypted if a database in its folder is. Raises OSError; UserError when locked."""
    key = key_of_folder(path.parent)
    write_whole(path, parts if key is None else _encrypted(key, parts))


def open_derived(path: Path) -> BinaryIO:
    """Open such a file to read its content: none if it is damaged, or encrypted while the database is not.

    Raises:
        OSError: it cannot be read.
        UserError: the folder is locked.
    """
    key = key_of_folder(path.parent)
    return path.open("rb") if key is None else io.BytesIO(_decrypted(key, path))


def is_encrypted_file(path: Path) -> bool:
    """Whether a file is one of `write_derived` in an encrypted folder. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _encrypted(key: Key, parts: Iterable[bytes]) -> Iterator[bytes]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(key.derived(PURPOSE))
    yield MAGIC
    for number, block in enumerate(_blocks(parts)):
        nonce = secrets.token_bytes(NONCE)
        sealed = cipher.encrypt(nonce, block, str(number).encode())
        yield len(sealed).to_bytes(4, "little") + nonce
        yield sealed


def _blocks(parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        view = memoryview(part)
        for start in range(0, len(view), BLOCK):
            yield bytes(view[start : start + BLOCK])


def _decrypted(key: Key, path: Path) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(key.derived(PURPOSE))
    found: list[bytes] = []
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return b""
        size = os.fstat(file.fileno()).st_size
        try:
            for number in itertools.count():
                length = int.from_bytes(file.read(4), "little")
                if not length:
                    return b"".join(found)
                nonce, sealed = file.read(NONCE), file.read(min(length, size))
                if len(sealed) != length:
                    return b""
                found.append(cipher.decrypt(nonce, sealed, str(number).encode()))
        except (InvalidTag, ValueError):
            return b""
    return b""
