"""Cache of decoded frames with a limit in bytes. Knows neither who asks nor how frames are read."""

from collections import OrderedDict
from collections.abc import Callable

from desktop.state.pictures.picture import byte_size
from engine.image.pixels import Pixels
from engine.study import FrameRef

DEFAULT_LIMIT = 512 * 1024 * 1024


class FrameCache:
    """Drops the least recently used frames first. Used on the UI thread only: workers get frames in their request."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self.size = 0
        self.dropped = 0
        """Number of frames dropped so far: while it stays the same, a stack that was complete still is."""
        self._frames: OrderedDict[FrameRef, Pixels] = OrderedDict()

    def __contains__(self, ref: FrameRef) -> bool:
        return ref in self._frames

    def get(self, ref: FrameRef) -> Pixels | None:
        """The frame, which becomes the most recently used one; None when it is not cached."""
        pixels = self._frames.get(ref)
        if pixels is not None:
            self._frames.move_to_end(ref)
        return pixels

    def put(self, ref: FrameRef, pixels: Pixels) -> None:
        """Store a frame, replacing an earlier version; one that exceeds the limit by itself is not stored."""
        before = self._frames.pop(ref, None)
        self.size -= byte_size(before) if before is not None else 0
        if byte_size(pixels) > self.limit:
            return
        self._frames[ref] = pixels
        self.size += byte_size(pixels)
        self._make_room()

    def _make_room(self) -> None:
        while self.size > self.limit:
            _, oldest = self._frames.popitem(last=False)
            self.size -= byte_size(oldest)
            self.dropped += 1

    def drop(self, ref: FrameRef) -> None:
        """Remove a frame, if it is cached."""
        pixels = self._frames.pop(ref, None)
        if pixels is not None:
            self.size -= byte_size(pixels)
            self.dropped += 1

    def set_limit(self, limit: int) -> None:
        """Set the limit in bytes, and drop what exceeds it."""
        self.limit = limit
        self._make_room()

    def keep_only(self, wanted: Callable[[FrameRef], bool]) -> None:
        """Drop all other frames."""
        for ref in [ref for ref in self._frames if not wanted(ref)]:
            self.drop(ref)

    def free_for(self, pixels: Pixels) -> int:
        """How many more frames like this one fit without dropping any."""
        return (self.limit - self.size) // max(1, byte_size(pixels))

    def room_for(self, pixels: Pixels) -> int:
        """How many frames like this one fit in all."""
        return self.limit // max(1, byte_size(pixels))
