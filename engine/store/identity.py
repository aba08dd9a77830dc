"""Keyed hashes that recognise a study or patient sent again without storing who it is. Knows no table and no DICOM.

HMAC-SHA256 under a random key that lives in an owner-only file beside the archive and belongs in every backup:
without the key a hash cannot be checked against a list of guessed identifiers.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from engine.errors import UserError

KEY_FILE = "identity.key"
KEY_BYTES = 32


class Identity:
    """Turns identifiers into keyed hashes; the same identifier under another role gives another hash."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def case(self, key: str) -> str:
        """Hash of what names a case: StudyInstanceUID (0020,000D), or an image archive's own name for it."""
        return self._hash("case", key)

    def image(self, key: str) -> str:
        """Hash of what names an image: SOPInstanceUID (0008,0018) and frame."""
        return self._hash("image", key)

    def patient(self, patient_id: str | None) -> str | None:
        """Hash of a Patient ID (0010,0020); None when there is none, since empty ids would join strangers."""
        patient_id = (patient_id or "").strip()
        return self._hash("patient", patient_id) if patient_id else None

    def _hash(self, role: str, value: str) -> str:
        return hmac.new(self._key, f"{role}\0{value}".encode(), hashlib.sha256).hexdigest()


def create_key(folder: Path) -> Identity:
    """Write a new key, readable by the owner only.

    Raises:
        UserError: the folder already has one.
    """
    path = folder / KEY_FILE
    if path.exists():
        raise UserError(f"{path} exists already; choose an empty folder for a new archive.", path)
    key = secrets.token_bytes(KEY_BYTES)
    temporary = folder / (KEY_FILE + ".new")  # replaced in one step: a key cut short would lock the archive out
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return Identity(key)


def load_key(folder: Path) -> Identity:
    """Read the archive's key.

    Raises:
        UserError: the key is missing or damaged, so studies sent again could not be recognised.
    """
    path = folder / KEY_FILE
    try:
        key = path.read_bytes()
    except OSError:
        raise UserError(
            f"The archive {folder} lacks its {KEY_FILE} to recognise its studies by; restore it from the backup.",
            folder,
        ) from None
    if len(key) != KEY_BYTES:
        raise UserError(f"{path} is damaged; restore it from the backup of the archive.", path)
    return Identity(key)
