"""The sample archive and the sample studies, to try Kindred without data of one's own. Knows no widgets."""

import hashlib
from pathlib import Path

from PySide6.QtCore import QObject

from desktop.state.similar.archive import ArchiveState
from engine.archive import Archive
from engine.importing.csv_files import CAPTIONS, CASES
from engine.importing.import_result import ImportResult
from engine.resources import resource_path, user_folder

STUDIES = ("RG1_UNCR.dcm", "RG3_UNCR.dcm", "693_UNCR.dcm", "MR2_UNCR.dcm", "US1_UNCR.dcm", "emri_small.dcm")
"""Files of pydicom-data; the first one is shown."""
FALLBACK = "CT_small.dcm"


def sample_studies() -> list[Path]:
    """Real DICOM files that are installed with pydicom; nothing is downloaded."""
    from pydicom.data import get_testdata_file

    found = [get_testdata_file(name, download=False) for name in (*STUDIES, FALLBACK)]
    paths = [Path(str(path)) for path in found if path]
    return paths[: len(STUDIES)]


def shipped_cases() -> Path:
    """The folder that the sample archive is imported from; it may be missing."""
    return resource_path("sample-archive")


def sample_folder() -> Path:
    """The folder of the imported sample archive: another one for another version of it, so that none is mixed."""
    lists = (shipped_cases() / name for name in (CASES, CAPTIONS))
    version = hashlib.sha256(b"".join(path.read_bytes() for path in lists if path.exists())).hexdigest()
    return user_folder() / f"sample-{version[:8]}" / "sample-archive"


def imported_mark() -> Path:
    """The file that says that the import of the sample archive was finished."""
    return sample_folder().with_name("imported")


class SampleArchive(QObject):
    """Opens the sample archive, and imports what is missing of it as soon as the models are loaded."""

    def __init__(self, archive: ArchiveState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._archive = archive
        self._folder: Path | None = None
        """Where it is to be opened and imported; None when it is complete, was stopped, or was never asked for."""
        self._importing = False
        archive.changed.connect(self._go_on)
        archive.imported.connect(self._finish)

    def start(self) -> None:
        """Open the archive, or create it. An import that was interrupted goes on.

        Raises:
            UserError: the folder cannot be read.
        """
        self._folder, self._importing = sample_folder(), False
        if Archive.exists(self._folder):
            self._archive.open(self._folder)
        else:
            self._archive.create(self._folder)

    def _is_open(self) -> bool:
        return self._archive.archive is not None and self._archive.archive.place == self._folder

    def _go_on(self) -> None:
        if self._importing or not self._is_open() or self._archive.outdated or self._archive.why_no_import():
            return
        if imported_mark().exists():
            self._folder = None
        else:
            self._importing = True
            self._archive.import_into(shipped_cases())

    def _finish(self, result: ImportResult) -> None:
        if self._importing and self._is_open():
            if not result.cancelled:
                imported_mark().touch()
            self._folder = None  # one that was stopped goes on when it is asked for again
        self._importing = False
