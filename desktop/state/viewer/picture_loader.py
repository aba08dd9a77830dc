"""Requests the pictures of one viewport: one at a time, stale answers dropped, then prefetches the frames around.

While a picture is being made only the latest wish is kept, so that fast scrolling shows what it can and always ends on
the last frame asked for. Knows neither widgets nor signals, and does not hold what is shown: ViewportState does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from desktop.background import Background, Job, Lane, as_work
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.pictures.picture import PictureRequest, ScreenPicture, make_picture
from desktop.state.pictures.prefetch import Prefetcher
from desktop.state.pictures.pyramid import halvings
from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from engine.geometry.spacing import pixel_shape
from engine.image.pixels import Pixels
from engine.image.voi import Window
from engine.study import FrameRef, Series


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What a viewport wants to show at this moment."""

    series: Series
    index: int
    direction: int
    """1 when scrolling towards the end of the stack, -1 towards its beginning."""
    window: Window | None
    """None: the frame's own default."""
    inverted: bool
    view: View
    shown: ScreenPicture | None
    """The picture on screen."""


class PictureLoader:
    """Used on the UI thread only; pictures are made on a worker."""

    def __init__(
        self,
        background: Background,
        cache: FrameCache,
        name: str,
        read: Callable[[FrameRef], Pixels],
        *,
        wanted: Callable[[], Wanted | None],
        loaded: Callable[[ScreenPicture], None],
        failed: Callable[[FrameRef, BaseException], None],
    ) -> None:
        """Set up without requesting anything.

        Args:
            background: where the pictures are made.
            cache: decoded frames, shared with other viewports.
            name: sets the requests of this viewport apart from those of others.
            read: decodes a frame; called by workers.
            wanted: asked before each request; None when there is nothing to show.
            loaded: takes each picture.
            failed: takes the frame that could not be shown, and why.
        """
        self._background, self._cache, self._read = background, cache, read
        self._wanted, self._loaded, self._failed = wanted, loaded, failed
        self._key = f"viewport {name} picture"
        self._job: Job | None = None
        self._outdated = False
        """The picture being made is no longer what is wanted."""
        self._prefetcher = Prefetcher(background, cache, name, read)

    @property
    def loading(self) -> bool:
        """A picture is being made."""
        return self._job is not None

    def stop(self) -> None:
        """Drop the request and the prefetching that are under way."""
        self._background.drop(self._key)
        self._prefetcher.stop()
        self._job, self._outdated = None, False

    def request(self) -> None:
        """Make the picture that is wanted, after the one that is being made."""
        wanted = self._wanted()
        if wanted is None:
            return
        if self._job is not None:
            self._outdated = True
            return
        ref = wanted.series.frames[wanted.index]
        pixels, times, shown = self._cache.get(ref), _halvings(wanted.view, ref), wanted.shown
        small = shown.halved if shown and shown.pixels is pixels and shown.halvings == times else None
        request = PictureRequest(wanted.series, wanted.index, wanted.window, wanted.inverted, pixels, times, small)
        self._outdated = False
        self._job = self._background.start(
            as_work(make_picture, request, self._read),
            self._take,
            key=self._key,
            lane=Lane.PICTURE,
            urgent=True,
            failed=partial(self._fail, ref),
            shows_failure=True,
        )

    def request_if_too_coarse(self) -> None:
        """Make the picture anew when the screen has more pixels for it than it was made with."""
        wanted = self._wanted()
        if wanted is not None and wanted.shown is not None and _is_too_coarse(wanted.shown, wanted.view):
            self.request()

    def proceed(self) -> None:
        """Prefetch around the picture on screen once none is being made: the stack may have grown."""
        if self._job is None:
            self._continue()

    def _take(self, picture: ScreenPicture) -> None:
        self._job = None
        self._cache.put(picture.ref, picture.pixels)
        wanted = self._wanted()
        if wanted is not None and _is_too_coarse(picture, wanted.view):  # the view has grown while it was made
            self._outdated = True
        self._loaded(picture)
        self._continue()

    def _fail(self, ref: FrameRef, error: BaseException) -> None:
        self._job = None
        self._failed(ref, error)
        self._continue()

    def _continue(self) -> None:
        if self._outdated:
            self.request()
            return
        wanted = self._wanted()
        if wanted is not None and wanted.shown is not None:
            self._prefetcher.around(wanted.series, wanted.index, wanted.direction, wanted.shown.pixels)


def _halvings(view: View, ref: FrameRef) -> int:
    """How often a frame can be halved and still have a pixel for each of the screen."""
    shape = Shape(ref.image.columns, ref.image.rows, pixel_shape(ref))
    columns, rows = geometry.screen_pixels(view, shape)
    return halvings((shape.rows, shape.columns), (rows, columns))


def _is_too_coarse(picture: ScreenPicture, view: View) -> bool:
    return picture.halvings > _halvings(view, picture.ref)
