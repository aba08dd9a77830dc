"""Does what is queued for an archive, unit by unit, until nothing waits. Knows no other worker.

A unit may be done twice: when a worker is killed, or so slow that its lease ended. Nothing is doubled by that: cases
and embeddings are recognized by their keys, and what is done is noted after it is committed.
"""

import json
import logging
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from engine.archive import Archive
from engine.errors import Cancelled, Rejected, UnreachableError, UserError
from engine.importing.import_result import ImportResult
from engine.importing.importer import import_items, read_all, with_reports
from engine.importing.reindex import embed_missing, reindex
from engine.importing.work.parts import Item, parts_of
from engine.importing.work.queueing import IMPORT, ImportJob
from engine.models.roles import Encoder
from engine.models.text_detector import text_detector
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.case import Kind

if TYPE_CHECKING:
    from engine.store.server.work_queue import Job, Unit, WorkQueue

_log = logging.getLogger("kindred")
LEASE = 120.0
"""Seconds of a lease, which is prolonged between two cases or batches."""
OF_FINISH = 10
"""Leases of the last unit of a job: it may be one long transaction, in which nothing can be prolonged."""
POLL = 1.0
"""Seconds between two looks for work while others have all that waits."""
COUNTED = ("added", "completed", "skipped", "images", "reports")


@dataclass(slots=True)
class Worked:
    """What one worker has done."""

    units: int = 0
    failed: int = 0
    """Units that could not be done this time."""
    lost: int = 0
    """Units that another worker has taken over, since this one was too slow."""
    counts: Counter[str] = field(default_factory=Counter)
    """Cases added and so on, and embeddings made."""
    rejected: list[Rejected] = field(default_factory=list)
    """Files that cannot be imported. The archive keeps only how many, since names of files may identify people."""


class _LeaseLostError(Exception):
    """Another worker has got the unit."""


class _Heartbeat:
    """Prolongs the lease of a unit when a third of it is over; called as progress of the work."""

    def __init__(self, queue: "WorkQueue", unit: "Unit", seconds: float, progress: Progress) -> None:
        self._queue, self._unit, self._seconds, self._told = queue, unit, seconds, progress
        self._last = time.monotonic()

    def __call__(self, done: int, total: int, what: str) -> None:
        self._told(done, total, what)
        if time.monotonic() - self._last < self._seconds / 3:
            return
        self._last = time.monotonic()
        if not self._queue.prolong(self._unit, self._seconds):
            raise _LeaseLostError


def work(
    archive: Archive,
    bundle: Encoder,
    stay: bool = False,
    lease: float = LEASE,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
    pause: Callable[[], None] = lambda: time.sleep(POLL),
) -> Worked:
    """Do what is queued until nothing waits, not even at another worker, which may be killed.

    Args:
        archive: on a server.
        bundle: the models.
        stay: wait for more when nothing waits.
        lease: seconds.
        progress: hears of the cases or embeddings of a unit.
        cancelled: ends it between two cases or batches; the unit is given back.
        pause: waits before the next look.

    Raises:
        UserError: the archive cannot be reached, is in a folder, or its work needs other models.
    """
    queue = archive.work
    worker = _Worker(archive, bundle, lease, progress, cancelled)
    while not cancelled():
        job = queue.next_job()
        if job is not None and job.bundle_id != bundle.id:
            raise UserError(
                f"The next work of {archive.where} needs other models ({job.bundle_id[:12]}, not {bundle.id[:12]}): "
                "name them with --bundle."
            )
        unit = queue.lease(worker.name, lease) if job else None
        if job is None and not stay:
            break
        if job is None or unit is None:
            pause()
        elif unit.job_id != job.job_id:  # its last unit was done in this moment
            queue.give_back(unit)
        else:
            worker.do(job, unit)
    return worker.worked


class _Worker:
    def __init__(
        self, archive: Archive, bundle: Encoder, lease: float, progress: Progress, cancelled: IsCancelled
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self.worked = Worked()
        self._archive, self._bundle, self._queue = archive, bundle, archive.work
        self._lease, self._progress, self._cancelled = lease, progress, cancelled
        self._listed: tuple[int, list[list[Item]]] = (0, [])

    def do(self, job: "Job", unit: "Unit") -> None:
        """Do one unit, and note that, or why it failed."""
        try:
            steps = {"import": self._import, "finish": self._finish}
            leases = OF_FINISH if unit.kind == "finish" else 1
            beat = _Heartbeat(self._queue, unit, leases * self._lease, self._progress)
            result = steps.get(unit.kind, self._embed)(job, unit, beat)
            if self._cancelled():
                raise Cancelled
            if self._queue.done(unit, result):
                self.worked.units += 1
            else:
                self.worked.lost += 1
        except _LeaseLostError:
            self.worked.lost += 1
        except UnreachableError:  # nothing can be noted; the lease ends by itself
            raise
        except Cancelled:
            self._queue.give_back(unit)
        except KeyboardInterrupt:
            self._queue.give_back(unit)
            raise
        except UserError as error:
            self._fail(unit, str(error).replace(error.other, "…") if error.other else str(error))
        except Exception as error:
            _log.exception("A unit of work failed; please report this as a bug in Kindred.")
            self._fail(unit, f"{type(error).__name__}, see the log of the worker")

    def _fail(self, unit: "Unit", reason: str) -> None:
        self.worked.failed += 1
        self._queue.failed(unit, reason)

    def _import(self, job: "Job", unit: "Unit", beat: Progress) -> str:
        what = ImportJob.from_text(job.what)
        items = self._parts(job, unit.last, what, beat)[unit.first]
        result = ImportResult()
        detector = None if what.keep_text else text_detector(threads=1)
        import_items(self._archive, self._bundle, items, result, detector, beat, self._cancelled)
        counts = {name: getattr(result, name) for name in COUNTED}
        self.worked.counts.update(counts)
        self.worked.rejected += result.rejected
        return json.dumps({**counts, "rejected": len(result.rejected)})

    def _parts(self, job: "Job", count: int, what: ImportJob, beat: Progress) -> list[list[Item]]:
        if self._listed[0] != job.job_id:
            reports = [Path(one) for one in what.reports]
            _, found, extra = read_all(Path(what.path), reports, beat, self._cancelled)
            self._listed = job.job_id, parts_of(with_reports(found, extra, ImportResult()), count)
        return self._listed[1]

    def _embed(self, job: "Job", unit: "Unit", beat: Progress) -> str:
        kind, ids = cast(Kind, unit.kind), (unit.first, unit.last)
        made = embed_missing(self._archive, self._bundle, kind, ids, beat, self._cancelled)
        self.worked.counts["embeddings"] += made
        return json.dumps({"embeddings": made})

    def _finish(self, job: "Job", unit: "Unit", beat: Progress) -> str:
        self._queue.prolong(unit, OF_FINISH * self._lease)
        if job.kind == IMPORT:
            counts: Counter[str] = Counter()
            for result in self._queue.results(job.job_id):
                counts.update(json.loads(result))
            added = counts["added"] + counts["completed"]
            import_id = ImportJob.from_text(job.what).import_id
            self._archive.imports.end(import_id, added, counts["skipped"], counts["rejected"])
            self._archive.forget_words()
            self._archive.index.refresh(save=True)
        else:
            reindex(self._archive, self._bundle, beat, self._cancelled)
        return "{}"
