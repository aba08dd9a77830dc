"""Queues imports and re-indexing for workers. Does none of it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from engine.archive import Archive
from engine.errors import UserError, exists, missing
from engine.importing.import_result import ImportResult
from engine.importing.importer import read_all, with_reports
from engine.progress import IsCancelled, Progress, ignore, never

IMPORT, REINDEX = "import", "reindex"
"""Kinds of jobs."""
CASES, ROWS = 32, 64
"""In a unit: so many are done again at most after a kill, and most of these are found to be done."""


@dataclass(frozen=True, slots=True)
class ImportJob:
    """What workers need to know of an import. The path is as it was typed, and the same for each of them."""

    path: str
    reports: tuple[str, ...]
    keep_text: bool
    import_id: int
    """Its row in the record of imports."""

    def as_text(self) -> str:
        """For the queue."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What `as_text` gave."""
        values: dict[str, Any] = json.loads(text)
        return cls(**{**values, "reports": tuple(values["reports"])})


def queue_import(
    archive: Archive,
    bundle_id: str,
    path: Path,
    reports: Sequence[Path] = (),
    keep_text: bool = False,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
) -> tuple[int, int]:
    """Queue the import of a path that all workers reach under the same name; job id and number of cases.

    Raises:
        UserError: as `import_path`, or the archive is in a folder.
        Cancelled: while the cases were still being listed.
    """
    queue = archive.work
    if not exists(path):
        raise missing(path)
    kind, found, extra = read_all(path, reports, progress, cancelled)
    count = len(with_reports(found, extra, ImportResult()))
    archive.bind(bundle_id)
    names = tuple(str(one.absolute()) for one in reports)
    job = ImportJob(str(path.absolute()), names, keep_text, archive.imports.begin(kind))
    return queue.add(IMPORT, job.as_text(), bundle_id, -(-count // CASES)), count


def queue_reindex(archive: Archive, bundle_id: str) -> tuple[int, int]:
    """Queue the re-indexing with another bundle; job id and number of embeddings.

    Raises:
        UserError: the archive is bound to that bundle already, it is being re-indexed, or it is in a folder.
    """
    queue = archive.work
    if archive.bundle_id == bundle_id:
        raise UserError(f"The archive {archive.where} has the embeddings of this bundle already.")
    if any(job.kind == REINDEX and not job.is_over for job in queue.jobs()):
        raise UserError(
            f"The archive {archive.where} is being re-indexed already; `kindred work --archive {archive.where}` says "
            "how far it is."
        )
    archive.new_embeddings.discard_others(bundle_id)
    return queue.add_rows(REINDEX, "", bundle_id, ROWS), archive.new_embeddings.needed()
