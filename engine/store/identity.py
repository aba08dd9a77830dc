"""Keyed hashes that identify a study or patient without storing who it is. Knows no tables and no DICOM.

HMAC-SHA256 with a random key, kept in a file beside the archive that only its owner can read and that belongs in every
backup. Without the key, a hash cannot be checked against a list of guessed identifiers.
"""

import hashlib
import hmac
import secrets
from datetime import datetime
from pathlib import Path

from engine.errors import DamagedError, UserError
from engine.store.safety.whole_file import write_whole

KEY_FILE = "identity.key"
KEY_BYTES = 32
DAYS = 73_000
"""By up to so many days, 200 years, the dates of a patient are shifted."""
NAME_BYTES = 8
"""Of the hash of a name: enough that no other word has it by chance."""


class Identity:
    """Turns identifiers into keyed hashes; one identifier in two roles gives two hashes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @property
    def key(self) -> bytes:
        """The key itself, which goes into a copy of the archive and nowhere else."""
        return self._key

    def case(self, key: str) -> str:
        """Hash of the key of a case: Study Instance UID (0020,000D), or a key of an image folder."""
        return self._hash("case", key)

    def image(self, key: str) -> str:
        """Hash of the key of an image: SOP Instance UID (0008,0018) and frame."""
        return self._hash("image", key)

    def patient(self, patient_id: str | None) -> str | None:
        """Hash of a Patient ID (0010,0020); None for an empty one, which would make strangers the same patient."""
        patient_id = (patient_id or "").strip()
        return self._hash("patient", patient_id) if patient_id else None

    def join(self, join: tuple[str, str]) -> tuple[str, str]:
        """A role and the hash of a value by which a report and a study are one case (safety/join_keys.py)."""
        return join[0], self._hash(f"join by {join[0]}", join[1])

    def name(self, spelling: str) -> bytes:
        """The first NAME_BYTES of the hash of a name in the header (safety/name_keys.py)."""
        return bytes.fromhex(self._hash("name", spelling))[:NAME_BYTES]

    def study_day(self, date: str, patient_id: str | None) -> int | None:
        """A Study Date as days, shifted by a number that the key and the patient give, so that the archive has no date.

        Order and intervals of the studies of one patient stay (PS3.15 E.3.6: modified dates); days of two patients
        cannot be compared.

        Args:
            date: YYYYMMDD, or YYYY-MM-DD with or without a time.
            patient_id: Patient ID (0010,0020).

        Returns:
            None without a patient or a valid date.
        """
        patient = self.patient(patient_id)
        digits = "".join(letter for letter in date[:10] if letter.isdecimal() and letter.isascii())[:8]
        try:
            day = datetime.strptime(digits, "%Y%m%d").toordinal()
        except ValueError:
            return None
        return None if patient is None else day + int(self._hash("shift of days", patient), 16) % DAYS

    def audit(self, text: str) -> str:
        """Hash of a row of the audit with the hash before it (safety/audit_chain.py)."""
        return self._hash("audit", text)

    @property
    def check(self) -> str:
        """A hash that the archive keeps, to recognize its key; no hash of an identifier equals it."""
        return self._hash("archive", "")[:32]

    def _hash(self, role: str, value: str) -> str:
        """Of any text: a key may be the name of a file, which need not be UTF-8."""
        return hmac.new(self._key, f"{role}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def create_key(folder: Path) -> Identity:
    """Write a new key, readable by its owner only.

    Raises:
        UserError: the folder already has one.
    """
    path = folder / KEY_FILE
    if path.exists():
        raise UserError(f"{path} exists already; choose an empty folder for a new archive.", path)
    key = secrets.token_bytes(KEY_BYTES)
    write_whole(path, [key])
    return Identity(key)


def own_key(path: Path) -> Identity:
    """The key in a file, made if it is missing; one that is damaged is set aside.

    Raises:
        OSError: it cannot be read or written.
    """
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) != KEY_BYTES:
        if key:
            path.replace(path.with_name(f"{path.name}.damaged"))
        key = secrets.token_bytes(KEY_BYTES)
        write_whole(path, [key])
    return Identity(key)


def load_key(folder: Path) -> Identity:
    """Read the archive's key.

    Raises:
        UserError: the key is missing or damaged, so that known studies could not be recognized.
    """
    path = folder / KEY_FILE
    try:
        key = path.read_bytes()
    except OSError:
        raise DamagedError(
            f"The archive {folder} has no {KEY_FILE}, which identifies its studies; restore it from a backup.",
            folder,
        ) from None
    if len(key) != KEY_BYTES:
        raise DamagedError(f"{path} is damaged; restore it from a backup of the archive.", folder)
    return Identity(key)
