"""Decoded frames kept for the next look, within a limit of bytes. Knows neither who asks nor how frames are read."""

from collections import OrderedDict
from collections.abc import Callable

from desktop.state.pictures.picture import byte_size
from engine.image.pixels import Pixels
from engine.study import FrameRef

DEFAULT_LIMIT = 512 * 1024 * 1024


class FrameCache:
    """Least recently used frames go first. Used on the UI thread only: workers get what they need in their request."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self.size = 0
        self.dropped = 0
        """How often a frame was let go: while it stays, what was complete is complete."""
        self._frames: OrderedDict[FrameRef, Pixels] = OrderedDict()

    def __contains__(self, ref: FrameRef) -> bool:
        return ref in self._frames

    def get(self, ref: FrameRef) -> Pixels | None:
        pixels = self._frames.get(ref)
        if pixels is not None:
            self._frames.move_to_end(ref)
        return pixels

    def put(self, ref: FrameRef, pixels: Pixels) -> None:
        """Keep a frame, in the place of an earlier one of it; one that alone exceeds the limit is not kept."""
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
        """Let a frame go, if it is kept."""
        pixels = self._frames.pop(ref, None)
        if pixels is not None:
            self.size -= byte_size(pixels)
            self.dropped += 1

    def set_limit(self, limit: int) -> None:
        """Keep at most this many bytes from now on."""
        self.limit = limit
        self._make_room()

    def keep_only(self, wanted: Callable[[FrameRef], bool]) -> None:
        """Drop the frames of what was closed."""
        for ref in [ref for ref in self._frames if not wanted(ref)]:
            self.drop(ref)

    def free_for(self, pixels: Pixels) -> int:
        """How many more frames like this one fit without dropping any."""
        return (self.limit - self.size) // max(1, byte_size(pixels))

    def room_for(self, pixels: Pixels) -> int:
        """How many frames like this one fit in all."""
        return self.limit // max(1, byte_size(pixels))
