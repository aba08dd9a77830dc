"""Prefetches the frames around the one on screen into the cache. Knows no widgets and no windows.

First the nearest ones, more of them in the direction of scrolling; then, while the cache has room, the rest of the
stack outwards. A worker reports each frame as it is decoded and ends soon, so that the next plan starts from the frame
then on screen.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from desktop.background import Background, Lane, as_work
from desktop.memory import release_memory
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.pictures.picture import byte_size
from engine.errors import UserError
from engine.image.pixels import Pixels
from engine.progress import IsCancelled, Progress
from engine.study import FrameRef, Series

NEAR = 12
"""Frames prefetched first in the direction of scrolling; a third as many behind."""
WORKERS = Lane.PREFETCH.value[1]
BATCH = 64
"""Frames planned at once, for all workers."""
TIME_SLICE = 0.25
"""Seconds after which a worker ends, to be started with a newer plan."""
RELEASE_AFTER = 64 * 1024 * 1024
"""Bytes of decoded frames after which it is worth returning freed memory to the system."""

Read = Callable[[FrameRef], Pixels]
Decoded = tuple[FrameRef, Pixels | None]
"""None: the frame cannot be read."""


class Prefetcher:
    """Keeps the cache filled around one viewport. Used on the UI thread only."""

    def __init__(self, background: Background, cache: FrameCache, name: str, read: Read) -> None:
        self._background, self._cache, self._name, self._read = background, cache, name, read
        self._frames: Sequence[FrameRef] = ()
        self._index, self._direction = 0, 1
        self._like: Pixels | None = None
        self._under_way: dict[int, Sequence[FrameRef]] = {}
        self._unreadable: set[FrameRef] = set()
        self._complete: tuple[Sequence[FrameRef], int] = ((), -1)
        """A stack found wholly decoded, and the cache's count of dropped frames at that time."""
        self._decoded = 0

    def stop(self) -> None:
        """Forget the stack and drop the requests that are under way."""
        self._drop_workers()
        self._frames, self._like = (), None
        self._unreadable.clear()

    def around(self, series: Series, index: int, direction: int, like: Pixels) -> None:
        """Continue from the frame on screen; `like` has the size of the stack's frames."""
        self._frames, self._index, self._direction, self._like = series.frames, index, direction, like
        if self._under_way and self._is_missing(index + direction):
            self._drop_workers()  # they work far from the frame now on screen
        for worker in range(WORKERS):
            if worker not in self._under_way:
                self._start(worker)

    def _drop_workers(self) -> None:
        for worker in range(WORKERS):
            self._background.drop(self._key(worker))
        self._under_way.clear()

    def _is_missing(self, index: int) -> bool:
        """The frame exists and is neither decoded nor being decoded."""
        if not 0 <= index < len(self._frames):
            return False
        ref = self._frames[index]
        return self._is_new(ref, {ref for refs in self._under_way.values() for ref in refs})

    def _start(self, worker: int) -> None:
        mine = self._wanted()
        if not mine:
            return
        self._under_way[worker] = mine
        self._background.start(
            partial(_prefetch, self._read, mine),
            partial(self._ended, worker),
            key=self._key(worker),
            lane=Lane.PREFETCH,
            failed=partial(self._failed, worker),
            shows_failure=True,
            cancelled=partial(self._ended, worker, None),
            partial_result=self._take,
        )

    def _wanted(self) -> list[FrameRef]:
        """The nearest frames, even if old ones must be dropped; then all others while there is room."""
        if self._like is None:
            return []
        taken = {ref for refs in self._under_way.values() for ref in refs}
        room, free = self._cache.room_for(self._like), self._cache.free_for(self._like) - len(taken)
        near = min(NEAR, max(2, room // 16), room - 1)  # so that nine viewports do not evict each other's frames
        offsets = [self._direction * step for step in range(1, near + 1)]
        offsets += [-self._direction * step for step in range(1, near // 3 + 1)]
        wanted = [ref for ref in self._at(offsets) if self._is_new(ref, taken)]
        if free > len(wanted) and self._complete != (self._frames, self._cache.dropped):
            signs, nearest = (self._direction, -self._direction), set(wanted)
            far = (sign * step for step in range(1, len(self._frames)) for sign in signs)
            others = (ref for ref in self._at(far) if ref not in nearest and self._is_new(ref, taken))
            wanted += islice(others, min(BATCH, free - len(wanted)))
            if not wanted and not taken:
                self._complete = (self._frames, self._cache.dropped)
        return wanted[:BATCH:WORKERS]  # every other one: the other worker takes those between

    def _is_new(self, ref: FrameRef, taken: set[FrameRef]) -> bool:
        return ref not in taken and ref not in self._cache and ref not in self._unreadable

    def _at(self, offsets: Iterable[int]) -> Iterator[FrameRef]:
        for offset in offsets:
            if 0 <= self._index + offset < len(self._frames):
                yield self._frames[self._index + offset]

    def _take(self, decoded: Decoded) -> None:
        ref, pixels = decoded
        if pixels is None:
            self._unreadable.add(ref)  # reported when it is requested, not before
        else:
            self._cache.put(ref, pixels)
            self._decoded += byte_size(pixels)

    def _ended(self, worker: int, _: object) -> None:
        self._under_way.pop(worker, None)
        self._start(worker)
        if not self._under_way and self._decoded > RELEASE_AFTER:
            self._decoded = 0
            self._background.start(as_work(release_memory), lambda _: None, lane=Lane.PREFETCH)

    def _failed(self, worker: int, error: BaseException) -> None:
        """Do not try the same frames again after a bug, which Background reports."""
        self._unreadable.update(self._under_way.get(worker, ()))
        self._ended(worker, None)

    def _key(self, worker: int) -> str:
        return f"viewport {self._name} prefetch {worker}"


def _prefetch(
    read: Read, refs: Sequence[FrameRef], progress: Progress, cancelled: IsCancelled, report: Callable[[Decoded], None]
) -> None:
    end = time.monotonic() + TIME_SLICE
    for ref in refs:
        if cancelled():
            return
        try:
            report((ref, read(ref)))
        except UserError:
            report((ref, None))
        if time.monotonic() > end:
            return
