"""Checks an installation and an archive for support. Never contains patient data."""

import importlib
import importlib.metadata
import platform
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pydicom

from engine.archive import Archive
from engine.bundle import Bundle
from engine.cli.installation import installation
from engine.dicom.coding.codecs import missing_decoders
from engine.errors import UserError
from engine.models import manifest
from engine.models.runtime import detect
from engine.models.text_detector import text_detector
from engine.resources import resource_path
from engine.retrieval.case_text import archive_contents
from engine.store.address import Address
from engine.store.backup.backup import backups_of
from engine.store.backup.location import backup_folder
from engine.store.backup.source import archive_source
from engine.store.encryption.convert import plain_copies
from engine.store.encryption.unlocked import is_encrypted
from engine.text.words import counted

LATE_LIBRARIES = {
    "cryptography": "cryptography.hazmat.primitives.ciphers.aead",
    "dicom-anonymizer": "dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c",
    "highdicom": "highdicom.sr",
    "lxml": "lxml.etree",
    "sqlcipher3": "sqlcipher3.dbapi2",
}
"""Libraries that the command line does not need to start, each with the module of it that is used."""
OLD = timedelta(days=7)
"""Age of the newest backup that is worth a note."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool
    text: str
    """One sentence for the user."""
    note: bool = False
    """Worth knowing, although nothing needs to be done."""

    @property
    def mark(self) -> str:
        """How the line of the check begins: "ok", "note" or "PROBLEM"."""
        return "PROBLEM" if not self.ok else "note" if self.note else "ok"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "ok": self.ok, "text": self.text}


def examine(bundle: Path | None = None, archive: Path | Address | None = None, deep: bool = False) -> list[Check]:
    """Check the program, the models, the codecs and an archive.

    Args:
        bundle: folder of the models; None for the starter bundle.
        archive: folder or address of an archive; None for none.
        deep: compare everything in the archive with its checksum.
    """
    models = _bundle(bundle or resource_path("starter-bundle"))
    checks = [_versions(), _installed(), _libraries(), _provider(), *models, _text(), _codecs()]
    return checks if archive is None else [*checks, *_archive(archive, deep)]


def kindred_version() -> str:
    """Version of the installed package; "unpacked" when it is not installed."""
    try:
        return importlib.metadata.version("kindred-radiology")
    except importlib.metadata.PackageNotFoundError:
        return "unpacked"


def _installed() -> Check:
    found = installation()
    if found is None:
        return Check("installation", True, "Kindred runs from source; only installed files have checksums.")
    try:
        release, changed = found.release(), found.changed_files()
    except UserError as error:
        return Check("installation", False, str(error))
    if changed:
        named = f"{counted(len(changed), 'installed file')} changed or missing ({', '.join(changed[:3])})"
        return Check("installation", False, f"{named}; install Kindred again.")
    what = f"{release['edition'].upper()} edition of {release['date']}, commit {release['commit'] or 'unknown'}"
    return Check("installation", True, f"All {len(found.checksums()):,} installed files are intact ({what}).")


def _libraries() -> Check:
    """Whether what is imported only when it is needed is there, such as when a report is exported."""
    missing = [name for name, module in LATE_LIBRARIES.items() if not _imports(module)]
    if missing:
        return Check("libraries", False, f"Missing or damaged: {', '.join(missing)}; install Kindred again.")
    return Check("libraries", True, f"The libraries that are loaded later are installed ({', '.join(LATE_LIBRARIES)}).")


def _imports(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def _versions() -> Check:
    return Check(
        "versions",
        True,
        f"Kindred {kindred_version()} on Python {platform.python_version()}, {platform.platform()}; numpy "
        f"{np.__version__}, pydicom {pydicom.__version__}, faiss {faiss.__version__}, SQLite {sqlite3.sqlite_version}.",
    )


def _provider() -> Check:
    try:
        return Check("provider", True, detect().describe())
    except UserError as error:
        return Check("provider", False, str(error))


def _bundle(folder: Path) -> list[Check]:
    try:
        content = manifest.read(folder)
        damaged = manifest.damaged_files(folder, content)
        if damaged:
            return [Check("bundle", False, sentence) for sentence in damaged]
        opened = Bundle.open(folder)
        opened.embed_texts(["chest radiograph"])
    except UserError as error:
        return [Check("bundle", False, str(error))]
    return [
        Check(
            "bundle",
            True,
            f"The bundle {content['name']} in {folder} is intact (id {opened.id}, variant {opened.variant}, "
            f"{opened.embedding_size} dimensions) and runs with {opened.provider}.",
        )
    ]


def _text() -> Check:
    try:
        text_detector().boxes(np.zeros((64, 64), np.uint8))
    except UserError as error:
        return Check("text", False, str(error))
    return Check("text", True, "The detector of text in images is intact and runs.")


def _codecs() -> Check:
    missing = missing_decoders()
    if missing:
        return Check("codecs", False, f"No decoder for: {', '.join(missing)}; install Kindred again.")
    return Check("codecs", True, "Decoders for RLE, JPEG, JPEG-LS, JPEG 2000 and HTJ2K are installed.")


def _archive(place: Path | Address, deep: bool) -> list[Check]:
    try:
        with Archive.open(place) as archive:
            integrity = _integrity(archive, deep)
            checks = [_content(archive), integrity, _audit(archive), _index(archive), _burned_in(archive)]
            if isinstance(place, Path):
                backup = _backup(place, not integrity.ok, archive.read_only)
                checks += [_permissions(place), *_encryption(place), backup]
            return checks
    except UserError as error:
        failed = [Check("archive", False, str(error))]
        if isinstance(place, Path) and (Archive.exists(place) or backups_of(archive_source(place))):
            failed.append(_backup(place, damaged=True))
        return failed


def _backup(folder: Path, damaged: bool = False, read_only: bool = False) -> Check:
    """How old the newest backup is, and how a damaged archive is restored from it."""
    found = backups_of(archive_source(folder))
    fixed = damaged or read_only
    if not found:
        command = "" if fixed else f"; run: kindred backup --archive {folder}"
        if damaged:
            command = f"; what can be read is written to a new one by: kindred salvage --archive {folder}"
        return Check("backup", True, f"There is no backup in {backup_folder()}{command}.", note=not fixed)
    newest = found[-1]
    text = f"The newest of {counted(len(found), 'backup')} is {newest.age()} old ({counted(newest.rows, 'case')})"
    if damaged:
        text += f". To restore it, run: kindred restore {newest.path} --archive {folder}"
    else:
        text += f": {newest.path}"
    return Check("backup", True, text, note=datetime.now(UTC) - newest.made > OLD and not fixed)


def _content(archive: Archive) -> Check:
    stats = archive.stats()
    return Check(
        "archive",
        True,
        f"The archive {archive.where} has {archive_contents(stats)} (schema {stats['schema']}, model "
        f"{stats['bundle_id']}).",
    )


def _integrity(archive: Archive, deep: bool) -> Check:
    problems = archive.problems(deep)
    if problems:
        return Check(
            "integrity", False, f"The database is damaged ({'; '.join(problems[:3])}); restore it from a backup."
        )
    intact = "The database is intact, and every row has its checksum." if deep else "The database is intact."
    if archive.read_only:
        intact += " It is read-only: its full-text index was not checked."
    return Check("integrity", True, intact)


def _audit(archive: Archive) -> Check:
    problems = archive.audit_problems()
    if problems:
        text = f"The audit is not as it was written ({'; '.join(problems[:3])}); see docs/backups.md."
        return Check("audit", False, text)
    return Check("audit", True, "The audit is as it was written.")


def _index(archive: Archive) -> Check:
    state = archive.index.state()
    if state == "intact":
        return Check("index", True, "The search index is intact and up to date.")
    problem = {
        "behind": "does not contain the latest cases",
        "missing": "is missing",
        "stale": "does not match the database",
        "damaged": "is damaged",
    }[state]
    return Check("index", True, f"The search index {problem}; the next search rebuilds it.", note=True)


def _burned_in(archive: Archive) -> Check:
    missing = archive.text_checks.missing()
    if not missing:
        return Check("burned-in text", True, "All archived images were checked for burned-in text.")
    said = f"{counted(missing, 'archived image')} may have burned-in text, which no import has looked for; run: "
    return Check("burned-in text", True, f"{said}kindred redact --archive {archive.where}", note=True)


def _encryption(folder: Path) -> list[Check]:
    """Of an encrypted archive: whether all copies of it are encrypted, as far as Kindred knows them."""
    source = archive_source(folder)
    if not is_encrypted(source.path):
        return []
    copies = plain_copies(source)
    if not copies:
        return [Check("encryption", True, "The archive is encrypted.")]
    known = f"{counted(len(copies), 'copy', 'copies')} of it {'is' if len(copies) == 1 else 'are'} not"
    text = f"The archive is encrypted, but {known}, such as {copies[0]}"
    return [Check("encryption", True, text, note=True)]


def _permissions(folder: Path) -> Check:
    mode = folder.stat().st_mode & 0o777
    if platform.system() != "Windows" and mode & 0o077:
        return Check("privacy", False, f"Other users can read {folder} (mode {mode:o}); run: chmod 700 {folder}")
    return Check("privacy", True, "Only the owner can read the archive.")
