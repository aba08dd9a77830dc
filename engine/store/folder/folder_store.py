"""An archive in a folder: one SQLite database, its key, and derived files. Knows no case and no model.

The folder is readable by its owner only (0700). It contains archive.db (cases, images, reports, embeddings, imports,
audit), identity.key (part of every backup) and derived files such as the vector index, which are rebuilt when they are
missing, stale or damaged.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError, exists
from engine.progress import Progress, ignore
from engine.store import identity
from engine.store.backup.restoring import finish as finish_restore
from engine.store.backup.source import archive_source
from engine.store.encryption.convert import finish as finish_encryption
from engine.store.filters import Filters
from engine.store.folder import integrity, schema
from engine.store.folder.archive_scale import ArchiveScale
from engine.store.folder.fact_columns import FactColumns
from engine.store.folder.full_text import FullText
from engine.store.folder.local_database import LocalDatabase
from engine.store.folder.sources import FILE as SOURCES
from engine.store.folder.sources import SourceLinks
from engine.store.folder.vectors.vector_index import VectorIndex
from engine.store.kept_answers import KeptAnswers, allowed_by
from engine.store.safety.merging import keep_one_source
from engine.store.safety.opening import is_alone, open_archive
from engine.store.safety.removal import (
    delete_cases,
    empty_log,
    finish,
    forget_in_file,
    forget_sources,
    forget_words,
    rewrite_once,
    unfinished,
)
from engine.store.safety.salvaged import Salvaged, salvaged
from engine.store.safety.whole_file import is_left, write_whole

if TYPE_CHECKING:
    from engine.store.server.work_queue import WorkQueue

_log = logging.getLogger("kindred")

DATABASE = "archive.db"


class FolderStore:
    """An open archive in a folder."""

    def __init__(self, folder: Path, progress: Progress = ignore) -> None:
        """Use `create` or `open`."""
        self.folder = self.place = folder
        self.name = folder.name
        self.database = LocalDatabase(folder / DATABASE)
        try:
            self.identity = open_archive(self.database, folder, progress)
            finish_restore(folder)  # a restore that began meanwhile may not have seen that it is open
            finish_encryption(archive_source(folder))
        except BaseException:
            self.database.close()
            raise
        answers = KeptAnswers[NDArray[np.int64]](self.database)

        def allowed(filters: Filters) -> NDArray[np.int64] | None:
            return allowed_by(self.database, answers, filters)

        self.fact_columns = FactColumns(self.database)
        self.index = VectorIndex(
            folder, self.database.read, self.database.version, allowed, lambda bonus: self.fact_columns.bonus(bonus)
        )
        self.score_scale = ArchiveScale(folder, self.index)
        self.full_text = FullText(self.database, allowed)

    @classmethod
    def create(cls, folder: Path, key: bytes | None = None) -> Self:
        """Create an empty archive in a new or empty folder; one that is there, made a moment ago perhaps, is opened.

        Args:
            folder: where.
            key: that of the archive that it is to become a copy of; None for a new one.

        Raises:
            UserError: the folder contains something else, or cannot be written.
        """
        try:
            taken = folder.exists() and (not folder.is_dir() or any(_contents(folder)))
            if taken and not cls.exists(folder):
                raise UserError(f"{folder} is not an empty folder; choose a new one for the archive.", folder)
            folder.mkdir(parents=True, exist_ok=True)
            if not taken:
                folder.chmod(0o700)
            if key is not None and not cls.exists(folder):
                write_whole(folder / identity.KEY_FILE, [key])
        except OSError as error:
            raise UserError(f"The archive {folder} cannot be created: {error.strerror}.", folder) from None
        return cls(folder)

    @classmethod
    def open(cls, folder: Path, progress: Progress = ignore) -> Self:
        """Open an existing archive. Raises UserError as `Archive.open`."""
        if not cls.exists(folder):
            raise UserError(f"{folder} is not a Kindred archive; choose another folder or create an archive.", folder)
        return cls(folder, progress)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether the folder is an archive, also one whose creation was interrupted, since opening completes it.

        Raises:
            UserError: the folder cannot be accessed, or the archive is being restored.
        """
        finish_restore(folder)
        return exists(folder / identity.KEY_FILE) or exists(folder / DATABASE)

    @property
    def schema(self) -> int:
        """How many migrations its tables have had."""
        return len(schema.names())

    @property
    def salvaged(self) -> Salvaged | None:
        """What this archive was salvaged of; None for one that is whole."""
        return salvaged(self.folder)

    @property
    def work(self) -> "WorkQueue":
        """None is handed out."""
        raise UserError(
            f"{self.folder} is an archive in a folder, and only one on a server hands out work: see `kindred copy`.",
            self.folder,
        )

    def is_alone(self) -> bool:
        """Whether no other process has it open; it is closed."""
        return is_alone(self.database.path)

    def source(self, case_id: int) -> str | None:
        """The local path that a case came from; None where it was not kept, or cannot be read."""
        if not (self.folder / SOURCES).is_file():
            return None
        try:
            with closing(SourceLinks(self.folder)) as links:
                return links.path(case_id)
        except UserError:  # the archive can be used without
            return None

    def keep_one_source(self, kept: int, others: Collection[int]) -> None:
        """Keep one of the local paths of merged cases, if any was kept."""
        keep_one_source(self.folder, kept, others)

    def delete(self, case_ids: Sequence[int]) -> None:
        """Delete cases for good: rows, words, images, vectors, kept paths, and what SQLite remembers of them."""
        delete_cases(self.database, case_ids, partial(forget_in_file, self.database, case_ids))
        try:
            self._remove_traces()
        except (OSError, UserError) as error:
            raise UserError(
                f"The cases were deleted, but files in {self.folder} may hold traces of them until it is opened again. "
                f"{error if isinstance(error, UserError) else f'{error.strerror}.'}",
                self.folder,
            ) from error

    def forget_words(self) -> None:
        """Remove from the full-text index the words of reports that were replaced. Raises UserError."""
        forget_words(self.database)

    def forget_replaced(self) -> None:
        """Remove from the files of the archive what they hold of images that were replaced. Raises UserError."""
        rewrite_once(self.database)
        empty_log(self.database)
        self.index.refresh(save=True)

    def rebuild(self) -> None:
        """Make everything that is derived from the database anew. Raises UserError."""
        path = self.score_scale.path
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"The file {path} cannot be replaced: {error.strerror}.", path) from None
        self.index.refresh(save=True, anew=True)

    def problems(self, deep: bool) -> list[str]:
        """How the database contradicts itself or, with `deep`, its checksums, one phrase each."""
        return integrity.problems(self.database, deep)

    def bytes_used(self) -> int:
        """Bytes of all files in the folder."""
        return sum(map(_size, self.folder.iterdir()))

    def finish_opening(self) -> None:
        """Remove what an interrupted deletion has left; if that fails again, the next opening tries it."""
        if self.database.read_only or not unfinished(self.database):
            return
        try:
            self._remove_traces()
        except (OSError, UserError) as error:
            _log.warning("Traces of deleted cases are left in the archive: %s", error)

    def close(self) -> None:
        """Close it; no thread may be using it."""
        self.database.close()

    def _remove_traces(self) -> None:
        """Remove from the files of the archive what they hold of deleted cases. Raises OSError, UserError."""
        cases = unfinished(self.database)
        for derived in (self.score_scale.path, self.index.path):
            derived.unlink(missing_ok=True)
        forget_sources(self.folder, cases)
        rewrite_once(self.database)
        empty_log(self.database)
        self.index.refresh(save=True)
        finish(self.database, cases)


def _contents(folder: Path) -> Iterator[Path]:
    """What a folder contains besides the half-written key of an interrupted creation."""
    half = identity.KEY_FILE + ".new"  # as earlier versions named it
    return (path for path in folder.iterdir() if path.name != half and not is_left(path, identity.KEY_FILE))


def _size(path: Path) -> int:
    """Bytes of a file; 0 of a folder, and of a file that is replaced or removed at this moment."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
