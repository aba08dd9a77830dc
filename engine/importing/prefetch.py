"""Reads the images of the next cases in a few threads while the models embed those before. Knows no archive.

Finding burned-in text takes most of the time of an import. Two pictures in a thread each take less of it than one after
the other in two threads, and meanwhile the thread of the import can embed and write. What is read does not depend on
what was read ahead: an image that nobody foresaw is read when it is taken.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import Rejected, UserError
from engine.importing.source import FoundCase, FoundImage
from engine.models.burned_in import without_text
from engine.models.runtime import cpu_threads
from engine.models.text_detector import TextDetector
from engine.progress import IsCancelled, never
from engine.store.thumbnail import shrink

MOST_THREADS = 8
"""Each holds a whole frame while it is read and checked."""
AHEAD = 32
"""Images that are being read or wait to be taken, a quarter of a megabyte each: two batches of the models."""

Item = FoundCase | Rejected
Rest = TypeVar("Rest")


@dataclass(frozen=True, slots=True)
class ReadyPicture:
    """An image as the archive keeps it."""

    gray: NDArray[np.uint8]
    """uint8 [H, W], longest side 512."""
    window: tuple[float, float] | None
    """As in LoadedPicture."""
    text_boxes: int
    """Boxes of burned-in text that were blacked out."""


def read_picture(image: FoundImage, detector: TextDetector | None) -> ReadyPicture | UserError:
    """An image without burned-in text at stored size, or why it cannot be read.

    Text is looked for before the picture is reduced: the detector would miss small text.

    Args:
        image: what to read.
        detector: None to keep text.

    Raises:
        UserError: the detector cannot be used.
    """
    try:
        loaded = image.load()
    except UserError as error:
        return error
    gray, boxes = (loaded.gray, 0) if detector is None else without_text(loaded.gray, detector)
    return ReadyPicture(shrink(gray), loaded.window, boxes)


class Prefetch:
    """Threads that read images; a context manager, whose end drops what was not taken. For one thread."""

    def __init__(
        self,
        detector: TextDetector | None,
        new_images: Callable[[FoundCase], Iterable[FoundImage]],
        ahead: int = AHEAD,
        cancelled: IsCancelled = never,
    ) -> None:
        """Start no thread before there is an image to read.

        Args:
            detector: None to keep text.
            new_images: those of a case that will be taken, as far as that can be told before its turn.
            ahead: most images that are being read or wait; 0 reads each when it is taken.
            cancelled: asked by a thread before each image, since that waits while the job is paused or the window busy;
                the answer is left to the thread of the import, which may need the image to complete a case.
        """
        self._detector = detector
        self._new_images = new_images
        self._ahead = ahead
        self._cancelled = cancelled
        self._pool = ThreadPoolExecutor(min(MOST_THREADS, cpu_threads()), "import")
        self._next: deque[FoundImage] = deque()
        self._reading: dict[FoundImage, Future[ReadyPicture | UserError]] = {}

    @property
    def finds_text(self) -> bool:
        """Whether the images are checked for burned-in text."""
        return self._detector is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def through(self, items: Iterable[tuple[Item, Rest]]) -> Iterator[tuple[Item, Rest]]:
        """The items in their order, at most `ahead` of which are looked at before their turn."""
        waiting: deque[tuple[tuple[Item, Rest], list[FoundImage]]] = deque()
        for item in items:
            images = list(self._new_images(item[0])) if self._ahead and isinstance(item[0], FoundCase) else []
            waiting.append((item, images))
            self._next.extend(images)
            self._read_on()
            while waiting and (len(waiting) > self._ahead or len(self._next) + len(self._reading) >= self._ahead):
                yield from self._turn(*waiting.popleft())
        while waiting:
            yield from self._turn(*waiting.popleft())

    def take(self, image: FoundImage) -> ReadyPicture | UserError:
        """The image as it is archived, or why it cannot be read.

        Raises:
            UserError: the detector cannot be used.
        """
        reading = self._reading.pop(image, None)
        if reading is None:
            self._drop(image)
        self._read_on()
        return read_picture(image, self._detector) if reading is None else reading.result()

    def _turn(self, item: tuple[Item, Rest], images: list[FoundImage]) -> Iterator[tuple[Item, Rest]]:
        yield item
        for image in images:  # what was not taken: it is archived after all, or its case was rejected
            self._drop(image)
        self._read_on()

    def _drop(self, image: FoundImage) -> None:
        if (reading := self._reading.pop(image, None)) is not None:
            reading.cancel()
        elif image in self._next:
            self._next.remove(image)

    def _read_on(self) -> None:
        """Start to read the next images unless too many wait."""
        while self._next and len(self._reading) < self._ahead:
            image = self._next.popleft()
            self._reading[image] = self._pool.submit(self._read, image)

    def _read(self, image: FoundImage) -> ReadyPicture | UserError:
        self._cancelled()
        return read_picture(image, self._detector)
