"""Reads a DICOMDIR, the index of the files on a medium (PS3.10 8, PS3.3 F). Does not open the files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from engine.dicom.fast_header import meta_uid
from engine.dicom.file import read_header
from engine.dicom.origins import FileOrigin
from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.sop_classes import MEDIA_DIRECTORY
from engine.dicom.values import items, text, texts
from engine.errors import Rejected, UserError

MISSING = "Listed in the DICOMDIR, but missing; copy the whole medium again."
_SOP_CLASS = 0x00020002
"""Media Storage SOP Class UID."""
OUTSIDE = "Listed in the DICOMDIR, but outside its folder; not opened."


@dataclass(frozen=True, slots=True)
class Dicomdir:
    """The files that a DICOMDIR lists."""

    files: tuple[Path, ...]
    """Those that exist, in its order."""
    missing: tuple[Rejected, ...]
    """Those that do not, and those outside the folder of the DICOMDIR."""


def is_dicomdir(path: Path) -> bool:
    """Whether a file is a DICOMDIR by its name, or under any other name by its SOP class (PS3.10 8.6)."""
    if not path.is_file():
        return False
    if path.name.upper().startswith("DICOMDIR") and path.suffix.lower() != ".zip":
        return True
    try:
        with path.open("rb") as file:
            return meta_uid(file.read(1024), _SOP_CLASS) == MEDIA_DIRECTORY
    except OSError:
        return False  # whoever reads it says why


def read_dicomdir(path: Path) -> Dicomdir:
    """The files that the records of a DICOMDIR point to.

    File IDs are upper case by the standard (PS3.10 8.2) and often lower case on the disk they were copied to.

    Raises:
        UserError: not a DICOMDIR, or damaged.
    """
    folders = _Folders()
    files: dict[Path, None] = {}
    missing: dict[str, Rejected] = {}
    with collect_warnings(), FileOrigin(path).open() as file:
        records = items(read_header(file), "DirectoryRecordSequence")
        for parts in _file_ids(records):
            if any(part in ("", ".", "..") or "/" in part or "\\" in part for part in parts):
                missing["/".join(parts)] = Rejected("/".join(parts), OUTSIDE)
                continue
            found = folders.find(path.parent, parts)
            if found is None:
                name = str(path.parent.joinpath(*parts))
                missing[name] = Rejected(name, MISSING)
            else:
                files[found] = None
    if not files and not missing:
        raise UserError("The DICOMDIR lists no files.")
    return Dicomdir(tuple(files), tuple(missing.values()))


def _file_ids(records: list[Dataset]) -> Iterator[list[str]]:
    for record in records:
        parts = texts(record, "ReferencedFileID")
        if parts and text(record, "DirectoryRecordType").upper() != "PRIVATE":
            yield parts


class _Folders:
    """Finds files case-insensitively, reading each folder once."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, str]] = {}

    def find(self, folder: Path, parts: list[str]) -> Path | None:
        for part in parts:
            name = self._listed(folder).get(part.upper())
            if name is None:
                return None
            folder = folder / name
        return folder if folder.is_file() else None

    def _listed(self, folder: Path) -> dict[str, str]:
        """Names on disk by their upper-case form, without the version ";1" and the trailing dot of ISO 9660."""
        if folder not in self._names:
            try:
                names = [entry.name for entry in folder.iterdir()]
            except OSError:
                names = []
            self._names[folder] = {name.upper().split(";")[0].rstrip("."): name for name in names}
        return self._names[folder]
