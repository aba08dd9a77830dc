"""Checks and writes the objects of one retrieval in a few threads, while the next ones arrive. Knows no network.

Nothing but whole objects of the study that was asked for is written.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import Rejected, UserError
from engine.pacs.batch import write_batch
from engine.pacs.limits import Watch
from engine.pacs.objects import SUFFIX, checked_object
from engine.progress import Progress
from engine.store.safety.whole_file import flush

THREADS = 4
BATCH = 16
"""Objects that are flushed together."""
BATCH_BYTES = 16 << 20
"""A batch is written once it has this size."""
WAITING = 256 << 20
"""Bytes that wait to be written, beyond one object."""


class Writer:
    """The folder of a study, and threads that write into it; a context manager. `take` is for one caller at once."""

    def __init__(
        self, folder: Path, study_uid: str, patient_id: str, watch: Watch, progress: Progress, total: int
    ) -> None:
        """Start no thread yet.

        Args:
            folder: that of the study; it is there.
            study_uid: objects of other studies are refused.
            patient_id: objects of other patients are refused; "" for any.
            watch: asked before each object.
            progress: called after each object.
            total: number of objects that are expected; 0 for unknown.
        """
        self._folder, self._study, self._patient = folder, study_uid, patient_id
        self._watch, self._progress, self._total = watch, progress, total
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="pacs-write")
        self._batch: dict[str, bytes] = {}
        self._waiting: deque[tuple[Future[None], int]] = deque()
        self.taken: set[str] = set()
        """SOP Instance UIDs of what is written, or will be by the next `settle`."""
        self.rejected: list[Rejected] = []
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, end: TracebackType | None
    ) -> None:
        try:
            self.settle()  # also after an error: what has arrived is not to be sent again
        except UserError:
            if kind is None:
                raise
        finally:
            self._pool.shutdown(wait=True)

    def take(self, data: bytes | None) -> bool:
        """Check an object and write it, or note why not. See `Take`.

        Raises:
            Cancelled: the user cancelled.
            UserError: the disk is full, or a limit is reached.
        """
        self._watch.check()
        if data is None:
            largest = self._watch.limits.image >> 20
            return self._reject(f"The object has more than {largest:,} MB.")
        try:
            found = checked_object(data, self._study, self._patient)
        except UserError as error:
            return self._reject(str(error))
        self.bytes += len(data)
        if self.bytes > self._watch.limits.study:
            largest = self._watch.limits.study >> 30
            raise UserError(
                f"The study has more than {largest:,} GB, which is too much to retrieve; open it in the PACS."
            )
        self._batch[f"{found.sop_uid}{SUFFIX}"] = data
        self.taken.add(found.sop_uid)
        if len(self._batch) >= BATCH or sum(map(len, self._batch.values())) >= BATCH_BYTES:
            self._submit()
        self._progress(len(self.taken), self._total, "")
        return True

    def settle(self) -> None:
        """Wait until everything that was taken is written and flushed.

        Raises:
            UserError: it cannot be written.
        """
        self._submit()
        while self._waiting:
            self._waiting.popleft()[0].result()
        flush(self._folder)

    def _submit(self) -> None:
        if not self._batch:
            return
        files, self._batch = list(self._batch.items()), {}
        size = sum(len(data) for _, data in files)
        while self._waiting and (self._waiting[0][0].done() or self._waits() + size > WAITING):
            self._waiting.popleft()[0].result()
        self._waiting.append((self._pool.submit(self._write, files), size))

    def _waits(self) -> int:
        return sum(size for _, size in self._waiting)

    def _write(self, files: list[tuple[str, bytes]]) -> None:
        try:
            write_batch(self._folder, files)
        except OSError as error:
            raise UserError(
                f"Retrieved images cannot be written to {self._folder}: {error.strerror or error}.", self._folder
            ) from None

    def _reject(self, reason: str) -> bool:
        self.rejected.append(Rejected(f"Object {len(self.taken) + len(self.rejected) + 1}", reason))
        return False
