"""Makes the thumbnails of the open series, one at a time. Knows no widgets, and not which studies are open."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial

from desktop.background import Background, Lane, as_work
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.pictures.picture import Image, middle_frame, thumbnail
from engine.image.pixels import Pixels
from engine.study import FrameRef, Series


class ThumbnailLoader:
    """Thumbnails by series id. Used on the UI thread only; thumbnails are made on a worker."""

    def __init__(
        self,
        background: Background,
        frames: FrameCache,
        *,
        changed: Callable[[str], None],
        on_screen: Callable[[FrameRef], bool],
    ) -> None:
        """Set up without requesting anything.

        Args:
            background: where the thumbnails are made.
            frames: decoded frames, shared with the viewports.
            changed: takes the id of each series whose thumbnail was made, or cannot be made.
            on_screen: whether a frame belongs to the series on screen, so that its pixels are worth caching.
        """
        self._background, self._frames = background, frames
        self._changed, self._on_screen = changed, on_screen
        self._thumbnails: dict[str, Image | None] = {}
        self._waiting: OrderedDict[str, Series] = OrderedDict()
        self._busy = False
        self._removals = 0
        """A frame decoded before the last removal is not cached."""

    def get(self, series_id: str) -> Image | None:
        """The thumbnail; None until it is made."""
        return self._thumbnails.get(series_id)

    def request(self, series: Iterable[tuple[str, Series]]) -> None:
        """Make those that have not been requested before."""
        for series_id, one in series:
            if series_id not in self._thumbnails:
                self._thumbnails[series_id] = None
                self._waiting[series_id] = one
        self._next()

    def remove(self, series_ids: Iterable[str]) -> None:
        """Forget the thumbnails of closed series."""
        self._removals += 1
        for series_id in series_ids:
            self._thumbnails.pop(series_id, None)

    def clear(self) -> None:
        """Forget all thumbnails and requests."""
        self._removals += 1
        self._thumbnails.clear()
        self._waiting.clear()

    def _next(self) -> None:
        """Make one at a time: a thousand series must not be a thousand requests."""
        if self._waiting and not self._busy:
            series_id, series = self._waiting.popitem(last=False)
            self._busy = True
            ref = middle_frame(series)
            self._background.start(
                as_work(thumbnail, ref, self._frames.get(ref)),
                partial(self._take, series_id, ref, self._removals),
                lane=Lane.THUMBNAIL,
                failed=partial(self._fail, series_id),
                shows_failure=True,
            )

    def _take(self, series_id: str, ref: FrameRef, removals: int, made: tuple[Image, Pixels]) -> None:
        image, pixels = made
        self._busy = False
        if removals == self._removals and self._on_screen(ref) and self._frames.free_for(pixels):
            self._frames.put(ref, pixels)  # else a frame of the stack on screen would be decoded again
        if series_id in self._thumbnails:
            self._thumbnails[series_id] = image
            self._changed(series_id)
        self._next()

    def _fail(self, series_id: str, error: BaseException) -> None:
        """Leave the thumbnail empty; the viewport shows the reason when the series is selected."""
        self._busy = False
        self._changed(series_id)
        self._next()
