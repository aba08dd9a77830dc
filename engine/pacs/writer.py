"""Checks and writes the objects of one retrieval, and flushes them in a few threads while the next ones arrive.

Nothing but whole objects of the study that was asked for is written. Knows no network.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import Rejected, UserError
from engine.pacs.limits import Watch
from engine.pacs.objects import SUFFIX, checked_object
from engine.pacs.part_files import PartFile, begin, finish
from engine.progress import Progress
from engine.store.safety.whole_file import flush

THREADS = 4
TOGETHER = 8
"""Objects that are flushed together."""
TOGETHER_BYTES = 16 << 20
"""So many bytes are flushed without waiting for more objects."""
WAITING = 4 * THREADS
"""Groups of objects that may wait to be flushed, with open files, on a disk that is slower than the network."""


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
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="pacs-flush")
        self._written: list[PartFile] = []
        self._written_bytes = 0
        self._waiting: deque[Future[None]] = deque()
        self.taken: set[str] = set()
        """SOP Instance UIDs of what is written, and on the disk after the next `settle`."""
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
            UserError: it cannot be written, or a limit is reached.
        """
        self._watch.check()
        if data is None:
            largest = self._watch.limits.image >> 20
            return self._reject(f"The object has more than {largest:,} MB.")
        try:
            found = checked_object(data, self._study, self._patient)
        except UserError as error:
            return self._reject(str(error))
        if found.sop_uid in self.taken:
            return True  # it was sent twice
        self.bytes += len(data)
        if self.bytes > self._watch.limits.study:
            largest = self._watch.limits.study >> 30
            raise UserError(
                f"The study has more than {largest:,} GB, which is too much to retrieve; open it in the PACS."
            )
        with self._told():
            self._written.append(begin(self._folder / f"{found.sop_uid}{SUFFIX}", data))
        self._written_bytes += len(data)
        self.taken.add(found.sop_uid)
        if len(self._written) >= TOGETHER or self._written_bytes >= TOGETHER_BYTES:
            self._flush()
        self._progress(len(self.taken), self._total, "")
        return True

    def settle(self) -> None:
        """Wait until everything that was taken is written and flushed.

        Raises:
            UserError: it cannot be written.
        """
        self._flush()
        with self._told():
            while self._waiting:
                self._waiting.popleft().result()
        flush(self._folder)

    def _flush(self) -> None:
        self._waiting.append(self._pool.submit(finish, self._written))
        self._written, self._written_bytes = [], 0
        with self._told():
            while self._waiting and (self._waiting[0].done() or len(self._waiting) > WAITING):
                self._waiting.popleft().result()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"Retrieved images cannot be written to {self._folder}: {error.strerror or error}.", self._folder
            ) from None

    def _reject(self, reason: str) -> bool:
        self.rejected.append(Rejected(f"Object {len(self.taken) + len(self.rejected) + 1}", reason))
        return False
